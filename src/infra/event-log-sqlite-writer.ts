/**
 * Writes groups of appends into the embedded log, each group as one transaction with one fsync, and
 * drops streams among them.
 *
 * Invariants: every append is checked against the revisions before anything of it is written; what
 * a group changed is learnt only after its commit, so a failed group leaves no trace; only one
 * writer exists per file. A repeat (the same ids at the expected revisions) is answered like the
 * first time, however long ago that was.
 */

import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { commitHash, eventDigest } from './event-digest.ts';
import type { LogHead } from './event-log-sqlite-verify.ts';
import { EVENT_COLUMNS, type EventRow, LogNames } from './event-log-sqlite-schema.ts';
import type { AppendText, EventText } from './event-text.ts';

const GROUP_EVENTS_MAX = 1000;
const GROUP_BYTES_MAX: number = 4 * 1024 * 1024;
/** Events of a dropped stream that are in memory at a time. */
const DROP_PAGE = 1000;

/** A stream to be dropped. */
export interface DropText {
  readonly drop: string;
}

export type Write = AppendText | DropText;

export type WriteOutcome =
  | { readonly type: 'appended'; readonly revision: number; readonly position: number }
  | { readonly type: 'repeated'; readonly revision: number; readonly position: number }
  | { readonly type: 'conflict'; readonly actual: number }
  /** The stream of an append was dropped. */
  | { readonly type: 'refused' }
  | { readonly type: 'dropped'; readonly events: number }
  | { readonly type: 'failed'; readonly code: 'LogUnavailable' | 'DiskFull'; readonly why: string };

export interface GroupOutcome {
  readonly outcomes: readonly WriteOutcome[];
  /** Why the log can no longer be trusted to write; the process must start again. */
  readonly fatal: string | undefined;
}

/** Takes from the front of the queue what goes into one transaction: one write at least. */
export function takeGroup(queue: Write[]): Write[] {
  let count = 0;
  let events = 0;
  let bytes = 0;
  for (const write of queue) {
    if ('events' in write) {
      events += write.events.length;
      bytes += write.bytes;
    }
    if (count > 0 && (events > GROUP_EVENTS_MAX || bytes > GROUP_BYTES_MAX)) break;
    count++;
  }
  return queue.splice(0, count);
}

interface StreamPlace {
  readonly id: number;
  /** Revision of the last event. */
  readonly head: number;
  readonly isDropped: 0 | 1;
}

/** What one transaction has changed so far. */
interface Turn {
  readonly streams: Map<string, StreamPlace>;
  readonly types: Map<string, number>;
  readonly digests: Buffer[];
  position: number;
}

export class LogWriter {
  readonly #db: Database.Database;
  readonly #sql: ReturnType<typeof statements>;
  readonly #names: LogNames;
  readonly #streams = new Map<string, StreamPlace>();
  readonly #types = new Map<string, number>();
  #head: LogHead;

  constructor(db: Database.Database, head: LogHead) {
    this.#db = db;
    this.#sql = statements(db);
    this.#names = new LogNames(db);
    this.#head = head;
  }

  /** Durable when it returns; outcomes in the order of the group. */
  commit(group: readonly Write[]): GroupOutcome {
    const turn: Turn = {
      streams: new Map(),
      types: new Map(),
      digests: [],
      position: this.#head.position,
    };
    try {
      this.#sql.begin.run();
      const outcomes = group.map((write) =>
        'drop' in write ? this.#drop(write.drop, turn) : this.#append(write, turn),
      );
      const hash = commitHash(this.#head.hash, turn.digests);
      if (turn.digests.length > 0) this.#sql.insertCommit.run(turn.position, hash);
      this.#sql.commit.run();
      if (turn.digests.length > 0) this.#head = { position: turn.position, hash };
      for (const [name, place] of turn.streams) this.#streams.set(name, place);
      for (const [name, id] of turn.types) this.#types.set(name, id);
      return { outcomes, fatal: undefined };
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      return this.#failed(group, error);
    }
  }

  #append(append: AppendText, turn: Turn): WriteOutcome {
    const { stream, expected, events } = append;
    const place = this.#place(stream, turn);
    if (place?.isDropped === 1) return { type: 'refused' };
    const actual = place?.head ?? -1;
    if (actual > expected && place !== undefined) {
      return this.#repeated(append, place) ?? { type: 'conflict', actual };
    }
    if (actual !== expected) return { type: 'conflict', actual };
    const id = place?.id ?? Number(this.#sql.insertStream.run(stream).lastInsertRowid);
    let revision = actual;
    for (const event of events) {
      revision++;
      turn.position++;
      this.#insert(event, id, stream, revision, turn);
    }
    turn.streams.set(stream, { id, head: revision, isDropped: 0 });
    return { type: 'appended', revision, position: turn.position };
  }

  /** Digests stay behind: the chain goes on over what is no more. */
  #drop(stream: string, turn: Turn): WriteOutcome {
    const place = this.#place(stream, turn);
    if (place === undefined || place.isDropped === 1) return { type: 'dropped', events: 0 };
    let events = 0;
    for (let from = 0; from <= place.head;) {
      const rows = this.#sql.ofStream.all(place.id, from, DROP_PAGE);
      for (const row of rows) this.#sql.insertPruned.run(row[0], this.#digestOf(stream, row));
      from = (rows.at(-1)?.[2] ?? place.head) + 1;
      events += this.#sql.removeTo.run(place.id, from).changes;
    }
    this.#sql.raiseFirst.run(place.head + 1, place.id);
    turn.streams.set(stream, { ...place, isDropped: 1 });
    return { type: 'dropped', events };
  }

