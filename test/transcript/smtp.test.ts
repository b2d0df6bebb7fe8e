/**
 * Plays the conversations in `smtp/*.smtp`: one behaviour per file, told by its first line.
 *
 *     # what is shown
 *     server submission local tls      options of the server and of the connection
 *     server submission tls key:alices the client shows the key `alices`; with `resumed` it did so
 *                                      in an earlier handshake
 *     server submission tls fromids    alice@ is a login with reverse-paths of its own
 *     C: EHLO client.example           a line of the client, CRLF is added
 *     C> "a\r\n.b"                     raw octets of the client, as a JSON string
 *     S: 250-*                         a line of the server; * stands for anything
 *     S closed                         the server ends the connection
 *     hang up                          the client goes away
 *     remove alices                    the key is taken from its account
 *     clock 31s                        time goes on
 *     delivered alice 1                messages in Inbox, or in the queue: `queued alice 1`
 *     entry alice {"requireTls":true}  what the queue says of the newest message, at least
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  ALICE,
  BOB,
  deliveredTo,
  queuedBy,
  settled,
  smtpWorld,
  type World,
} from '../support/smtp.ts';
import type { Talk } from '../support/smtp-talk.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'smtp');
const ACCOUNTS: Readonly<Record<string, number>> = { alice: ALICE, bob: BOB };

for (const file of readdirSync(FOLDER).sort()) {
  const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n');
  test(`${file}: ${lines[0]?.replace(/^# */, '')}`, { timeout: 10_000 }, async () => {
    await play(file, lines);
  });
}

async function play(file: string, lines: readonly string[]): Promise<void> {
  const options = lines.find((line) => line.startsWith('server'))?.split(' ') ?? [];
  await using world = smtpWorld({
    role: options.includes('submission') ? 'submission' : 'mx',
    localMode: options.includes('local'),
    allowPlaintextLogin: options.includes('plaintext'),
    startTls: !options.includes('notls'),
    ...(options.includes('small') ? { messageBytesMax: 1000 } : {}),
  });
  if (options.includes('fromids')) {
    world.settings.set(ALICE, { fromIdLogins: ['alice@example.org'] });
  }
  const fingerprint = options.find((option) => option.startsWith('key:'))?.slice('key:'.length);
  const resumed = options.includes('resumed');
  const key = fingerprint === undefined ? undefined : { fingerprint, resumed };
  const talk = world.connect({ tls: options.includes('tls'), key });
  for (const [i, line] of lines.entries()) {
    await step(line, talk, world).catch((error: unknown) => {
      throw new Error(`${file}:${i + 1}: ${line}\n${String(error)}`, { cause: error });
    });
  }
}

async function step(line: string, talk: Talk, world: World): Promise<void> {
  if (line === '' || line.startsWith('#') || line.startsWith('server')) return;
  const [word = '', ...rest] = line.split(' ');
  const text = line.slice(word.length + 1);
  switch (word) {
    case 'C:':
      return talk.send(text);
    case 'C>':
      return talk.write(JSON.parse(text) as string);
    case 'S:':
      return assert.match(await talk.line(), patternOf(text));
    case 'S':
      return talk.closed();
    case 'hang':
      return talk.hangUp();
    case 'remove':
      await settled();
      return world.removeKey(text);
    case 'clock':
      await settled();
      world.clock.advance(Number(text.replace('s', '')) * 1000);
      return;
    case 'delivered':
    case 'queued': {
      await settled();
      const events = word === 'delivered' ? deliveredTo : queuedBy;
      const accountId = ACCOUNTS[rest[0] as string] as number;
      return assert.equal(events(world, accountId).length, Number(rest[1]));
    }
    case 'entry': {
      const [account = '', ...json] = rest;
      const items = [...world.state(ACCOUNTS[account] as number).queueRecords.items.values()];
      const entry = JSON.parse(json.join(' ')) as object;
      return assert.partialDeepStrictEqual(items.at(-1), entry);
    }
    default:
      throw new Error(`not a word of transcripts: ${word}`);
  }
}

function patternOf(text: string): RegExp {
  const literal = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`);
}
