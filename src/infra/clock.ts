/**
 * Time, timers and chance of the real world: the only source of each.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Random } from '#protocols/ports';

/** What one timer of the machine can wait for; longer waits are cut into pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after,
};

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
};

function after(ms: number, callback: () => void): () => void {
  if (ms === 0) {
    // What gives way for a moment need not wait for the next millisecond.
    const next = setImmediate(callback);
    return () => clearImmediate(next);
  }
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    const piece = Math.min(left, TIMER_MS_MAX);
    timer = setTimeout(() => (left > piece ? wait(left - piece) : callback()), piece);
  };
  wait(ms);
  return () => clearTimeout(timer);
}
