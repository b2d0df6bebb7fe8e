/**
 * What a reply means for an item: tried again, given up, the address suppressed; and when it is
 * tried again.
 *
 * RFC 5321 §4.5.4.1 asks for growing waits. Chance comes in as a number, so that whoever asks twice
 * with the same one hears the same.
 */

import type { AttemptReply } from './events.ts';

/** Attempts that an item gets before it fails for good, where nothing else is said. */
export const ATTEMPTS_MAX = 8;
/** The sender hears of the delay after this attempt, once. */
export const DELAY_TOLD_AFTER = 5;

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

/** Codes that say of the address that it is no good. */
const NO_SUCH_RECIPIENT: ReadonlySet<number> = new Set([521, 550, 551, 553, 556]);
/** RFC 3463 subject and detail that say so, with any other 5xx. */
const BAD_ADDRESS: ReadonlySet<string> = new Set(['1.1', '1.2', '1.3', '1.6', '2.1', '7.1']);
/** So many failures in a row, and we stop sending there. */
const FAILURES_IN_ROW_MAX = 3;
/** So many are looked for before the one that fails now. */
export const FAILURES_BEFORE_MAX: number = FAILURES_IN_ROW_MAX - 1;

/**
 * Whether an address is not to be written to again after a final failure. `failuresInRow` counts
 * those to exactly this recipient, this one included. Undefined: it may be.
 */
export function suppressionReason(
  reply: AttemptReply,
  failuresInRow: number,
  source: 'queue' | 'DSN',
): string | undefined {
  const { code, enhancedCode } = reply;
  if (code === 0) return undefined;
  const detail = enhancedCode.slice(2);
  if (NO_SUCH_RECIPIENT.has(code) || (code >= 500 && BAD_ADDRESS.has(detail))) {
    return `delivery failure from ${source} with smtp code ${code}, enhanced code "${detail}"`;
  }
  return failuresInRow >= FAILURES_IN_ROW_MAX
    ? `delivery failure from ${source} and three consecutive failures`
    : undefined;
}

/**
 * Whether a refusal stands. A policy refusal (x.7.z) of the first attempt by a host that has
 * addresses of both families may be about the family: then the next attempt takes the other one.
 */
export function isPermanent(reply: AttemptReply, attempt: number, isDualStack: boolean): boolean {
  const isPolicy = reply.enhancedCode.startsWith('5.7.');
  return reply.code >= 500 && !(isPolicy && isDualStack && attempt === 1);
}
