/**
 * A folder for messages that nobody took.
 *
 * Invariants: they are for their owner only, and on the disk when they are said to be; a message
 * without its envelope was not kept whole, and is not there.
 */

import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Random } from '#protocols/ports';
import { namesIn, replaceFile } from './files.ts';

/** A message as it came in, and to whom it still has to go. */
export interface KeptMail {
  readonly octets: Buffer;
  readonly fromName?: string | undefined;
  readonly recipients: readonly string[];
}

export interface KeptMailFolder {
  /** Gives the name of the file. */
  keep(mail: KeptMail): Promise<string>;
  /** The oldest first. */
  kept(): AsyncIterable<{ readonly file: string; readonly message: KeptMail }>;
  forget(file: string): Promise<void>;
}

export interface KeptMailPorts {
  readonly clock: Clock;
  readonly random: Random;
}

const ENVELOPE = '.envelope';

export function keptMailIn(folder: string, { clock, random }: KeptMailPorts): KeptMailFolder {
  return {
    async keep({ octets, fromName, recipients }) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `newmsg.${clock.now()}.${random.bytes(4).toString('hex')}`);
      await replaceFile(file, octets);
      await replaceFile(`${file}${ENVELOPE}`, JSON.stringify({ fromName, recipients }));
      return file;
    },
    async *kept() {
      for (const name of (await namesIn(folder)).toSorted()) {
        if (!name.endsWith(ENVELOPE)) continue;
        const file = join(folder, name.slice(0, -ENVELOPE.length));
        const envelope: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'));
        yield { file, message: { octets: await readFile(file), ...envelopeOf(envelope, name) } };
      }
    },
    async forget(file) {
      await rm(`${file}${ENVELOPE}`);
      await rm(file);
    },
  };
}

function envelopeOf(value: unknown, name: string): Omit<KeptMail, 'octets'> {
  if (typeof value === 'object' && value !== null && 'recipients' in value) {
    const { recipients } = value;
    const fromName = 'fromName' in value ? value.fromName : undefined;
    if (Array.isArray(recipients)) {
      const to = recipients.map(String);
      return { recipients: to, ...(typeof fromName === 'string' && { fromName }) };
    }
  }
  throw new Error(`${name} is no envelope of a kept message.`);
}
