/**
 * Months leave the log when they are over for long enough, and views do not notice.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openTestAudit, WRONG_PASSWORD } from '../../support/audit.ts';
import { fakeClock } from '../../support/clock.ts';
import { someEvent } from '../../support/events.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { dropMonths, startDroppingMonths, type MonthDropPorts } from '#infra/month-drop';

const DAY_MS = 86_400_000;

async function portsWith(months: readonly string[], now: number): Promise<MonthDropPorts> {
  const log = openMemoryEventLog();
  for (const stream of months) await log.append(stream, -1, [someEvent(stream)]);
  const kept = { audit: 3, reports: 12 };
  const fatal = (error: unknown): never => assert.fail(String(error));
  return { log, clock: fakeClock(now), notes: silentLog, kept, fatal };
}

async function left(ports: MonthDropPorts): Promise<readonly string[]> {
  return [...(await ports.log.streams()).keys()].toSorted();
}

describe('months', () => {
  it('are dropped when they lie further back than they are kept, each kind by itself', async () => {
    const ports = await portsWith(
      ['audit-202510', 'audit-202511', 'audit-202512', 'audit-202602', 'account-1', 'directory'],
      Date.UTC(2026, 1, 1),
    );
    await ports.log.streams();
    await dropMonths(ports);
    assert.deepEqual(await left(ports), [
      'account-1',
      'audit-202511',
      'audit-202512',
      'audit-202602',
      'directory',
    ]);
    const reports = await portsWith(
      ['reports-202501', 'reports-202502', 'reports-202602'],
      Date.UTC(2026, 1, 28),
    );
    await dropMonths(reports);
    assert.deepEqual(await left(reports), ['reports-202502', 'reports-202602']);
  });

  it('of a server that was quiet since stay', async () => {
    const months = ['audit-202501', 'audit-202502', 'audit-202504'];
    const ports = await portsWith(months, Date.UTC(2026, 6, 1));
    await dropMonths(ports);
    assert.deepEqual(await left(ports), months);
  });

  it('that a wrong clock has made do not make others old', async () => {
    const months = ['audit-202601', 'audit-203001'];
    const ports = await portsWith(months, Date.UTC(2026, 1, 1));
    await dropMonths(ports);
    assert.deepEqual(await left(ports), months);
  });

  it('are looked at soon after the start, and every day', async () => {
    const ports = await portsWith(['audit-202501', 'audit-202601'], Date.UTC(2026, 0, 1));
    const clock = fakeClock(Date.UTC(2026, 0, 1));
    const dropping = startDroppingMonths({ ...ports, clock });
    clock.advance(600_000);
    await dropping.stop();
    assert.deepEqual(await left(ports), ['audit-202601']);
    assert.equal(clock.waiting, 0);
  });
});

describe('attempts to log in', () => {
  it('are told by a replay as they were, without the months that are gone', async () => {
    await using g = await openTestAudit();
    for (let day = 0; day < 200; day++) {
      g.audit.record({ ...WRONG_PASSWORD, login: day % 3 === 0 ? 'x' : WRONG_PASSWORD.login });
      await g.pass(DAY_MS);
    }
    await g.audit.flush();
    const live = g.books.digests();
    const kept = { audit: 2, reports: 2 };
    const fatal = (error: unknown): never => assert.fail(String(error));
    const before = (await g.log.streams()).size;
    await dropMonths({ log: g.log, clock: g.clock, notes: silentLog, kept, fatal });
    assert.equal((await g.log.streams()).size, before - 4);
    // Not made anew: the books know of streams that are no more.
    await g.restart();
    assert.deepEqual(g.books.digests(), live);
    await g.books.rebuild();
    assert.deepEqual(g.books.digests(), live);
    const [latest] = g.books.loginAttempts({ failedOnly: false, limit: 10 });
    assert.ok(latest !== undefined && latest.count < 62, JSON.stringify(latest));
  });
});
