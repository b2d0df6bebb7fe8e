/**
 * The EventLog port: append with the expected revision, read, follow. Engines live in infra.
 *
 * One append is atomic and durable when its promise resolves. There is no append "at any
 * revision": whoever appends says what they have seen.
 */

import type { Revision } from '../values/ids.ts';
import type { NewEvent, RecordedEvent } from './event.ts';

/** Bounds that every engine keeps, so that a log can move between engines. */
export const APPEND_EVENTS_MAX = 500;
export const APPEND_BYTES_MAX: number = 512 * 1024;
export const EVENT_BYTES_MAX: number = 256 * 1024;

export interface Appended {
  /** Revision of the last event of the append. */
  readonly revision: Revision;
  readonly position: number;
}

export interface EventLog {
  /**
   * Appends all events or none. `expected` is the revision of the stream's last event, −1 for an
   * empty stream.
   * Throws Conflict when the stream is elsewhere (unless the same ids stand there already),
   * AppendTooLarge before anything is written, the Fault StreamDropped for a stream that is no
   * more, other Faults when the outcome is failure or unknown.
   */
  append(stream: string, expected: Revision, events: readonly NewEvent[]): Promise<Appended>;
  /** Up to `limit` events from `from` (included) on, ascending. An unknown stream is empty. */
  read(stream: string, from: Revision, limit: number): Promise<readonly RecordedEvent[]>;
  /** Up to `limit` events after `position`, of the streams that begin with one of the prefixes. */
  readAll(
    after: number,
    limit: number,
    prefixes?: readonly string[],
  ): Promise<readonly RecordedEvent[]>;
  /** Revision of the stream's last event, −1 when it has none; that of a dropped stream stays. */
  head(stream: string): Promise<Revision>;
  /** Every stream that has events, with its head. */
  streams(): Promise<ReadonlyMap<string, Revision>>;
  /**
   * Removes all events of the stream, at once and for good, and tells how many they were. Its name
   * is not used again: whoever still appends is refused. Positions stay as they are, with a gap.
   */
  drop(stream: string): Promise<number>;
  /** Calls `listener` after each durable append, in the order of the log; returns how to stop. */
  follow(listener: (events: readonly RecordedEvent[]) => void): () => void;
  close(): Promise<void>;
}

/** The stream is not at the revision that the append expected; nothing was written. */
export class Conflict extends Error {
  readonly code = 'Conflict';
  readonly stream: string;
  readonly expected: Revision;
  readonly actual: Revision;

  constructor(stream: string, expected: Revision, actual: Revision) {
    super(`stream ${stream} is at revision ${actual}, not ${expected}`);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** More than one append may hold; nothing was written. */
export class AppendTooLarge extends Error {
  readonly code = 'AppendTooLarge';
}
