/**
 * The audit trail: what becomes of attempts to log in between a protocol and the log.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALICE, openTestAudit, WRONG_PASSWORD } from '../../support/audit.ts';
import { DETAILED_PER_DAY_MAX } from '#domain/audit/decide';
import { auditStream } from '#domain/log/streams';
import { Fault } from '#domain/values/fault';
import { REPEATED_MS } from '#infra/audit';

const DAY_MS = 86_400_000;
const JANUARY = 'audit-202601';

describe('attempts to log in', () => {
  it('41: are recorded within a second, equal ones as one with their number', async () => {
    await using g = await openTestAudit();
    const began = g.clock.now();
    for (let i = 0; i < 5; i++) {
      g.audit.record(WRONG_PASSWORD);
      await g.pass(100);
    }
    g.audit.record({ ...WRONG_PASSWORD, mechanism: 'login' });
    assert.deepEqual(await g.streams(), {});
    await g.pass(500);
    assert.deepEqual(await g.streams(), { [JANUARY]: 1 });
    await g.pass(500);
    assert.deepEqual(await g.streams(), { [JANUARY]: 2 });
    const [last, first] = await g.list();
    assert.equal(last?.details?.mechanism, 'login');
    const { login, remoteIp, localIp, tls, userAgent } = WRONG_PASSWORD;
    assert.deepEqual(first, {
      protocol: 'imap',
      result: 'badpassword',
      account: 'alice',
      accountId: ALICE,
      details: { mechanism: 'plain', login, remoteIp, localIp, tls, userAgent },
      count: 5,
      firstAt: began,
      lastAt: began + 400,
    });
  });

  it('41: that come again later are recorded together, and listed at once', async () => {
    await using g = await openTestAudit();
    g.audit.record(WRONG_PASSWORD);
    await g.pass(1000);
    for (let i = 0; i < 100; i++) {
      g.audit.record(WRONG_PASSWORD);
      await g.pass(8_000);
    }
    assert.deepEqual(await g.streams(), { [JANUARY]: 1 });
    await g.pass(REPEATED_MS - 800_000);
    assert.deepEqual(await g.streams(), { [JANUARY]: 2 });
    g.audit.record(WRONG_PASSWORD);
    const counts = (await g.list()).map(({ count }) => count);
    assert.deepEqual(counts, [102]);
    assert.deepEqual(await g.streams(), { [JANUARY]: 3 });
  });

  it('are those of the account, whatever the address is written like', async () => {
    await using g = await openTestAudit();
    g.audit.record({ ...WRONG_PASSWORD, login: 'ALICE@Example.org' });
    g.audit.record({ ...WRONG_PASSWORD, result: 'ok', accountId: ALICE });
    g.audit.record({ ...WRONG_PASSWORD, login: '', result: 'badprotocol', fingerprint: 'alices' });
    const all = await g.list({ account: 'alice' });
    assert.deepEqual(all.map(({ result }) => result).sort(), ['badpassword', 'badprotocol', 'ok']);
    assert.equal((await g.list({ account: 'alice', failedOnly: true })).length, 2);
    assert.deepEqual(await g.list({ account: 'ALICE' }), all, 'names are one in any case');
    assert.deepEqual(await g.list({ account: '-' }), []);
    const refusal = { refused: 'NoSuchAccount', detail: 'bob' };
    const question = { account: 'bob', failedOnly: false, limit: 1 };
    assert.deepEqual(await g.audit.list(question), refusal);
  });

  it('36: under an address of nobody are wrong in that', async () => {
    await using g = await openTestAudit();
    const login = 'nobody@example.org';
    g.audit.record({ ...WRONG_PASSWORD, login });
    g.audit.record({ ...WRONG_PASSWORD, login, result: 'badcreds' });
    g.audit.record({ ...WRONG_PASSWORD, login, result: 'badchanbind' });
    const found = await g.list({ account: '-' });
    assert.deepEqual(found.map(({ result, count }) => `${result} ${count}`).sort(), [
      'badchanbind 1',
      'baduser 2',
    ]);
    assert.ok(found.every(({ details }) => details?.login === login));
  });

  it('never hold a password that was typed where the name belongs', async () => {
    await using g = await openTestAudit();
    for (const secret of ['hunter2-hunter2', 's3cret@home', 'pass word@example.com', 'x\u0000y']) {
      g.audit.record({ ...WRONG_PASSWORD, login: secret });
      await g.audit.flush();
      assert.ok(!JSON.stringify(await g.log.read(JANUARY, 0, 100)).includes(secret));
    }
    const [only, ...more] = await g.list();
    assert.deepEqual(more, []);
    assert.equal(only?.result, 'baduser');
    assert.equal(only?.details?.login, '');
    assert.equal(only?.count, 4);
  });

  it('hold texts of clients as one line that ends', async () => {
    await using g = await openTestAudit();
    g.audit.record({ ...WRONG_PASSWORD, userAgent: `a\r\nb\u2028c\ud800${'x'.repeat(10_000)}` });
    const [only] = await g.list();
    assert.match(only?.details?.userAgent ?? '', /^a {2}b c x{190,200}$/);
  });
});

describe('the audit trail under attack', () => {
  it('records a bounded number a day, and counts the rest', async () => {
    await using g = await openTestAudit();
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 100; i++) {
        g.audit.record({ ...WRONG_PASSWORD, login: `user${round}.${i}@example.org` });
      }
      await g.pass(1000);
    }
    assert.ok(((await g.streams())[JANUARY] ?? 0) <= DETAILED_PER_DAY_MAX + 1);
    const found = await g.list();
    assert.equal(found.length, DETAILED_PER_DAY_MAX + 1);
    assert.equal(
      found.reduce((sum, { count }) => sum + count, 0),
      4000,
    );
    // Alice still sees who tries to be her.
    g.audit.record(WRONG_PASSWORD);
    assert.equal((await g.list({ account: 'alice' }))[0]?.details?.login, 'alice@example.org');
  });

  it('keeps a bounded number in memory', async () => {
    await using g = await openTestAudit();
    for (let i = 0; i < 15_000; i++) {
      g.audit.record({ ...WRONG_PASSWORD, remoteIp: `2001:db8::${i.toString(16)}` });
    }
    await g.pass(1000);
    assert.ok(((await g.streams())[JANUARY] ?? 0) <= DETAILED_PER_DAY_MAX + 100);
    const found = await g.list();
    assert.equal(
      found.reduce((sum, { count }) => sum + count, 0),
      15_000,
    );
  });

  it('does not begin anew with a restart', async () => {
    await using g = await openTestAudit();
    for (let i = 0; i < DETAILED_PER_DAY_MAX; i++) {
      g.audit.record({ ...WRONG_PASSWORD, remoteIp: `10.0.${i >> 8}.${i & 255}` });
    }
    await g.restart();
    g.audit.record({ ...WRONG_PASSWORD, remoteIp: '192.0.2.77' });
    const [last] = await g.list();
    assert.deepEqual([last?.details, last?.count], [undefined, 1]);
    await g.pass(DAY_MS);
    g.audit.record({ ...WRONG_PASSWORD, remoteIp: '192.0.2.77' });
    assert.equal((await g.list())[0]?.details?.remoteIp, '192.0.2.77');
  });
});

describe('the stream of a month', () => {
  it('is named by the month, in UTC', () => {
    assert.equal(auditStream(Date.UTC(2026, 0, 31, 23, 59, 59, 999)), 'audit-202601');
    assert.equal(auditStream(Date.UTC(2026, 11, 1)), 'audit-202612');
  });

  it('is followed by the next, and never by the one before', async () => {
    await using g = await openTestAudit();
    g.audit.record(WRONG_PASSWORD);
    await g.pass(1000);
    await g.pass(31 * DAY_MS);
    g.audit.record(WRONG_PASSWORD);
    await g.pass(1000);
    assert.deepEqual(await g.streams(), { [JANUARY]: 1, 'audit-202602': 1 });
    assert.deepEqual(
      (await g.list()).map(({ count }) => count),
      [1],
      'what was 31 days ago is not shown',
    );
    g.audit.record(WRONG_PASSWORD);
    await g.restart();
    assert.deepEqual(await g.streams(), { [JANUARY]: 1, 'audit-202602': 2 });
  });
});

describe('a log that cannot be written', () => {
  it('has the attempts tried again', async () => {
    await using g = await openTestAudit();
    let fails = true;
    g.log.before = () => {
      if (fails) throw new Fault('DiskFull', 'There is no room.');
    };
    g.audit.record(WRONG_PASSWORD);
    await g.pass(1000);
    g.audit.record(WRONG_PASSWORD);
    await g.pass(1000);
    assert.deepEqual(await g.streams(), {});
    fails = false;
    await g.pass(5000);
    assert.deepEqual(await g.streams(), { [JANUARY]: 1 });
    assert.equal((await g.list())[0]?.count, 2);
  });

  it('has them tried again also when it cannot be read at the turn of a month', async () => {
    await using g = await openTestAudit();
    g.audit.record(WRONG_PASSWORD);
    await g.pass(1000);
    const { head } = g.log;
    g.log.head = async () => {
      throw new Fault('LogUnavailable', 'The log cannot be read.');
    };
    g.clock.advance(32 * 86_400_000);
    g.audit.record({ ...WRONG_PASSWORD, remoteIp: '192.0.2.9' });
    await g.pass(1000);
    g.log.head = head;
    await g.pass(5000);
    assert.deepEqual(Object.values(await g.streams()), [1, 1]);
  });

  it('written by somebody else too is read first', async () => {
    await using g = await openTestAudit();
    g.audit.record(WRONG_PASSWORD);
    await g.audit.flush();
    const [event] = await g.log.read(JANUARY, 0, 1);
    assert.ok(event !== undefined);
    await g.log.append(JANUARY, 0, [{ ...event, id: '00000000-0000-4000-8000-000000000001' }]);
    g.audit.record(WRONG_PASSWORD);
    assert.equal((await g.list())[0]?.count, 3);
    assert.deepEqual(await g.streams(), { [JANUARY]: 3 });
  });
});
