/**
 * The whole localserve within the process of the test: composed as ever, on a loopback address of
 * its own, with mail handed in by our own client and the command line beside it.
 */

import assert from 'node:assert/strict';
import { freeLoopbackAddress, LOGIN, PASSWORD } from './localserve.ts';
import { NO_OPENERS, NO_TERMINAL } from './openers.ts';
import { silentLog } from './silent-log.ts';
import { temporaryDirectory } from './temporary.ts';
import { openControl, openLocalServer, openStore, prepareLocal } from '#compose';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { runProgram } from '#protocols/cli/program';
import { openSmtpClient } from '#protocols/smtp/client';
import type { RecipientResult } from '#protocols/smtp/client-delivery';

export interface Composed extends AsyncDisposable {
  readonly ip: string;
  /** What a command prints, in lines without those about columns; `input` is for its stdin. */
  daybook(args: readonly string[], input?: string): Promise<readonly string[]>;
  /** The records that a list prints. */
  records(...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Hands in mail of the account. */
  submit(recipient: string, ...fields: readonly string[]): Promise<void>;
  /** Mail of somebody else. */
  deliver(mailFrom: string, rcptTo: string, lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function openComposed(): Promise<Composed> {
  const directory = await temporaryDirectory();
  const ip = freeLoopbackAddress();
  const options = { dir: directory.path, ip, limits: false, logLevel: 'error' };
  await prepareLocal(options);
  let server = await openLocalServer(options);
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  const openers = { ...NO_OPENERS, openControl, openStore, defaultDir: () => directory.path };

  const daybook: Composed['daybook'] = async (args, input) => {
    const out: string[] = [];
    const err: string[] = [];
    const terminal = {
      ...NO_TERMINAL,
      out: (line: string | Uint8Array) => void out.push(String(line)),
      err: (line: string) => void err.push(line),
      ...(input === undefined ? {} : { input: async () => input }),
    };
    assert.equal(await runProgram(args, terminal, openers), 0, err.join('\n'));
    return out.filter((line) => !line.startsWith('# '));
  };

  const send = async (
    port: number,
    mailFrom: string,
    rcptTo: string,
    octets: string,
  ): Promise<readonly RecipientResult[]> => {
    const isOwn = port === 1587;
    await using client = await openSmtpClient({
      ...ports,
      dialer: openDialer(ports),
      host: ip,
      port,
      hostName: 'client.example',
      tls: isOwn ? 'starttls' : 'none',
      trust: { anyCertificate: true },
    });
    if (isOwn) await client.authenticate({ login: LOGIN, password: PASSWORD });
    const { recipients } = await client.deliver({
      mailFrom,
      recipients: [{ address: rcptTo }],
      body: async function* () {
        yield Buffer.from(octets);
      },
    });
    return recipients;
  };
  const taken = (recipients: readonly RecipientResult[]): void =>
    assert.deepEqual(
      recipients.flatMap((one) => (one.type === 'failed' ? [one.error.message] : [])),
      [],
    );

  return {
    ip,
    daybook,
    records: async (...args) => {
      const lines = await daybook([...args, '--json']);
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    submit: async (recipient, ...fields) => {
      const head = [`From: ${LOGIN}`, `To: ${recipient}`, 'Subject: sent', ...fields];
      const text = [...head, '', 'hello', ''].join('\r\n');
      taken(await send(1587, LOGIN, recipient, text));
    },
    deliver: async (mailFrom, rcptTo, lines) =>
      taken(await send(1025, mailFrom, rcptTo, [...lines, ''].join('\r\n'))),
    stop: () => server.stop(),
    start: async () => {
      server = await openLocalServer(options);
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}
