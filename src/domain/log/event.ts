/**
 * The envelope of an event: what the log keeps around a fact.
 *
 * Invariants: an event never changes; within a stream revisions are 0, 1, 2, … without gaps; `at`
 * is the clock of whoever decided and is what views store.
 */

import type { Instant, Revision } from '../values/ids.ts';

/** Who made it happen, from where, and how to find it in the logs. */
export interface Cause {
  /** Protocol and login (`imap:daybook@localhost`), or `system:<part>`. */
  readonly actor: string;
  /** Remote address, where there is one. */
  readonly ip?: string;
  /** Connection or task id, as printed in the logs. */
  readonly cid?: string;
}

/** A fact before it has a place in a stream. Plain JSON: no bigint, no undefined, no Date. */
export interface NewEvent {
  /** UUID; a repeat of the same ids at the same expected revision is recognised as such. */
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly at: Instant;
  readonly data: object;
  readonly cause: Cause;
}

/** A fact in its place. */
export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: Revision;
  /** Place in the order of the whole log; opaque but for comparison, rising, with gaps. */
  readonly position: number;
}
