/**
 * What a set of a command means in one mailbox: `*`, ranges, `$` and numbers → UIDs.
 *
 * The runs are the mailbox as the session was told of it, not as it is.
 *
 * RFC 9051 §9 (sequence-set), §6.4.9; RFC 5182 §2.1 (`$`)
 */

import { BadSyntax } from './parser.ts';
import { STAR, type SequenceSet } from './words.ts';
import type { UidRuns } from '#domain/values/uid-runs';
import {
  highestUid,
  intersectionOf,
  normalUidSet,
  type UidRange,
  type UidSet,
} from '#domain/values/uid-set';

/**
 * The UIDs at a set of sequence numbers. A number that no message has is an error of the client;
 * only a range up to `*` may begin above the last message, which it then means.
 */
export function uidsAtSeqs(set: SequenceSet, runs: UidRuns, saved: UidSet): UidSet {
  if (set.type === 'saved') return intersectionOf(saved, runs.uids);
  if (runs.count === 0) throw new BadSyntax('The mailbox has no messages.');
  const seqs = withStar(set.ranges, runs.count);
  if ((highestUid(seqs) ?? 0) > runs.count) throw new BadSyntax('There is no such message.');
  return runs.uidsAt(seqs);
}

/** Those UIDs of a set that exist; `*` is the highest of them. RFC 9051 §6.4.9 */
export function existingUids(set: SequenceSet, runs: UidRuns, saved: UidSet): UidSet {
  return intersectionOf(rangesUpTo(set, runs.lastUid ?? 0, saved), runs.uids);
}

/** The set with `*` read as `star`, whether or not its members exist. */
export function rangesUpTo(set: SequenceSet, star: number, saved: UidSet): UidSet {
  return set.type === 'saved' ? saved : withStar(set.ranges, star);
}

function withStar(ranges: UidSet, star: number): UidSet {
  const last = ranges.at(-1);
  if (last === undefined || last[1] !== STAR) return ranges;
  // RFC 9051 §9 seq-range: `5:*` with 3 messages is `3:5`; only the 3 is there.
  const tail: UidRange = [Math.min(last[0], star), star];
  return normalUidSet([...ranges.slice(0, -1), tail]);
}
