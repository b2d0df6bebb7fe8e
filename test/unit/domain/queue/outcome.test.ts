/** When a message is tried again. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ATTEMPTS_MAX, doublingSchedule, fixedSchedule } from '#domain/queue/outcome';

const MINUTE = 60_000;

describe('the doubling schedule', () => {
  it('waits 7½ minutes after the first attempt and twice as long after each further one', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((attempt) => doublingSchedule(attempt, 0.5));
    assert.deepEqual(
      waits,
      [7.5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE),
    );
    assert.equal(ATTEMPTS_MAX, 8);
  });

  it('draws the base between 445 and 454 seconds', () => {
    assert.equal(doublingSchedule(1, 0), 445_000);
    assert.equal(doublingSchedule(1, 0.999), 454_000);
  });
});

describe('a fixed schedule', () => {
  it('repeats its last wait', () => {
    const schedule = fixedSchedule([1000, 2000, 5000]);
    assert.deepEqual(
      [1, 2, 3, 4, 9].map((attempt) => schedule(attempt, 0.3)),
      [1000, 2000, 5000, 5000, 5000],
    );
  });
});
