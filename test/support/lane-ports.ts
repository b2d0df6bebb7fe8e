/**
 * What lanes need, for tests: a log in memory that fails when told to, and a note of what was
 * fatal.
 */

import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { OPENED } from './given.ts';
import { silentLog } from './silent-log.ts';
import { someFacts } from './views.ts';
import { DEFAULT_POLICY } from '#domain/directory/settings';
import type { EventLog } from '#domain/log/event-log';
import { newEventOf } from '#domain/log/fact';
import { accountStream, type AccountEvent, type AccountFact } from '#domain/log/streams';
import type { AccountId, Revision } from '#domain/values/ids';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { Lanes, type LanesPorts } from '#infra/lanes';
import type { Log, LogFields } from '#protocols/ports';

export const CAUSE = { actor: 'test' };

export interface TestLog extends EventLog {
  /** How many events each append had. */
  readonly appends: readonly number[];
  /** Called before the next append reaches the log; what it throws, the append throws. */
  before: (() => Promise<void> | void) | undefined;
  /** Called when the next append is done; what it throws, the append throws. */
  after: (() => void) | undefined;
  /** Another process writes to an account's stream. */
  intrude(accountId: AccountId, events: readonly AccountEvent[]): Promise<void>;
}

export function testLog(): TestLog {
  const log = openMemoryEventLog();
  const random = fakeRandom('intruder');
  const appends: number[] = [];
  const append: EventLog['append'] = (stream, expected, events) =>
    log.append(stream, expected, events);
  const wrapped: TestLog = {
    appends,
    before: undefined,
    after: undefined,
    async append(stream, expected, events) {
      await wrapped.before?.();
      const appended = await append(stream, expected, events);
      appends.push(events.length);
      wrapped.after?.();
      return appended;
    },
    async intrude(accountId, events) {
      const stream = accountStream(accountId);
      const made = events.map((event) => newEventOf(event, random.uuid(), 1_000, CAUSE));
      await append(stream, await log.head(stream), made);
    },
    read: (...given) => log.read(...given),
    readAll: (...given) => log.readAll(...given),
    head: (stream) => log.head(stream),
    streams: () => log.streams(),
    drop: (stream) => log.drop(stream),
    follow: (listener) => log.follow(listener),
    close: () => log.close(),
  };
  return wrapped;
}

export interface TestPorts extends LanesPorts {
  readonly log: TestLog;
  readonly clock: FakeClock;
  readonly announced: readonly AccountFact[];
  readonly warnings: readonly LogFields[];
  readonly fatals: readonly unknown[];
}

export function testPorts(directory: string): TestPorts {
  const announced: AccountFact[] = [];
  const warnings: LogFields[] = [];
  const fatals: unknown[] = [];
  const notes: Log = {
    ...silentLog,
    warn: (fields) => void warnings.push(fields),
    child: () => notes,
  };
  return {
    log: testLog(),
    clock: fakeClock(),
    random: fakeRandom(),
    notes,
    factsOf: () => someFacts,
    fileOf: (accountId) => `${directory}/${accountId}/views.db`,
    policyOf: () => DEFAULT_POLICY,
    announce: (_, facts) => void announced.push(...facts),
    fatal: (error) => void fatals.push(error),
    announced,
    warnings,
    fatals,
  };
}

/** Lanes with one opened account, number 7; its head is revision 0. */
export async function openedLanes(ports: TestPorts): Promise<Lanes> {
  await ports.log.intrude(7, [OPENED]);
  const lanes = new Lanes(ports);
  await lanes.account(7);
  return lanes;
}

export async function headOf(ports: TestPorts, accountId: AccountId = 7): Promise<Revision> {
  return ports.log.head(accountStream(accountId));
}
