/**
 * When a message is tried again, and when we give up.
 *
 * RFC 5321 §4.5.4.1 asks for growing waits. Chance comes in as a number, so that whoever asks twice
 * with the same one hears the same.
 */

/** Attempts that an item gets before it fails for good. */
export const ATTEMPTS_MAX = 8;

/**
 * Milliseconds to wait after an attempt (counted from 1). `draw` is 0 … 1 (excluded) and spreads
 * messages that failed together.
 */
export type RetrySchedule = (attempt: number, draw: number) => number;

/** 7½ minutes, doubled after each attempt; the base is drawn between 445 and 454 seconds. */
export const doublingSchedule: RetrySchedule = (attempt, draw) =>
  (445 + Math.floor(draw * 10)) * 1000 * 2 ** (attempt - 1);

/** The given waits one after the other, the last one repeated; no chance in it. */
export function fixedSchedule(waitsMs: readonly [number, ...number[]]): RetrySchedule {
  const last = waitsMs.at(-1) ?? waitsMs[0];
  return (attempt) => waitsMs[attempt - 1] ?? last;
}
