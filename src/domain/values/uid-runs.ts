/**
 * The UIDs of a mailbox in order: which sequence number has which UID, and back.
 *
 * Immutable, so that every session on a mailbox shares one, and remembered one step ahead, so that
 * sessions that hear of the same change arrive at the same next one. Memory and time follow the
 * number of gaps between UIDs, not the number of messages.
 *
 * RFC 9051 §2.3.1.2: sequence numbers are 1 … count, in ascending order of UIDs.
 */

import type { SeqNo, Uid } from './ids.ts';
import {
  differenceOf,
  intersectionOf,
  uidCount,
  UidSetBuilder,
  unionOf,
  type UidRange,
  type UidSet,
} from './uid-set.ts';

export class UidRuns {
  static readonly empty: UidRuns = new UidRuns([]);

  readonly uids: UidSet;
  readonly count: number;
  /** How many UIDs lie before each run. */
  readonly #before: readonly number[];
  #next: { readonly change: UidSet; readonly removal: boolean; readonly runs: UidRuns } | undefined;

  constructor(uids: UidSet) {
    this.uids = uids;
    const before: number[] = [];
    let count = 0;
    for (const [first, last] of uids) {
      before.push(count);
      count += last - first + 1;
    }
    this.#before = before;
    this.count = count;
  }

  /** The UID at a sequence number, undefined outside 1 … count. */
  uidAt(seq: SeqNo): Uid | undefined {
    if (seq < 1 || seq > this.count) return undefined;
    const run = this.#lastRun((_, i) => (this.#before[i] as number) < seq);
    return (this.uids[run] as UidRange)[0] + (seq - 1 - (this.#before[run] as number));
  }

  /** The sequence number of a UID, undefined when the UID is not there. */
  seqOf(uid: Uid): SeqNo | undefined {
    const run = this.#lastRun((range) => range[0] <= uid);
    const range = this.uids[run];
    if (range === undefined || uid > range[1]) return undefined;
    return (this.#before[run] as number) + (uid - range[0]) + 1;
  }

  get lastUid(): Uid | undefined {
    return this.uids.at(-1)?.[1];
  }

  /** The UIDs at a set of sequence numbers; numbers above `count` are ignored. */
  uidsAt(seqs: UidSet): UidSet {
    const builder = new UidSetBuilder();
    for (const [firstSeq, lastSeq] of seqs) {
      let seq = Math.max(firstSeq, 1);
      const end = Math.min(lastSeq, this.count);
      if (seq > end) continue;
      let run = this.#lastRun((_, i) => (this.#before[i] as number) < seq);
      while (seq <= end) {
        const [first, last] = this.uids[run] as UidRange;
        const from = first + (seq - 1 - (this.#before[run] as number));
        const to = Math.min(last, from + (end - seq));
        builder.addRange(from, to);
        seq += to - from + 1;
        run++;
      }
    }
    return builder.build();
  }

  /** The sequence numbers of those of `uids` that are there. */
  seqsOf(uids: UidSet): UidSet {
    const builder = new UidSetBuilder();
    for (const [first, last] of intersectionOf(uids, this.uids)) {
      const seq = this.seqOf(first) as number;
      builder.addRange(seq, seq + (last - first));
    }
    return builder.build();
  }

  /** These and `added`. */
  with(added: UidSet): UidRuns {
    return this.#step(added, false);
  }

  /** These without `removed`. */
  without(removed: UidSet): UidRuns {
    return this.#step(removed, true);
  }

  #step(change: UidSet, removal: boolean): UidRuns {
    const next = this.#next;
    if (next !== undefined && next.change === change && next.removal === removal) return next.runs;
    const uids = removal ? differenceOf(this.uids, change) : unionOf(this.uids, change);
    const runs = uidCount(uids) === this.count ? this : new UidRuns(uids);
    this.#next = { change, removal, runs };
    return runs;
  }

  /** Index of the last run for which `holds` is true; −1 for none. `holds` must not rise again. */
  #lastRun(holds: (range: UidRange, i: number) => boolean): number {
    let low = 0;
    let high = this.uids.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (holds(this.uids[middle] as UidRange, middle)) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }
}
