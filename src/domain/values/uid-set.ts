/**
 * Sets of UIDs (or sequence numbers) as ranges: union, difference, intersection, iteration.
 *
 * Invariants: ranges ascend, do not overlap and do not touch, so equal sets are equal arrays and
 * the cost of every operation follows the number of ranges, not the number of UIDs.
 *
 * RFC 9051 §9 (sequence-set): the text form, `1:4,9`.
 */

/** First and last member, both included. */
export type UidRange = readonly [first: number, last: number];
export type UidSet = readonly UidRange[];

export const NO_UIDS: UidSet = [];

/** One member for every number of `first` … `last`; empty when `last` is lower. */
export function uidRange(first: number, last: number): UidSet {
  return last < first ? NO_UIDS : [[first, last]];
}

/** The set of the given numbers, in any order, repeats allowed. */
export function uidSetOf(uids: Iterable<number>): UidSet {
  const sorted = Array.from(uids);
  for (let i = 1; i < sorted.length; i++) {
    if ((sorted[i] as number) < (sorted[i - 1] as number)) {
      sorted.sort((a, b) => a - b);
      break;
    }
  }
  const builder = new UidSetBuilder();
  for (const uid of sorted) builder.add(uid);
  return builder.build();
}

/** Collects ascending UIDs (repeats allowed) into a set. */
export class UidSetBuilder {
  readonly #ranges: [number, number][] = [];

  add(uid: number): void {
    this.addRange(uid, uid);
  }

  addRange(first: number, last: number): void {
    const tail = this.#ranges.at(-1);
    if (tail !== undefined && first <= tail[1] + 1) {
      if (last > tail[1]) tail[1] = last;
    } else {
      this.#ranges.push([first, last]);
    }
  }

  build(): UidSet {
    return this.#ranges;
  }
}

/** Ranges in any order, overlapping or not, brought into the normal form. */
export function normalUidSet(ranges: Iterable<UidRange>): UidSet {
  const sorted = Array.from(ranges).sort((a, b) => a[0] - b[0]);
  const builder = new UidSetBuilder();
  for (const [first, last] of sorted) builder.addRange(first, last);
  return builder.build();
}

export function isEmptyUidSet(set: UidSet): boolean {
  return set.length === 0;
}

/** How many members. */
export function uidCount(set: UidSet): number {
  let count = 0;
  for (const [first, last] of set) count += last - first + 1;
  return count;
}

export function lowestUid(set: UidSet): number | undefined {
  return set[0]?.[0];
}

export function highestUid(set: UidSet): number | undefined {
  return set.at(-1)?.[1];
}

export function hasUid(set: UidSet, uid: number): boolean {
  let low = 0;
  let high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last] = set[middle] as UidRange;
    if (uid < first) high = middle - 1;
    else if (uid > last) low = middle + 1;
    else return true;
  }
  return false;
}

export function* uidsOf(set: UidSet): Generator<number> {
  for (const [first, last] of set) for (let uid = first; uid <= last; uid++) yield uid;
}

export function unionOf(a: UidSet, b: UidSet): UidSet {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const builder = new UidSetBuilder();
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && (a[i] as UidRange)[0] <= (b[j] as UidRange)[0]);
    const [first, last] = (takeA ? a[i++] : b[j++]) as UidRange;
    builder.addRange(first, last);
  }
  return builder.build();
}

export function intersectionOf(a: UidSet, b: UidSet): UidSet {
  const ranges: [number, number][] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [aFirst, aLast] = a[i] as UidRange;
    const [bFirst, bLast] = b[j] as UidRange;
    const first = Math.max(aFirst, bFirst);
    const last = Math.min(aLast, bLast);
    if (first <= last) ranges.push([first, last]);
    if (aLast < bLast) i++;
    else j++;
  }
  return ranges;
}

/** The members of `a` that are not in `b`. */
export function differenceOf(a: UidSet, b: UidSet): UidSet {
  if (b.length === 0) return a;
  const ranges: [number, number][] = [];
  let j = 0;
  for (const [first, last] of a) {
    let next = first;
    while (j < b.length && (b[j] as UidRange)[1] < next) j++;
    let k = j;
    while (k < b.length && (b[k] as UidRange)[0] <= last) {
      const [bFirst, bLast] = b[k] as UidRange;
      if (bFirst > next) ranges.push([next, bFirst - 1]);
      next = Math.max(next, bLast + 1);
      k++;
    }
    if (next <= last) ranges.push([next, last]);
  }
  return ranges;
}

export function equalUidSets(a: UidSet, b: UidSet): boolean {
  return (
    a.length === b.length && a.every((range, i) => range[0] === b[i]?.[0] && range[1] === b[i]?.[1])
  );
}

/** `1:4,9`; the empty set is the empty string. */
export function formatUidSet(set: UidSet): string {
  let text = '';
  for (const [first, last] of set) {
    if (text !== '') text += ',';
    text += first === last ? `${first}` : `${first}:${last}`;
  }
  return text;
}

/** Reads what `formatUidSet` wrote; events hold sets in this form. */
export function parseUidSet(text: string): UidSet {
  if (text === '') return NO_UIDS;
  return text.split(',').map((part) => {
    const colon = part.indexOf(':');
    const first = Number(colon < 0 ? part : part.slice(0, colon));
    const last = colon < 0 ? first : Number(part.slice(colon + 1));
    return [first, last];
  });
}

/** The set cut into parts of which each has at most `textMax` characters when formatted. */
export function uidSetParts(set: UidSet, textMax: number): readonly UidSet[] {
  const parts: UidRange[][] = [];
  let part: UidRange[] = [];
  let length = 0;
  for (const range of set) {
    const more = formatUidSet([range]).length + 1;
    if (part.length > 0 && length + more > textMax) {
      parts.push(part);
      part = [];
      length = 0;
    }
    part.push(range);
    length += more;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** `set` cut into sets of at most `size` members, in order. */
export function* chunksOf(set: UidSet, size: number): Generator<UidSet> {
  let chunk: UidRange[] = [];
  let room = size;
  for (const [first, last] of set) {
    for (let from = first; from <= last;) {
      const to = Math.min(last, from + room - 1);
      chunk.push([from, to]);
      room -= to - from + 1;
      from = to + 1;
      if (room === 0) {
        yield chunk;
        chunk = [];
        room = size;
      }
    }
  }
  if (chunk.length > 0) yield chunk;
}
