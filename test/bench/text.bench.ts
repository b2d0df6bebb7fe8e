/**
 * Searching texts in a mailbox of 10,000: with the full-text index, beside Dovecot without one and
 * beside our own look into every message; what the index costs to make, on the disk, and to those
 * who deliver meanwhile. Messages of 4 KB.
 */

import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ViewsDatabase } from '#infra/read-models';
import { textsReached } from '#projections/texts';
import { LOGIN, startLocalserve } from '../support/localserve.ts';
import { runDaybook } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { fillMailbox, openImap, type Server } from './beside.ts';
import { deliveriesPerSecond } from './deliver.bench.ts';
import { startDovecot } from './dovecot.ts';
import { median, medianMs, type BenchRow } from './row.ts';
import { ABSENT_WORD, COMMON_WORD, RARE_WORD, wordyMessage } from './words.ts';

const COUNT = Number(process.env.BENCH_SIZE ?? '10000');
const IMAP_PORT = 1143;
const SMTP_PORT = 1025;
const DELIVERY_MS = 2000;
const ROUNDS = 3;

const SEARCHES: readonly (readonly [what: string, keys: string])[] = [
  ['TEXT, a rare word', `TEXT ${RARE_WORD}`],
  ['TEXT, a common word', `TEXT ${COMMON_WORD}`],
  ['TEXT, an absent word', `TEXT ${ABSENT_WORD}`],
  ['TEXT, two letters', 'TEXT qu'],
  ['BODY, a rare word', `BODY ${RARE_WORD}`],
  ['BODY, a common word', `BODY ${COMMON_WORD}`],
  ['HEADER Message-ID', `HEADER Message-ID "<77."`],
];

type Times = ReadonlyMap<string, number>;

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const indexed = await withIndex(dir, say);
  const plain = await withoutIndex(dir, say);
  const rows = SEARCHES.map(([what]): BenchRow => {
    const row = { what: `SEARCH ${what}`, unit: 'ms', ours: indexed.get(what) ?? NaN };
    return { ...row, peer: { name: 'our plain scan', value: plain.get(what) ?? NaN } };
  });
  await using dovecot = await startDovecot(say);
  if (dovecot !== undefined) {
    const theirs = await searched(dovecot, (text) => say(`${dovecot.name}: ${text}`), true);
    for (const [what] of SEARCHES) {
      const row = { what: `SEARCH ${what}`, unit: 'ms', ours: indexed.get(what) ?? NaN };
      rows.push({ ...row, peer: { name: dovecot.name, value: theirs.get(what) ?? NaN } });
    }
  }
  return [...rows, ...(await costs(dir)), await slowdown(dir)];
}

async function withIndex(dir: string, say: (text: string) => void): Promise<Times> {
  await using server = await startLocalserve({ dir });
  await fillMailbox({ ip: server.ip, imapPort: IMAP_PORT }, 'words', COUNT, wordyMessage);
  await untilIndexed(dir);
  const ours = { ip: server.ip, imapPort: IMAP_PORT };
  const times = await searched(ours, (text) => say(`daybook: ${text}`), false);
  await server.stop();
  return times;
}

async function withoutIndex(dir: string, say: (text: string) => void): Promise<Times> {
  await switchIndex(dir, false);
  await using server = await startLocalserve({ dir });
  const ours = { ip: server.ip, imapPort: IMAP_PORT };
  const times = await searched(ours, (text) => say(`plain scan: ${text}`), false);
  await server.stop();
  await switchIndex(dir, true);
  return times;
}

async function searched(
  server: Server,
  say: (text: string) => void,
  isEmpty: boolean,
): Promise<Times> {
  if (isEmpty) await fillMailbox(server, 'words', COUNT, wordyMessage);
  const driver = await openImap(server);
  await driver.command('SELECT words');
  const times = new Map<string, number>();
  for (const [what, keys] of SEARCHES) {
    const answer = (await driver.command(`SEARCH ${keys}`)).toString('latin1');
    const found = (answer.match(/(?<= )\d+(?=[ \r])/g) ?? []).length;
    times.set(what, await medianMs(5, () => driver.command(`SEARCH ${keys}`)));
    say(`${what}: ${found} found in ${times.get(what)?.toFixed(2)} ms`);
  }
  driver.close();
  return times;
}

function textsFile(dir: string): string {
  return join(dir, 'data/accounts/1/texts.db');
}

async function untilIndexed(dir: string): Promise<void> {
  for (;;) {
    await pause(100);
    if (((await stat(textsFile(dir)).catch(() => undefined))?.size ?? 0) === 0) continue;
    const db = new ViewsDatabase(textsFile(dir), 'reader');
    const reached = textsReached(db)?.contentId ?? 0;
    db.close();
    if (reached >= COUNT) return;
  }
}

async function switchIndex(dir: string, isOn: boolean): Promise<void> {
  const file = join(dir, 'config/daybook.yaml');
  const text = (await readFile(file, 'utf8')).replace(/^NoTextIndex: .*\n/m, '');
  await writeFile(file, `${text}NoTextIndex: ${!isOn}\n`);
}

/** What it costs to make the index, and to keep it. */
async function costs(dir: string): Promise<readonly BenchRow[]> {
  const { stdout } = await runDaybook(['rebuild', '--dir', dir, '--json']);
  const made = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { texts?: number; milliseconds: number })
    .find(({ texts }) => texts !== undefined);
  const { size } = await stat(textsFile(dir));
  const texts = made?.texts ?? 0;
  return [
    {
      what: 'index made anew',
      unit: 'messages/s',
      ours: (texts * 1000) / (made?.milliseconds ?? NaN),
    },
    { what: 'index on the disk, of 4 KB messages', unit: 'bytes/message', ours: size / texts },
  ];
}

/** Deliveries while an index of all messages is being made, beside deliveries without any. */
async function slowdown(dir: string): Promise<BenchRow> {
  const rates: { readonly [On in 'on' | 'off']: number[] } = { on: [], off: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const state of ['off', 'on'] as const) {
      await switchIndex(dir, state === 'on');
      await rm(textsFile(dir), { force: true });
      await using server = await startLocalserve({ dir });
      const driver = await openImap({ ip: server.ip, imapPort: IMAP_PORT });
      await driver.command('SELECT words');
      // Whoever searches wakes what makes the index.
      await driver.command(`SEARCH TEXT ${ABSENT_WORD}`);
      driver.close();
      const load = { host: server.ip, port: SMTP_PORT, hello: 'EHLO', recipient: LOGIN } as const;
      const measured = { ...load, connections: 10, sizeBytes: 4000, ms: DELIVERY_MS };
      await deliveriesPerSecond({ ...measured, ms: DELIVERY_MS / 4 });
      rates[state].push(await deliveriesPerSecond(measured));
      await server.stop();
    }
  }
  return {
    what: 'delivery of 4 KB over 10 connections while the index is made',
    unit: 'messages/s',
    ours: median(rates.on),
    peer: { name: 'without an index', value: median(rates.off) },
  };
}
