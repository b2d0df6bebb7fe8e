/**
 * Reads the embedded log through a connection of its own, which sees everything committed.
 *
 * Reads fetch pages and end their transaction with each: a reader that stays open would keep the
 * WAL from being used again.
 */

import type Database from 'better-sqlite3';
import { setImmediate as pause } from 'node:timers/promises';
import assert from 'node:assert/strict';
import type { RecordedEvent } from '#domain/log/event';
import { currentVersion, upcast, type Upcasts } from '#domain/log/upcast';
import { Fault } from '#domain/values/fault';
import {
  EVENT_COLUMNS,
  type EventRow,
  type EventType,
  LogNames,
  logFault,
  openLogForReading,
  refusal,
} from './event-log-sqlite-schema.ts';
import { recordedEvent } from './event-text.ts';

/** How many positions one look for rare streams passes before others may go on. */
const SLICE_POSITIONS = 10_000;

const LAST = '(SELECT max(rev) FROM events WHERE stream = streams.id)';

export class LogReader {
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #upcasts: Upcasts;
  readonly #names: LogNames;
  readonly #sql: ReturnType<typeof statements>;

  constructor(file: string, upcasts: Upcasts) {
    this.#file = file;
    this.#upcasts = upcasts;
    this.#db = openLogForReading(file);
    this.#names = new LogNames(this.#db);
    this.#sql = statements(this.#db);
  }

  /** A log of a newer release holds facts that this one would misread. */
  requireKnownVersions(): void {
    for (const { name, version } of this.#asked(() => this.#sql.types.all())) {
      if (version <= currentVersion(name, this.#upcasts)) continue;
      throw refusal(
        `The event log ${this.#file} was written by a newer release (${name} ${version}).`,
      );
    }
  }

  read(stream: string, from: number, limit: number): readonly RecordedEvent[] {
    return this.#asked(() =>
      this.#sql.ofStream.all(stream, Math.max(0, from), Math.max(0, limit)).map(this.#event),
    );
  }

  async readAll(
    after: number,
    limit: number,
    prefixes?: readonly string[],
  ): Promise<readonly RecordedEvent[]> {
    const most = Math.max(0, limit);
    if (prefixes === undefined) {
      return this.#asked(() => this.#sql.all.all(after, most).map(this.#event));
    }
    const sought = JSON.stringify(this.#asked(() => this.#streamsWith(prefixes)));
    const end = this.lastPosition();
    const found: RecordedEvent[] = [];
    for (let from = Math.max(0, after); from < end && found.length < most;) {
      const to = Math.min(end, from + SLICE_POSITIONS);
      const room = most - found.length;
      const rows = this.#asked(() => this.#sql.ofStreams.all(from, to, sought, room));
      for (const row of rows) found.push(this.#event(row));
      from = to;
      if (from < end && found.length < most) await pause();
    }
    return found;
  }

  /** Position of the newest event, 0 for an empty log. */
  lastPosition(): number {
    return this.#asked(() => this.#sql.lastPosition.get()) ?? 0;
  }

  head(stream: string): number {
    return this.#asked(() => this.#sql.head.get(stream)) ?? -1;
  }

  streams(): ReadonlyMap<string, number> {
    return new Map(this.#asked(() => this.#sql.heads.all()));
  }

  close(): void {
    this.#db.close();
  }

  #streamsWith(prefixes: readonly string[]): number[] {
    return this.#sql.streams
      .all()
      .filter(([, name]) => prefixes.some((prefix) => name.startsWith(prefix)))
      .map(([id]) => id);
  }

  #event = (row: EventRow): RecordedEvent => {
    const [position, streamId, revision, typeId, at, id, data, meta] = row;
    const stream = this.#names.stream(streamId);
    const type = this.#names.type(typeId);
    assert(stream !== undefined && type !== undefined, `event ${position} has no stream or type`);
    const text = { id, type: type.name, version: type.version, at, data, meta };
    return upcast(recordedEvent(text, stream, revision, position), this.#upcasts);
  };

  #asked<T>(query: () => T): T {
    if (!this.#db.open) throw new Fault('Closing', 'The event log is closed.');
    try {
      return query();
    } catch (error) {
      throw logFault(this.#file, error);
    }
  }
}

function statements(db: Database.Database) {
  return {
    ofStream: db
      .prepare<[string, number, number], EventRow>(
        `SELECT ${EVENT_COLUMNS} FROM events
         WHERE stream = (SELECT id FROM streams WHERE name = ?) AND rev >= ?
         ORDER BY rev LIMIT ?`,
      )
      .raw(),
    all: db
      .prepare<[number, number], EventRow>(
        `SELECT ${EVENT_COLUMNS} FROM events WHERE pos > ? ORDER BY pos LIMIT ?`,
      )
      .raw(),
    ofStreams: db
      .prepare<[number, number, string, number], EventRow>(
        `SELECT ${EVENT_COLUMNS} FROM events WHERE pos > ? AND pos <= ?
         AND +stream IN (SELECT value FROM json_each(?)) ORDER BY pos LIMIT ?`,
      )
      .raw(),
    lastPosition: db.prepare<[], number | null>('SELECT max(pos) FROM events').pluck(),
    head: db
      .prepare<[string], number>(
        `SELECT coalesce(${LAST}, first_rev - 1) FROM streams WHERE name = ?`,
      )
      .pluck(),
    heads: db
      .prepare<[], [string, number]>(
        `SELECT name, ${LAST} AS head FROM streams WHERE head IS NOT NULL`,
      )
      .raw(),
    streams: db.prepare<[], [number, string]>('SELECT id, name FROM streams').raw(),
    types: db.prepare<[], EventType>('SELECT name, version FROM types'),
  };
}
