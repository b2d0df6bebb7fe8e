/**
 * When a webhook is tried again: twelve attempts over about 32 hours.
 *
 * Chance comes in as a number, so that whoever asks twice with the same one hears the same.
 */

export const HOOK_ATTEMPTS_MAX = 12;

const MINUTE_MS = 60_000;
const HOUR_MS: number = 60 * MINUTE_MS;

/** Behind each attempt but the last one. */
const WAITS_MS: readonly number[] = [
  ...[1, 2, 4, 7.5, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 4, 8, 16].map((hours) => hours * HOUR_MS),
];

/** Waits are up to so much shorter or longer. */
const JITTER = 0.01;

/**
 * Milliseconds from the begin of an attempt (counted from 1) to the next one; `draw` is 0 … 1. One
 * that follows the last attempt, because that was interrupted, waits as long as the last one did.
 */
export function hookWaitMs(attempt: number, draw: number): number {
  const waitMs = WAITS_MS[attempt - 1] ?? WAITS_MS.at(-1) ?? HOUR_MS;
  return Math.round(waitMs * (1 - JITTER + 2 * JITTER * draw));
}