  #digestOf(stream: string, row: EventRow): Buffer {
    const [position, , revision, typeId, at, id, data, meta] = row;
    const known = this.#names.type(typeId);
    assert(known !== undefined, `event ${position} has no type`);
    const { name: type, version } = known;
    return eventDigest({ position, stream, revision, type, version, at, id, data, meta });
  }

  #insert(event: EventText, streamId: number, stream: string, revision: number, turn: Turn): void {
    const { id, type, version, at, data, meta } = event;
    const { position } = turn;
    const typeId = this.#typeId(type, version, turn);
    this.#sql.insertEvent.run(position, streamId, revision, typeId, at, id, data, meta);
    turn.digests.push(
      eventDigest({ position, stream, revision, type, version, at, id, data, meta }),
    );
  }

  #place(stream: string, turn: Turn): StreamPlace | undefined {
    const known = turn.streams.get(stream) ?? this.#streams.get(stream);
    if (known !== undefined) return known;
    const found = this.#sql.stream.get(stream);
    if (found !== undefined) this.#streams.set(stream, found);
    return found;
  }

  #typeId(name: string, version: number, turn: Turn): number {
    const key = `${name}/${version}`;
    const known = turn.types.get(key) ?? this.#types.get(key);
    if (known !== undefined) return known;
    const id =
      this.#sql.type.get(name, version) ??
      Number(this.#sql.insertType.run(name, version).lastInsertRowid);
    turn.types.set(key, id);
    return id;
  }

  #repeated({ expected, events }: AppendText, place: StreamPlace): WriteOutcome | undefined {
    const there = this.#sql.ids.all(place.id, expected + 1, expected + events.length);
    const last = there.at(-1);
    const same =
      there.length === events.length && there.every(({ id }, index) => id === events[index]?.id);
    return same && last !== undefined
      ? { type: 'repeated', revision: expected + events.length, position: last.pos }
      : undefined;
  }

  #failed(group: readonly Write[], error: { code: string; message: string }): GroupOutcome {
    if (this.#db.inTransaction) this.#sql.rollback.run();
    const code = error.code.startsWith('SQLITE_FULL') ? 'DiskFull' : 'LogUnavailable';
    const why = `${error.message} (${error.code})`;
    return {
      outcomes: group.map(() => ({ type: 'failed', code, why })),
      fatal: isFatal(error.code) ? why : undefined,
    };
  }
}

/**
 * After a failed fsync nobody knows what the disk holds; a constraint is broken only when somebody
 * else wrote. Both are cured by starting again from what is really there.
 */
function isFatal(code: string): boolean {
  return [
    'SQLITE_IOERR_FSYNC',
    'SQLITE_IOERR_DIR_FSYNC',
    'SQLITE_CONSTRAINT',
    'SQLITE_CORRUPT',
  ].some((prefix) => code.startsWith(prefix));
}

function statements(db: Database.Database) {
  return {
    begin: db.prepare<[]>('BEGIN IMMEDIATE'),
    commit: db.prepare<[]>('COMMIT'),
    rollback: db.prepare<[]>('ROLLBACK'),
    stream: db.prepare<[string], StreamPlace>(
      `SELECT id, coalesce(last, first_rev - 1) AS head, last IS NULL AND first_rev > 0 AS isDropped
       FROM (SELECT id, first_rev, (SELECT max(rev) FROM events WHERE stream = streams.id) AS last
             FROM streams WHERE name = ?)`,
    ),
    insertStream: db.prepare<[string]>('INSERT INTO streams (name) VALUES (?)'),
    type: db
      .prepare<[string, number], number>('SELECT id FROM types WHERE name = ? AND version = ?')
      .pluck(),
    insertType: db.prepare<[string, number]>('INSERT INTO types (name, version) VALUES (?, ?)'),
    insertEvent: db.prepare<[number, number, number, number, number, string, string, string]>(
      'INSERT INTO events VALUES (?, ?, ?, ?, ?, unhex(?), ?, ?)',
    ),
    insertCommit: db.prepare<[number, Buffer]>('INSERT INTO commits VALUES (?, ?)'),
    ofStream: db
      .prepare<[number, number, number], EventRow>(
        `SELECT ${EVENT_COLUMNS} FROM events WHERE stream = ? AND rev >= ? ORDER BY rev LIMIT ?`,
      )
      .raw(),
    insertPruned: db.prepare<[number, Buffer]>('INSERT INTO pruned VALUES (?, ?)'),
    removeTo: db.prepare<[number, number]>('DELETE FROM events WHERE stream = ? AND rev < ?'),
    raiseFirst: db.prepare<[number, number]>('UPDATE streams SET first_rev = ? WHERE id = ?'),
    ids: db.prepare<[number, number, number], { pos: number; id: string }>(
      `SELECT pos, lower(hex(id)) AS id FROM events
       WHERE stream = ? AND rev BETWEEN ? AND ? ORDER BY rev`,
    ),
  };
}
