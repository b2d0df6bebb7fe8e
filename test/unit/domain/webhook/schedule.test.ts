/** When webhooks are tried again. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOOK_ATTEMPTS_MAX, hookWaitMs } from '#domain/webhook/schedule';

const MINUTE = 60_000;

describe('the waits between attempts', () => {
  it('grow from a minute to sixteen hours, over about 32 hours (webapi 36)', () => {
    const attempts = Array.from({ length: HOOK_ATTEMPTS_MAX - 1 }, (_, i) => i + 1);
    const waits = attempts.map((attempt) => hookWaitMs(attempt, 0.5) / MINUTE);
    assert.deepEqual(waits, [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960]);
    assert.equal(Math.round(waits.reduce((sum, wait) => sum + wait, 0) / 60), 32);
  });

  it('differ by one part in a hundred at the most (webapi 36)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, draw) => {
          const [middle, wait] = [hookWaitMs(n, 0.5), hookWaitMs(n, draw)];
          assert.ok(Math.abs(wait - middle) <= middle / 100 + 1);
          assert.ok(Number.isInteger(wait));
        },
      ),
      { numRuns: 200, seed: 20_261_105 },
    );
  });

  it('behind the last attempt are as long as the last one', () => {
    assert.equal(hookWaitMs(12, 0.5), 960 * MINUTE);
    assert.equal(hookWaitMs(13, 0), hookWaitMs(11, 0));
  });
});
