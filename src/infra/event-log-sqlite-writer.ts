/**
 * Writes groups of appends into the embedded log, each group as one transaction with one fsync.
 *
 * Invariants: every append is checked against the revisions before anything of it is written; what
 * a group changed is learnt only after its commit, so a failed group leaves no trace; only one
 * writer exists per file. A repeat (the same ids at the expected revisions) is answered like the
 * first time, however long ago that was.
 */

import Database from 'better-sqlite3';
import { commitHash, eventDigest } from './event-digest.ts';
import type { LogHead } from './event-log-sqlite-verify.ts';
import type { AppendText, EventText } from './event-text.ts';

const GROUP_EVENTS_MAX = 1000;
const GROUP_BYTES_MAX: number = 4 * 1024 * 1024;

export type AppendOutcome =
  | { readonly type: 'appended'; readonly revision: number; readonly position: number }
  | { readonly type: 'repeated'; readonly revision: number; readonly position: number }
  | { readonly type: 'conflict'; readonly actual: number }
  | { readonly type: 'failed'; readonly code: 'LogUnavailable' | 'DiskFull'; readonly why: string };

export interface GroupOutcome {
  readonly outcomes: readonly AppendOutcome[];
  /** Why the log can no longer be trusted to write; the process must start again. */
  readonly fatal: string | undefined;
}

/** Takes from the front of the queue what goes into one transaction: one append at least. */
export function takeGroup(queue: AppendText[]): AppendText[] {
  let count = 0;
  let events = 0;
  let bytes = 0;
  for (const append of queue) {
    events += append.events.length;
    bytes += append.bytes;
    if (count > 0 && (events > GROUP_EVENTS_MAX || bytes > GROUP_BYTES_MAX)) break;
    count++;
  }
  return queue.splice(0, count);
}

interface StreamPlace {
  readonly id: number;
  /** Revision of the last event. */
  readonly head: number;
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
  readonly #streams = new Map<string, StreamPlace>();
  readonly #types = new Map<string, number>();
  #head: LogHead;

  constructor(db: Database.Database, head: LogHead) {
    this.#db = db;
    this.#sql = statements(db);
    this.#head = head;
  }

  /** Durable when it returns; outcomes in the order of the appends. */
  commit(group: readonly AppendText[]): GroupOutcome {
    const turn: Turn = {
      streams: new Map(),
      types: new Map(),
      digests: [],
      position: this.#head.position,
    };
    try {
      this.#sql.begin.run();
      const outcomes = group.map((append) => this.#append(append, turn));
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

  #append(append: AppendText, turn: Turn): AppendOutcome {
    const { stream, expected, events } = append;
    const place = this.#place(stream, turn);
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
    turn.streams.set(stream, { id, head: revision });
    return { type: 'appended', revision, position: turn.position };
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

  #repeated({ expected, events }: AppendText, place: StreamPlace): AppendOutcome | undefined {
    const there = this.#sql.ids.all(place.id, expected + 1, expected + events.length);
    const last = there.at(-1);
    const same =
      there.length === events.length && there.every(({ id }, index) => id === events[index]?.id);
    return same && last !== undefined
      ? { type: 'repeated', revision: expected + events.length, position: last.pos }
      : undefined;
  }

  #failed(group: readonly AppendText[], error: { code: string; message: string }): GroupOutcome {
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
      `SELECT id, coalesce((SELECT max(rev) FROM events WHERE stream = streams.id), first_rev - 1)
       AS head FROM streams WHERE name = ?`,
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
    ids: db.prepare<[number, number, number], { pos: number; id: string }>(
      `SELECT pos, lower(hex(id)) AS id FROM events
       WHERE stream = ? AND rev BETWEEN ? AND ? ORDER BY rev`,
    ),
  };
}
