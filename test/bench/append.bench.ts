/**
 * Appending to the embedded log with 1, 10 and 100 appends in flight, beside one commit per event
 * on the event loop; reading it back; opening one of a million events. All of it durable.
 */

import { randomUUID } from 'node:crypto';
import type { NewEvent } from '#domain/log/event';
import { APPEND_EVENTS_MAX, type EventLog } from '#domain/log/event-log';
import { UPCASTS } from '#domain/log/upcast';
import { openSqliteEventLog, type SqliteEventLog } from '#infra/event-log-sqlite';
import { openLogForWriting } from '#infra/event-log-sqlite-schema';
import { requireSoundHead } from '#infra/event-log-sqlite-verify';
import { LogWriter } from '#infra/event-log-sqlite-writer';
import { appendText } from '#infra/event-text';
import { temporaryDirectory } from '../support/temporary.ts';
import { advantage, type BenchRow, median } from './row.ts';

const ROUNDS = 5;
const IN_FLIGHT: readonly (readonly [inFlight: number, each: number])[] = [
  [1, 300],
  [10, 150],
  [100, 50],
];
const LARGE_LOG_EVENTS = 1_000_000;
const LARGE_LOG_STREAMS = 1000;

export async function run(): Promise<readonly BenchRow[]> {
  return [...(await appending()), ...(await largeLog())];
}

async function appending(): Promise<readonly BenchRow[]> {
  await using directory = await temporaryDirectory();
  await using log = await open(directory.file('log.db'));
  const alone = (): number => eventsPerSecondAlone(directory.file(`${randomUUID()}.db`));
  await eventsPerSecond(log, 10, 100);
  alone();
  const rows: BenchRow[] = [];
  for (const [inFlight, each] of IN_FLIGHT) {
    // Side by side, round by round: the disk of a shared machine has moods.
    const ours: number[] = [];
    const peers: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await eventsPerSecond(log, inFlight, each));
      peers.push(alone());
    }
    rows.push({
      what: `append to the log, ${inFlight} in flight`,
      unit: 'events/s',
      ours: median(ours),
      peer: { name: 'one commit per event', value: median(peers) },
    });
  }
  return rows;
}

async function largeLog(): Promise<readonly BenchRow[]> {
  await using directory = await temporaryDirectory();
  const file = directory.file('log.db');
  await fill(file);
  const start = performance.now();
  await using log = await open(file);
  const openMs = performance.now() - start;
  const readStart = performance.now();
  let events = 0;
  for (let position = 0; ;) {
    const page = await log.readAll(position, 1000);
    const last = page.at(-1);
    if (last === undefined) break;
    events += page.length;
    position = last.position;
  }
  const readSeconds = (performance.now() - readStart) / 1000;
  const verifyStart = performance.now();
  const verdict = await log.verify();
  const verifySeconds = (performance.now() - verifyStart) / 1000;
  if (verdict.type !== 'sound') throw new Error(verdict.reason);
  return [
    { what: 'open a log of 1,000,000 events', unit: 'ms', ours: openMs },
    { what: 'read the log and decode', unit: 'events/s', ours: events / readSeconds },
    { what: 'verify the log', unit: 'events/s', ours: events / verifySeconds },
  ];
}

function open(file: string): Promise<SqliteEventLog> {
  return openSqliteEventLog({
    file,
    onFatal: (fault) => {
      throw fault;
    },
  });
}

async function fill(file: string): Promise<void> {
  await using log = await open(file);
  const share = LARGE_LOG_EVENTS / LARGE_LOG_STREAMS;
  for (let first = 0; first < LARGE_LOG_STREAMS; first += 20) {
    const streams = Array.from({ length: 20 }, (_, n) => `account-${first + n}`);
    await Promise.all(
      streams.map(async (stream) => {
        for (let revision = -1; revision + 1 < share; revision += APPEND_EVENTS_MAX) {
          const events = Array.from({ length: APPEND_EVENTS_MAX }, (_, n) => flagsChanged(n));
          await log.append(stream, revision, events);
        }
      }),
    );
  }
}

/** Every appender has a stream of its own and one append under way. */
async function eventsPerSecond(log: EventLog, inFlight: number, each: number): Promise<number> {
  const streams = Array.from({ length: inFlight }, (_, n) => `account-${n}`);
  const heads = await Promise.all(streams.map((stream) => log.head(stream)));
  const start = performance.now();
  await Promise.all(
    streams.map(async (stream, index) => {
      let revision = heads[index] ?? -1;
      for (let n = 0; n < each; n++) {
        ({ revision } = await log.append(stream, revision, [flagsChanged(n)]));
      }
    }),
  );
  return (inFlight * each * 1000) / (performance.now() - start);
}

function eventsPerSecondAlone(file: string): number {
  const count = 300;
  const db = openLogForWriting(file);
  const writer = new LogWriter(db, requireSoundHead(db, file));
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    writer.commit([appendText('account-1', n - 1, [flagsChanged(n)], UPCASTS)]);
  }
  const perSecond = (count * 1000) / (performance.now() - start);
  db.close();
  return perSecond;
}

function flagsChanged(n: number): NewEvent {
  const edit = { add: ['\\Seen', '$Important'], remove: [] };
  return {
    id: randomUUID(),
    type: 'FlagsChanged',
    version: 1,
    at: 1_700_000_000_000 + n,
    data: { type: 'FlagsChanged', mailboxId: 3, uids: `${n + 1}:${n + 9},${n + 20}`, edit },
    cause: { actor: 'imap:daybook@localhost', ip: '127.0.0.1', cid: 'c0ffee' },
  };
}

if (import.meta.main) {
  for (const row of await run()) {
    const times = advantage(row);
    const beside =
      times === undefined ? '' : `, ${times.toFixed(1)} times ${row.peer?.name ?? 'the peer'}`;
    process.stdout.write(`${row.what}: ${row.ours.toPrecision(3)} ${row.unit}${beside}\n`);
  }
}
