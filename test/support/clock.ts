/**
 * A clock that moves only when told, and chance that repeats: the ports of a test.
 */

import { createHash } from 'node:crypto';
import type { Clock, Random } from '#protocols/ports';

export interface FakeClock extends Clock {
  /** Moves time on and calls back whatever came due, in order of time. */
  advance(ms: number): void;
  /** How many timers still wait. */
  readonly waiting: number;
}

/** Starts on 2026-01-01 unless told otherwise. */
export function fakeClock(startAt: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startAt;
  let made = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  const nextDue = (until: number): number | undefined => {
    let due: number | undefined;
    let dueAt = Infinity;
    for (const [id, { at }] of timers) {
      if (at <= until && at < dueAt) [due, dueAt] = [id, at];
    }
    return due;
  };
  return {
    now: () => now,
    after(ms, callback) {
      const id = made++;
      timers.set(id, { at: now + Math.max(ms, 0), callback });
      return () => void timers.delete(id);
    },
    advance(ms) {
      const until = now + ms;
      for (let id = nextDue(until); id !== undefined; id = nextDue(until)) {
        const timer = timers.get(id);
        timers.delete(id);
        now = Math.max(now, timer?.at ?? now);
        timer?.callback();
      }
      now = until;
    },
    get waiting() {
      return timers.size;
    },
  };
}

/** The same octets for the same seed, in the same order of asking. */
export function fakeRandom(seed = 'daybook'): Random {
  let asked = 0;
  const block = (): Buffer => createHash('sha256').update(`${seed} ${asked++}`).digest();
  const bytes = (count: number): Buffer => {
    const blocks: Buffer[] = [];
    for (let length = 0; length < count; length += 32) blocks.push(block());
    return Buffer.concat(blocks).subarray(0, count);
  };
  return {
    bytes,
    uuid() {
      const hex = bytes(16).toString('hex');
      const variant = '89ab'[parseInt(hex.slice(16, 17), 16) & 3];
      const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
      return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20)].join('-');
    },
  };
}
