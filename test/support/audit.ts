/**
 * An audit trail over a log in memory and the books of the server in a folder that goes away:
 * account 7 is alice, with alice@example.org; example.org is ours.
 */

import assert from 'node:assert/strict';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { CAUSE, testLog, type TestLog } from './lane-ports.ts';
import { silentLog } from './silent-log.ts';
import { temporaryDirectory } from './temporary.ts';
import { evolveDirectory } from '#domain/directory/evolve';
import { emptyDirectory } from '#domain/directory/state';
import { isRefusal } from '#domain/values/decision';
import { AuditTrail } from '#infra/audit';
import { ServerBooks } from '#infra/server-books';
import type { AttemptedLogin, AttemptQuestion, RecordedLogin } from '#protocols/ports';

export const ALICE = 7;

export const WRONG_PASSWORD: AttemptedLogin = {
  protocol: 'imap',
  result: 'badpassword',
  mechanism: 'plain',
  login: 'alice@example.org',
  remoteIp: '192.0.2.1',
  localIp: '192.0.2.2',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  fingerprint: undefined,
  userAgent: 'Mail/1.0',
};

export interface TestAudit extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly log: TestLog;
  readonly fatals: readonly unknown[];
  audit: AuditTrail;
  books: ServerBooks;
  /** Lets so much time pass, and what is due be recorded. */
  pass(ms: number): Promise<void>;
  list(question?: Partial<AttemptQuestion>): Promise<readonly RecordedLogin[]>;
  /** Streams with the number of their facts. */
  streams(): Promise<Readonly<Record<string, number>>>;
  /** Stops and starts again. */
  restart(): Promise<void>;
}

export async function openTestAudit(): Promise<TestAudit> {
  const directory = await temporaryDirectory();
  const clock = fakeClock();
  const log = testLog();
  const fatals: unknown[] = [];
  const state = emptyDirectory();
  const rules = { catchallSeparator: '+', caseSensitive: false };
  evolveDirectory(state, { type: 'DomainAdded', domain: 'example.org', ...rules });
  evolveDirectory(state, { type: 'AccountAdded', accountId: ALICE, name: 'alice' });
  const address = { localpart: 'alice', domain: 'example.org', accountId: ALICE };
  evolveDirectory(state, { type: 'AddressAdded', ...address });
  const holder = { accountId: ALICE, login: 'alice@example.org', imapPreauth: true };
  const ports = {
    log,
    clock,
    random: fakeRandom(CAUSE.actor),
    notes: silentLog,
    fatal: (error: unknown) => void fatals.push(error),
    directory: { state },
    keyHolder: (fingerprint: string) => (fingerprint === 'alices' ? holder : undefined),
  };
  const openBooks = (): Promise<ServerBooks> =>
    ServerBooks.open(directory.file('server.db'), { log, notes: silentLog, clock });
  const books = await openBooks();
  const self: TestAudit = {
    clock,
    log,
    fatals,
    books,
    audit: await AuditTrail.open({ ...ports, books }),
    async pass(ms) {
      clock.advance(ms);
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    },
    async list(question = {}) {
      const found = await self.audit.list({ failedOnly: false, limit: 100_000, ...question });
      assert.ok(!isRefusal(found));
      return found;
    },
    async streams() {
      const heads = [...(await log.streams())].map(([stream, head]) => [stream, head + 1]);
      return Object.fromEntries(heads);
    },
    async restart() {
      await self.audit.close();
      self.books.close();
      self.books = await openBooks();
      self.audit = await AuditTrail.open({ ...ports, books: self.books });
    },
    async [Symbol.asyncDispose]() {
      await self.audit.close();
      self.books.close();
      await directory[Symbol.asyncDispose]();
      assert.deepEqual(fatals, []);
    },
  };
  return self;
}
