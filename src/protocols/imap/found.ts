/**
 * What a search has found, in the order in which it is told: by number for SEARCH, as asked for
 * SORT; and the ESEARCH line that tells it.
 *
 * RFC 4731 (ESEARCH), RFC 5182 (SAVE), RFC 5267 §3 (ESORT), RFC 9394 §3 (PARTIAL)
 */

import type { Uid } from '#domain/values/ids';
import { formatUidSet, uidSetOf, unionOf, type UidSet } from '#domain/values/uid-set';
import { UidRuns } from '#domain/values/uid-runs';
import { formatResultRange, windowOf } from './partial.ts';
import type { ReturnWords } from './words.ts';

export interface Found {
  readonly count: number;
  /** The messages at the places from … to, the second excluded. */
  uids(from: number, to: number): UidSet;
  /** The same as RFC 9051 §9 sequence-set, in their order, as numbers of the client. */
  text(from: number, to: number): string;
}

/** What the client calls messages. */
export interface Numbering {
  readonly one: (uid: Uid) => number;
  readonly set: (uids: UidSet) => UidSet;
}

/** UIDs, or the sequence numbers of the messages that the client knows. */
export function numberingOf(byUid: boolean, told: UidRuns): Numbering {
  if (byUid) return { one: (uid) => uid, set: (uids) => uids };
  return { one: (uid) => told.seqOf(uid) ?? 0, set: (uids) => told.seqsOf(uids) };
}

/** In the order of the mailbox. */
export function foundSet(found: UidSet, numbers: Numbering): Found {
  const runs = new UidRuns(found);
  const uids = (from: number, to: number): UidSet => runs.uidsAt([[from + 1, to]]);
  return {
    count: runs.count,
    uids,
    text: (from, to) => formatUidSet(numbers.set(uids(from, to))),
  };
}

/** In the order given. */
export function foundList(found: readonly Uid[], numbers: Numbering): Found {
  return {
    count: found.length,
    uids: (from, to) => uidSetOf(found.slice(from, to)),
    text: (from, to) => formatInOrder(found, from, to, numbers),
  };
}

/** RFC 5267 §3.2: a range stands for numbers that rise one by one. */
function formatInOrder(
  found: readonly Uid[],
  from: number,
  to: number,
  { one }: Numbering,
): string {
  let text = '';
  for (let at = from; at < to;) {
    const first = one(found[at] as Uid);
    let last = first;
    for (at++; at < to && one(found[at] as Uid) === last + 1; at++) last++;
    if (text !== '') text += ',';
    text += first === last ? `${first}` : `${first}:${last}`;
  }
  return text;
}

/**
 * The messages that the options tell of: all with ALL, COUNT or none of them, else those of MIN,
 * MAX and PARTIAL. These are what is saved, and whose modseq counts. RFC 4731 §3.2, RFC 5182 §2.4,
 * RFC 9394 §3.2
 */
export function toldOf(found: Found, { returns, partial }: ReturnWords): UidSet {
  const parts: UidSet[] = [];
  if (returns?.has('MIN') === true) parts.push(found.uids(0, 1));
  if (returns?.has('MAX') === true) parts.push(found.uids(found.count - 1, found.count));
  if (partial !== undefined) parts.push(found.uids(...windowOf(found.count, partial)));
  const isAll = returns?.has('ALL') === true || returns?.has('COUNT') === true;
  return isAll || parts.length === 0 ? found.uids(0, found.count) : parts.reduce(unionOf);
}

/** ` MIN 1 COUNT 4`, as far as it is asked for. */
export function returnsText(found: Found, { returns, partial }: ReturnWords): string {
  const { count } = found;
  let text = '';
  if (count > 0) {
    if (returns?.has('MIN') === true) text += ` MIN ${found.text(0, 1)}`;
    if (returns?.has('MAX') === true) text += ` MAX ${found.text(count - 1, count)}`;
    if (returns?.has('ALL') === true) text += ` ALL ${found.text(0, count)}`;
  }
  if (partial !== undefined) {
    const window = found.text(...windowOf(count, partial));
    // RFC 9394 §3.1: where nothing is, NIL.
    text += ` PARTIAL (${formatResultRange(partial)} ${window === '' ? 'NIL' : window})`;
  }
  if (returns?.has('COUNT') === true) text += ` COUNT ${count}`;
  return text;
}
