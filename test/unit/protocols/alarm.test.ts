/** A timer that follows what it waits for, also when the clock is put forward meanwhile. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeClock } from '../../support/clock.ts';
import { Alarm } from '#protocols/alarm';

const HOUR = 3_600_000;

it('notices within a minute that the clock was put forward', () => {
  const clock = fakeClock();
  let forward = 0;
  const now = (): number => clock.now() + forward;
  const dueAt = now() + 2 * HOUR;
  const rung: boolean[] = [];
  const alarm: Alarm = new Alarm({ ...clock, now }, () => {
    rung.push(now() >= dueAt);
    if (now() < dueAt) alarm.set(dueAt, now());
  });
  alarm.set(dueAt, now());
  clock.advance(30_000);
  // The machine slept: its timers did so too.
  forward = 8 * HOUR;
  clock.advance(60_000);
  assert.equal(rung.at(-1), true);
});

it('rings no more once it is cancelled, or set anew without a time', () => {
  const clock = fakeClock();
  let rung = 0;
  const alarm = new Alarm(clock, () => rung++);
  alarm.set(clock.now() + 1, clock.now());
  alarm.cancel();
  alarm.set(clock.now() + 1, clock.now());
  alarm.set(undefined, clock.now());
  clock.advance(HOUR);
  assert.equal(rung, 0);
  assert.equal(clock.waiting, 0);
});
