/**
 * The books of the server follow the lanes, and find what they missed.
 */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { OPENED, recorded } from '../../support/given.ts';
import { testPorts, type TestPorts } from '../../support/lane-ports.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { KEY } from '../../support/tls-key.ts';
import type { AccountEvent } from '#domain/log/streams';
import { Fault } from '#domain/values/fault';
import { serverWideId } from '#domain/values/ids';
import { ServerBooks } from '#infra/server-books';
import { ViewsDatabase } from '#infra/read-models';
import { queueLength } from '#projections/queue-lists';

const FIRST = serverWideId(7, 1);
const SECOND = serverWideId(7, 2);
const REPLY = { code: 450, enhancedCode: '4.2.0', text: 'later' };

const QUEUED: AccountEvent = {
  type: 'MessageQueued',
  items: [
    { queueId: FIRST, recipient: 'a@example.net' },
    { queueId: SECOND, recipient: 'b@example.net' },
  ],
  mailFrom: 'alice@example.org',
  body: 'ab'.repeat(32),
  prefix: '',
  sizeBytes: 100,
  headerId: '<1@example.org>',
  smtpUtf8: false,
  eightBit: false,
  nextAttemptAt: 1000,
};
const STARTED: AccountEvent = {
  type: 'AttemptStarted',
  queueIds: [FIRST],
  attempt: 1,
  nextAttemptAt: 5000,
  transport: '',
};
const NET = 'example.net';
/** Of whatever is put into the log. */
const POSTED_AT = 1_000;

interface Given extends AsyncDisposable {
  readonly ports: TestPorts;
  readonly file: string;
  books: ServerBooks;
  /** Appends to the stream of account 7, and has the books follow. */
  post(...events: readonly AccountEvent[]): Promise<void>;
  reopen(): Promise<void>;
}

async function given(): Promise<Given> {
  const directory = await temporaryDirectory();
  const ports = testPorts(directory.path);
  const file = directory.file('server.db');
  let posted = 0;
  const self: Given = {
    ports,
    file,
    books: await ServerBooks.open(file, ports),
    async post(...events) {
      await ports.log.intrude(7, events);
      self.books.follow(7, recorded(events, posted, POSTED_AT));
      posted += events.length;
    },
    async reopen() {
      self.books.close();
      self.books = await ServerBooks.open(file, ports);
    },
    async [Symbol.asyncDispose]() {
      self.books.close();
      await directory[Symbol.asyncDispose]();
    },
  };
  return self;
}

/** For want of room. */
function failNextCommit(t: TestContext): void {
  t.mock.method(ViewsDatabase.prototype, 'commit').mock.mockImplementationOnce(() => {
    throw new Fault('DiskFull', 'no room');
  });
}

describe('outgoing mail of all accounts', () => {
  it('is due when its time has come and it is not in an attempt', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED);
    assert.deepEqual(g.books.due(NET, 999, 10), []);
    assert.deepEqual(g.books.dueDestinations(999, 10), []);
    assert.equal(g.books.nextDueAfter(999), 1000);
    assert.equal(g.books.nextDueAfter(1000), undefined);
    assert.deepEqual(g.books.dueDestinations(1000, 10), [NET]);
    assert.deepEqual(g.books.due(NET, 1000, 10), [
      { accountId: 7, queueId: FIRST },
      { accountId: 7, queueId: SECOND },
    ]);
    assert.equal(g.books.due(NET, 1000, 1).length, 1);
    await g.post(STARTED);
    assert.deepEqual(g.books.due(NET, 9000, 10), [{ accountId: 7, queueId: SECOND }]);
    assert.deepEqual(g.books.accountsInAttempt(), [7]);
    await g.post({
      type: 'AttemptFailed',
      queueId: FIRST,
      attempt: 1,
      permanent: false,
      nextAttemptAt: 7000,
      ...REPLY,
    });
    assert.deepEqual(g.books.due(NET, 6999, 10), [{ accountId: 7, queueId: SECOND }]);
    assert.deepEqual(g.books.accountsInAttempt(), []);
    await g.post({ type: 'MessageRetired', queueId: SECOND, outcome: 'failed' });
    assert.equal(g.books.nextDueAfter(6999), 7000);
  });

  it('says when it changes, and only then', async () => {
    await using g = await given();
    let changes = 0;
    g.books.changes.subscribe(() => changes++);
    await g.post(OPENED);
    assert.equal(changes, 0);
    await g.post(QUEUED, STARTED);
    assert.equal(changes, 1);
  });
});

describe('credentials of all accounts', () => {
  it('follow the log', async () => {
    await using g = await given();
    assert.deepEqual(g.books.credentials(7), {});
    await g.post({ type: 'PasswordSet', secret: 's1' }, { type: 'LoginForbidden', reason: 'no' });
    assert.deepEqual(g.books.credentials(7), { passwordSecret: 's1', forbidden: 'no' });
    await g.post({ type: 'LoginAllowed' });
    assert.deepEqual(g.books.credentials(7), { passwordSecret: 's1' });
  });
});

