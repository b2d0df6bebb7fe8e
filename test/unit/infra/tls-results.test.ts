/**
 * The recorder of TLS results: what becomes of them between an attempt and the log.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MISMATCH, openTestRecorder, WENT_WELL, WENT_WRONG } from '../../support/tls-results.ts';
import { reportStream } from '#domain/log/streams';
import { Fault } from '#domain/values/fault';
import { GATHERED_MS, WAITING_MAX } from '#infra/tls-results';

const DAY_MS = 86_400_000;
const JANUARY = 'reports-202601';
const FEBRUARY = 'reports-202602';
/** A minute and a half before midnight. */
const EVE = Date.UTC(2026, 0, 31, 23, 58, 30);

describe('TLS results', () => {
  it('46: of a minute are one fact for each policy', async () => {
    await using g = await openTestRecorder();
    const ofHost = { ...WENT_WELL, policyDomain: 'mx.example.org', isHost: true };
    for (let i = 0; i < 3; i++) {
      g.recorder.record(WENT_WRONG);
      g.recorder.record(ofHost);
      await g.pass(GATHERED_MS / 3 - 1);
    }
    assert.deepEqual(await g.streams(), {});
    await g.pass(3);
    assert.deepEqual(await g.streams(), { [JANUARY]: 2 });
    assert.deepEqual(await g.list(), [
      {
        ...WENT_WRONG,
        day: '2026-01-01',
        failures: 3,
        details: [{ ...MISMATCH, sessions: 3 }],
      },
      { ...ofHost, day: '2026-01-01', successes: 3 },
    ]);
  });

  it('are recorded at once for who looks at them, and at the end', async () => {
    await using g = await openTestRecorder();
    g.recorder.record(WENT_WELL);
    assert.equal((await g.list())[0]?.successes, 1);
    g.recorder.record(WENT_WELL);
    await g.restart();
    assert.deepEqual(await g.streams(), { [JANUARY]: 2 });
    assert.equal((await g.list())[0]?.successes, 2);
    assert.equal(g.clock.waiting, 0);
  });

  it('are listed for a domain, or for a day', async () => {
    await using g = await openTestRecorder();
    g.recorder.record(WENT_WELL);
    const host = { ...WENT_WELL, policyDomain: 'mx.example.net', isHost: true };
    g.recorder.record({ ...host, recipientDomain: 'example.com' });
    await g.pass(DAY_MS);
    g.recorder.record(WENT_WELL);
    const days = async (question: object): Promise<readonly string[]> =>
      (await g.list(question)).map(({ day, recipientDomain }) => `${day} ${recipientDomain}`);
    const first = '2026-01-01 example.com';
    assert.deepEqual(await days({ domain: 'mx.example.net' }), [first]);
    assert.deepEqual(await days({ domain: 'example.com' }), [first]);
    assert.deepEqual(await days({ day: '2026-01-01' }), [first, '2026-01-01 example.org']);
    assert.deepEqual(await days({ limit: 1 }), ['2026-01-02 example.org']);
  });
});

describe('the month of a result', () => {
  it('is that of its day, also when it is recorded in the next', async () => {
    await using g = await openTestRecorder(EVE);
    await g.pass(60_000);
    g.recorder.record(WENT_WELL);
    await g.pass(45_000);
    g.recorder.record(WENT_WELL);
    await g.pass(GATHERED_MS);
    assert.deepEqual(await g.streams(), { [JANUARY]: 1, [FEBRUARY]: 1 });
    const days = (await g.list()).map(({ day }) => day);
    assert.deepEqual(days, ['2026-02-01', '2026-01-31']);
  });

  it('is never before the last one', async () => {
    await using g = await openTestRecorder(EVE);
    await g.pass(DAY_MS);
    g.recorder.record(WENT_WELL);
    await g.recorder.flush();
    await using earlier = await openTestRecorder(EVE);
    const [event] = await g.log.read(FEBRUARY, 0, 1);
    assert.ok(event !== undefined);
    await earlier.log.append(FEBRUARY, -1, [event]);
    await earlier.restart();
    earlier.recorder.record(WENT_WELL);
    const days = (await earlier.list()).map(({ day }) => day);
    assert.deepEqual(days, ['2026-02-01', '2026-01-31']);
    assert.deepEqual(await earlier.streams(), { [FEBRUARY]: 2 });
    assert.equal(reportStream('2026-12-31'), 'reports-202612');
  });
});

describe('a log that cannot be written', () => {
  it('has the results tried again', async () => {
    await using g = await openTestRecorder();
    let fails = true;
    g.log.before = () => {
      if (fails) throw new Fault('DiskFull', 'There is no room.');
    };
    g.recorder.record(WENT_WRONG);
    await g.pass(GATHERED_MS);
    g.recorder.record(WENT_WRONG);
    await g.pass(5_000);
    assert.deepEqual([await g.streams(), g.warnings.length], [{}, 2]);
    fails = false;
    await g.pass(5_000);
    assert.deepEqual(await g.streams(), { [JANUARY]: 1 });
    assert.equal((await g.list())[0]?.failures, 2);
  });

  it('has a bounded number of them wait', async () => {
    await using g = await openTestRecorder();
    let fails = true;
    g.log.before = () => {
      if (fails) throw new Fault('DiskFull', 'There is no room.');
    };
    for (let i = 0; i < 5 * WAITING_MAX; i++) {
      g.recorder.record({ ...WENT_WELL, recipientDomain: `a${i}.example` });
      if (i % WAITING_MAX === 0) await g.pass(5_000);
    }
    g.recorder.record({ ...WENT_WELL, recipientDomain: 'a0.example' });
    fails = false;
    const found = await g.list();
    assert.ok(found.length >= WAITING_MAX && found.length <= 2 * WAITING_MAX);
    const sum = found.reduce((total, { successes }) => total + successes, 0);
    const lost = g.warnings.reduce((total, { lost: some = 0 }) => total + Number(some), 0);
    assert.equal(lost + sum, 5 * WAITING_MAX + 1);
    assert.equal(found.find((one) => one.recipientDomain === 'a0.example')?.successes, 2);
  });

  it('of somebody else too is read first', async () => {
    await using g = await openTestRecorder();
    g.recorder.record(WENT_WELL);
    await g.recorder.flush();
    const [event] = await g.log.read(JANUARY, 0, 1);
    assert.ok(event !== undefined);
    await g.log.append(JANUARY, 0, [{ ...event, id: '00000000-0000-4000-8000-000000000001' }]);
    g.recorder.record(WENT_WELL);
    assert.equal((await g.list())[0]?.successes, 3);
  });
});
