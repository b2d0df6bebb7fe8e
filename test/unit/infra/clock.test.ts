/**
 * The clock and chance of the real world, and their stand-ins in tests.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, systemRandom } from '#infra/clock';
import { fakeClock, fakeRandom } from '../../support/clock.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the system clock', () => {
  it('calls back once', async () => {
    const before = systemClock.now();
    await new Promise<void>((resolve) => void systemClock.after(1, resolve));
    assert.ok(systemClock.now() >= before);
  });

  it('takes back a timer, also one longer than the machine can wait', async () => {
    const called: string[] = [];
    const cancelShort = systemClock.after(0, () => called.push('short'));
    const cancelLong = systemClock.after(2 ** 40, () => called.push('long'));
    cancelShort();
    await new Promise<void>((resolve) => void systemClock.after(2, resolve));
    cancelLong();
    assert.deepEqual(called, []);
  });
});

describe('system chance', () => {
  it('gives as many octets as asked for, and UUIDs', () => {
    assert.equal(systemRandom.bytes(18).length, 18);
    assert.notDeepEqual(systemRandom.bytes(18), systemRandom.bytes(18));
    assert.match(systemRandom.uuid(), UUID);
  });
});

describe('the clock of tests', () => {
  it('stands still until told', () => {
    const clock = fakeClock(1000);
    const called: number[] = [];
    clock.after(30, () => called.push(clock.now()));
    clock.after(10, () => {
      called.push(clock.now());
      clock.after(5, () => called.push(clock.now()));
    });
    clock.after(20, () => called.push(-1))();
    assert.deepEqual([clock.now(), clock.waiting, called], [1000, 2, []]);
    clock.advance(29);
    assert.deepEqual([clock.now(), clock.waiting, called], [1029, 1, [1010, 1015]]);
    clock.advance(1);
    assert.deepEqual([clock.waiting, called], [0, [1010, 1015, 1030]]);
  });
});

describe('the chance of tests', () => {
  it('repeats', () => {
    const [a, b, other] = [fakeRandom('a'), fakeRandom('a'), fakeRandom('b')];
    assert.deepEqual(a.bytes(40), b.bytes(40));
    assert.notDeepEqual(b.bytes(40), other.bytes(40));
    assert.equal(a.bytes(40).length, 40);
    assert.equal(a.uuid(), b.uuid());
    assert.match(a.uuid(), UUID);
  });
});
