/**
 * How TLS went with mx.example.org, and a recorder of that over a log in memory and the books of
 * the server in a folder that goes away.
 */

import assert from 'node:assert/strict';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { testLog, type TestLog } from './lane-ports.ts';
import { silentLog } from './silent-log.ts';
import { temporaryDirectory } from './temporary.ts';
import type { GatheredTlsResult } from '#domain/report/decide';
import type { TlsDetail, TlsResult } from '#domain/report/events';
import { ServerBooks } from '#infra/server-books';
import { TlsRecorder } from '#infra/tls-results';
import type { Log, LogFields } from '#protocols/ports';
import type { TlsResultQuestion } from '#protocols/ports-admin';
import type { TlsResults } from '#protocols/ports-remote';

export const MISMATCH: TlsDetail = {
  resultType: 'certificate-host-mismatch',
  sendingIp: '192.0.2.143',
  receivingMx: 'mx.example.org',
  receivingHelo: 'mx.example.org',
  receivingIp: '192.0.2.1',
  sessions: 1,
  reasonCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
};

export const WENT_WELL: TlsResult = {
  recipientDomain: 'example.org',
  policyDomain: 'example.org',
  isHost: false,
  sendReport: true,
  policy: {
    type: 'sts',
    strings: ['version: STSv1', 'mode: enforce'],
    mxHosts: ['mx.example.org'],
  },
  successes: 1,
  failures: 0,
  details: [],
};

export const WENT_WRONG: TlsResult = {
  ...WENT_WELL,
  successes: 0,
  failures: 1,
  details: [MISMATCH],
};

export interface NotedTlsResults extends TlsResults {
  readonly noted: readonly TlsResult[];
}

/** Keeps what it is told. */
export function notedTlsResults(): NotedTlsResults {
  const noted: TlsResult[] = [];
  return { noted, record: (result) => void noted.push(result) };
}

export interface TestRecorder extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly log: TestLog;
  readonly warnings: readonly LogFields[];
  recorder: TlsRecorder;
  books: ServerBooks;
  /** Lets so much time pass, and what is due be recorded. */
  pass(ms: number): Promise<void>;
  list(question?: Partial<TlsResultQuestion>): Promise<readonly GatheredTlsResult[]>;
  /** Streams with the number of their facts. */
  streams(): Promise<Readonly<Record<string, number>>>;
  /** Stops and starts again. */
  restart(): Promise<void>;
}

export async function openTestRecorder(startAt?: number): Promise<TestRecorder> {
  const directory = await temporaryDirectory();
  const clock = fakeClock(startAt);
  const log = testLog();
  const warnings: LogFields[] = [];
  const fatals: unknown[] = [];
  const notes: Log = {
    ...silentLog,
    warn: (fields) => void warnings.push(fields),
    child: () => notes,
  };
  const fatal = (error: unknown): void => void fatals.push(error);
  const ports = { log, clock, random: fakeRandom('tls'), notes, fatal };
  const openBooks = (): Promise<ServerBooks> =>
    ServerBooks.open(directory.file('server.db'), { log, notes, clock });
  const books = await openBooks();
  const self: TestRecorder = {
    clock,
    log,
    warnings,
    books,
    recorder: await TlsRecorder.open({ ...ports, books }),
    async pass(ms) {
      clock.advance(ms);
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    },
    list: (question = {}) => self.recorder.list({ limit: 100_000, ...question }),
    async streams() {
      const heads = [...(await log.streams())].map(([stream, head]) => [stream, head + 1]);
      return Object.fromEntries(heads);
    },
    async restart() {
      await self.recorder.close();
      self.books.close();
      self.books = await openBooks();
      self.recorder = await TlsRecorder.open({ ...ports, books: self.books });
    },
    async [Symbol.asyncDispose]() {
      await self.recorder.close();
      self.books.close();
      await directory[Symbol.asyncDispose]();
      assert.deepEqual(fatals, []);
    },
  };
  return self;
}
