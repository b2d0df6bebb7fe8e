/**
 * A part of many results: `PARTIAL 1:100`, or `PARTIAL -1:-100` counted from the last.
 *
 * RFC 9394 §3.1 (SEARCH), §3.3 (UID FETCH), §4
 */

import type { UidSet } from '#domain/values/uid-set';
import { UidRuns } from '#domain/values/uid-runs';
import type { Parser } from './parser.ts';
import type { ResultRange } from './words.ts';

/** RFC 9394 §4 partial-range: either both ends have a minus, or none. */
export function resultRange(p: Parser): ResultRange {
  const fromEnd = p.sees('-');
  const first = place(p, fromEnd);
  p.expect(':');
  return { first, last: place(p, fromEnd), fromEnd };
}

function place(p: Parser, fromEnd: boolean): number {
  if (fromEnd) p.expect('-');
  return p.nzNumber();
}

/** As it was asked for. */
export function formatResultRange({ first, last, fromEnd }: ResultRange): string {
  const sign = fromEnd ? '-' : '';
  return `${sign}${first}:${sign}${last}`;
}

/** Which of so many results that are: indices, the second of them excluded; equal for none. */
export function windowOf(
  count: number,
  { first, last, fromEnd }: ResultRange,
): readonly [from: number, to: number] {
  const lowest = Math.min(first, last);
  const highest = Math.max(first, last);
  const from = fromEnd ? Math.max(0, count - highest) : Math.min(count, lowest - 1);
  const to = fromEnd ? Math.max(0, count - lowest + 1) : Math.min(count, highest);
  return [from, to];
}

/** Those members of a set. */
export function membersIn(set: UidSet, range: ResultRange): UidSet {
  const runs = new UidRuns(set);
  const [from, to] = windowOf(runs.count, range);
  return runs.uidsAt([[from + 1, to]]);
}