describe('TLS keys of all accounts', () => {
  it('follow the log', async () => {
    await using g = await given();
    await g.post(
      { type: 'TlsKeyAdded', ...KEY },
      { type: 'TlsKeyAdded', ...KEY, fingerprint: 'f2' },
    );
    const first = g.books.tlsKey(7, 'f1');
    assert.deepEqual(first, { ...KEY, accountId: 7, addedAt: first?.addedAt });
    assert.equal(g.books.tlsKey(8, 'f1'), undefined);
    const { name, login } = KEY;
    await g.post(
      { type: 'TlsKeyChanged', fingerprint: 'f2', name, login, noImapPreauth: true },
      { type: 'TlsKeyRemoved', fingerprint: 'f1' },
    );
    assert.deepEqual(
      g.books.tlsKeys().map(({ fingerprint, noImapPreauth }) => [fingerprint, noImapPreauth]),
      [['f2', true]],
    );
  });

  it('stand there for every account that has them', async () => {
    await using g = await given();
    await g.post({ type: 'TlsKeyAdded', ...KEY });
    await g.ports.log.intrude(8, [{ type: 'TlsKeyAdded', ...KEY, name: 'same' }]);
    await g.reopen();
    assert.deepEqual(
      g.books.tlsKeys().map(({ accountId, name }) => [accountId, name]),
      [
        [7, 'laptop'],
        [8, 'same'],
      ],
    );
  });
});

describe('the books of the server', () => {
  it('get at start what they have missed', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED);
    await g.reopen();
    await g.ports.log.intrude(7, [STARTED]);
    await g.ports.log.intrude(8, [{ type: 'PasswordSet', secret: 's8' }]);
    await g.reopen();
    assert.deepEqual(g.books.accountsInAttempt(), [7]);
    assert.deepEqual(g.books.credentials(8), { passwordSecret: 's8' });
    assert.deepEqual(g.ports.warnings, []);
  });

  it('take facts twice, but none out of order', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED);
    g.books.follow(7, recorded([OPENED, QUEUED]));
    assert.equal(g.books.due(NET, 1000, 10).length, 2);
    assert.throws(() => g.books.follow(7, recorded([STARTED], 5)), /miss facts/);
  });

  it('are made anew when other models made them, and are the same', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED, STARTED, { type: 'PasswordSet', secret: 's1' });
    const before = g.books.digests();
    g.books.close();
    const db = new ViewsDatabase(g.file, 'writer');
    db.execute(['UPDATE models SET version = 99', 'DELETE FROM server_queue']);
    db.close();
    g.books = await ServerBooks.open(g.file, g.ports);
    assert.deepEqual(g.books.digests(), before);
    assert.deepEqual(g.ports.warnings, [{ state: 'outdated' }]);
  });

  it('are made anew when the log is an older copy', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED);
    g.books.close();
    const db = new ViewsDatabase(g.file, 'writer');
    db.execute(['UPDATE checkpoints SET revision = 99']);
    db.close();
    g.books = await ServerBooks.open(g.file, g.ports);
    assert.equal(g.books.due(NET, 1000, 10).length, 2);
  });

  it('show at once what they commit a little later, several turns together', async () => {
    await using g = await given();
    const other = new ViewsDatabase(g.file, 'reader');
    await g.post(OPENED, QUEUED);
    await g.post(STARTED);
    assert.deepEqual(g.books.accountsInAttempt(), [7]);
    assert.equal(queueLength(other), 0);
    g.ports.clock.advance(50);
    assert.equal(queueLength(other), 2);
    other.close();
  });

  it('keep what finds no room, show it late, and lose nothing', async (t) => {
    await using g = await given();
    await g.post(OPENED);
    failNextCommit(t);
    await g.post(QUEUED);
    g.ports.clock.advance(50);
    assert.equal(g.ports.warnings.length, 1);
    assert.equal(g.books.due(NET, 1000, 10).length, 0);
    g.ports.clock.advance(5_000);
    assert.equal(g.books.due(NET, 1000, 10).length, 2);
    const shown = g.books.digests();
    await g.reopen();
    assert.deepEqual(g.books.digests(), shown);
  });

  it('lose nothing when a question finds no room and ends what is not committed', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED);
    // As SQLite does when it has to write pages in order to read others, and the disk is full.
    g.books.read((sql) => sql.passing('ROLLBACK').run([]));
    await g.post(STARTED);
    assert.deepEqual(g.books.accountsInAttempt(), [7]);
    g.ports.clock.advance(50);
    const shown = g.books.digests();
    await g.reopen();
    assert.deepEqual(g.books.digests(), shown);
    assert.equal(g.books.due(NET, 1000, 10).length, 1);
  });

  it('post again when nothing else comes after that', async () => {
    await using g = await given();
    await g.post(OPENED, QUEUED);
    g.books.read((sql) => sql.passing('ROLLBACK').run([]));
    g.ports.clock.advance(50);
    assert.equal(g.books.due(NET, 1000, 10).length, 2);
    await g.post(STARTED);
    g.books.read((sql) => sql.passing('ROLLBACK').run([]));
    g.books.forget(8);
    assert.deepEqual(g.books.accountsInAttempt(), [7]);
  });

  it('post once what waits for room while they are made anew', async (t) => {
    await using g = await given();
    await g.post(OPENED);
    failNextCommit(t);
    await g.post(QUEUED);
    g.ports.clock.advance(50);
    await g.books.rebuild();
    const shown = g.books.digests();
    g.ports.clock.advance(5_000);
    assert.deepEqual(g.books.digests(), shown);
    assert.equal(g.books.due(NET, 1000, 10).length, 2);
  });

  it('write nothing on behalf of who only asks', async () => {
    await using g = await given();
    await g.post(OPENED);
    g.ports.clock.advance(50);
    const sizeBytes = statSync(`${g.file}-wal`).size;
    const counters = Array.from({ length: 4000 }, (_, i) => i + 1);
    const items = counters.map((n) => ({
      queueId: serverWideId(7, n),
      recipient: `${n}@example.net`,
    }));
    await g.post({ ...QUEUED, items });
    assert.equal(g.books.read(queueLength), 4000);
    assert.equal(statSync(`${g.file}-wal`).size, sizeBytes);
    g.ports.clock.advance(50);
    assert.ok(statSync(`${g.file}-wal`).size > sizeBytes);
  });
});
