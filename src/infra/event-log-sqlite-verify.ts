/**
 * Checks the embedded log against its hash chain and its own order.
 *
 * `requireSoundHead` is what every opening can afford: the last commit. `verifyLog` walks through
 * everything, in pages with pauses, and reports the first damage. The chain tells which commit is
 * damaged; what is missing or out of order is told to the event. A log that lost its newest
 * commits whole is sound in itself: compare the hash of its head with one kept elsewhere.
 */

import type Database from 'better-sqlite3';
import { setImmediate as pause } from 'node:timers/promises';
import { chainStart, commitHash, eventDigest, type DigestedEvent } from './event-digest.ts';
import {
  EVENT_COLUMNS,
  type EventRow,
  LogNames,
  logFault,
  openLogForReading,
  refusal,
} from './event-log-sqlite-schema.ts';

const PAGE_ROWS = 1000;

export type LogVerdict =
  | {
      readonly type: 'sound';
      readonly events: number;
      /** Position and hash of the last commit, worth keeping elsewhere; 0 for an empty log. */
      readonly position: number;
      readonly hash: string;
    }
  | {
      readonly type: 'damaged';
      /** The first event that is not as it was written, or the first of its commit; 0: unknown. */
      readonly position: number;
      readonly reason: string;
    };

export interface LogHead {
  readonly position: number;
  readonly hash: Buffer;
}

interface Commit {
  readonly last_pos: number;
  readonly hash: Buffer;
}

/** What stands at a position: an event, or what its removal left. */
export type LogPiece =
  | (DigestedEvent & { readonly removed?: undefined })
  | { readonly position: number; readonly removed: Buffer };

/** What was written in one go, and the hash behind it. */
export interface LogCommit {
  readonly head: LogHead;
  readonly pieces: readonly LogPiece[];
}

/** Something is not as it was written; stays inside this file. */
class Damage extends Error {
  readonly position: number;

  constructor(position: number, reason: string) {
    super(reason);
    this.position = position;
  }
}

/** The last commit, after a check that it and its events are whole. */
export function requireSoundHead(db: Database.Database, file: string): LogHead {
  try {
    requireEnds(db);
    const [last, before] = db
      .prepare<[], Commit>('SELECT last_pos, hash FROM commits ORDER BY last_pos DESC LIMIT 2')
      .all();
    const start: LogHead = { position: 0, hash: chainStart(logId(db)) };
    if (last === undefined) return start;
    const previous = before === undefined ? start : headOf(before);
    const walk = new ChainWalk(db, previous);
    walk.commit(last);
    return walk.head;
  } catch (error) {
    if (!(error instanceof Damage)) throw logFault(file, error);
    throw refusal(`The event log ${file} is damaged: ${error.message}.`, error);
  }
}

/** Verifies a log, its b-trees first; others may write meanwhile. */
export async function verifyLogFile(file: string): Promise<LogVerdict> {
  const db = openLogForReading(file);
  try {
    const check = db.prepare<[], string>('PRAGMA integrity_check(1)').pluck().get();
    if (check !== 'ok') {
      // Its first line names the database, of which there is one.
      const reason = `SQLite finds: ${check?.split('\n').at(-1) ?? 'nothing'}`;
      return { type: 'damaged', position: 0, reason };
    }
    return await verifyLog(db, file);
  } catch (error) {
    throw logFault(file, error);
  } finally {
    db.close();
  }
}

/** Verifies every event up to the head of this moment; others may write meanwhile. */
export async function verifyLog(db: Database.Database, file: string): Promise<LogVerdict> {
  const walk = new ChainWalk(db, { position: 0, hash: chainStart(logId(db)) });
  try {
    const end = requireEnds(db);
    const page = db.prepare<[number, number, number], Commit>(
      'SELECT last_pos, hash FROM commits WHERE last_pos > ? AND last_pos <= ? ' +
        'ORDER BY last_pos LIMIT ?',
    );
    while (walk.head.position < end) {
      for (const commit of page.all(walk.head.position, end, PAGE_ROWS)) {
        walk.commit(commit);
        if (walk.needsPause()) await pause();
      }
    }
    const { position, hash } = walk.head;
    return { type: 'sound', events: walk.events, position, hash: hash.toString('hex') };
  } catch (error) {
    if (error instanceof Damage) {
      return { type: 'damaged', position: error.position, reason: error.message };
    }
    throw logFault(file, error);
  }
}

/**
 * Commits behind a head, up to another one, each verified before it is given; others may write
 * meanwhile.
 */
export function* soundCommits(
  db: Database.Database,
  file: string,
  from: LogHead,
  to: number,
): Generator<LogCommit> {
  const walk = new ChainWalk(db, from);
  const next = db.prepare<[number], Commit>(
    'SELECT last_pos, hash FROM commits WHERE last_pos > ? ORDER BY last_pos LIMIT 1',
  );
  try {
    while (walk.head.position < to) {
      const commit = next.get(walk.head.position);
      if (commit === undefined) throw new Damage(to, `commit ${to} is missing`);
      const pieces = walk.commit(commit);
      yield { head: walk.head, pieces };
    }
  } catch (error) {
    if (!(error instanceof Damage)) throw logFault(file, error);
    throw refusal(`The event log ${file} is damaged: ${error.message}.`, error);
  }
}

/** The last commit, or the beginning of the chain. */
export function logHead(db: Database.Database): LogHead {
  const last = db
    .prepare<[], Commit>('SELECT last_pos, hash FROM commits ORDER BY last_pos DESC LIMIT 1')
    .get();
  return last === undefined ? { position: 0, hash: chainStart(logId(db)) } : headOf(last);
}

function headOf(commit: Commit): LogHead {
  return { position: commit.last_pos, hash: commit.hash };
}

/** The UUID of the log. */
export function logId(db: Database.Database): string {
  return db.prepare<[], string>('SELECT uuid FROM info').pluck().get() ?? '';
}

/** No event lies outside of the commits; returns where the last one ends. */
function requireEnds(db: Database.Database): number {
  const ends = db.prepare<[], { commits: number; least: number; most: number }>(
    `SELECT coalesce((SELECT max(last_pos) FROM commits), 0) AS commits,
            coalesce((SELECT min(pos) FROM events), 1) AS least,
            coalesce((SELECT max(pos) FROM events), 0) AS most`,
  );
  const { commits, least, most } = ends.get() ?? { commits: 0, least: 1, most: 0 };
  if (most > commits) throw new Damage(commits + 1, `event ${most} belongs to no commit`);
  if (least < 1) throw new Damage(least, `event ${least} lies before the first`);
  return commits;
}

/** Follows the chain commit by commit and makes the digests of their events again. */
class ChainWalk {
  readonly #names: LogNames;
  readonly #rows: EventRows;
  readonly #pruned: Database.Statement<[number], Buffer>;
  readonly #firstRevision: Database.Statement<[number], number>;
  /** Revision that the next event of a stream must have. */
  readonly #revisions = new Map<number, number>();
  /** A walk that begins in mid-log takes the first revision of a stream as it comes. */
  readonly #fromStart: boolean;
  #head: LogHead;
  #events = 0;
  #sincePause = 0;

  constructor(db: Database.Database, from: LogHead) {
    this.#names = new LogNames(db);
    this.#fromStart = from.position === 0;
    this.#head = from;
    this.#rows = new EventRows(db, from.position);
    this.#pruned = db.prepare<[number], Buffer>('SELECT digest FROM pruned WHERE pos = ?').pluck();
    this.#firstRevision = db
      .prepare<[number], number>('SELECT first_rev FROM streams WHERE id = ?')
      .pluck();
  }

  get head(): LogHead {
    return this.#head;
  }

  get events(): number {
    return this.#events;
  }

  /** True once per page of events. */
  needsPause(): boolean {
    if (this.#sincePause < PAGE_ROWS) return false;
    this.#sincePause = 0;
    return true;
  }

  commit(commit: Commit): readonly LogPiece[] {
    const first = this.#head.position + 1;
    const pieces: LogPiece[] = [];
    for (let position = first; position <= commit.last_pos; position++) {
      pieces.push(this.#pieceAt(position));
    }
    const digests = pieces.map((piece) => piece.removed ?? eventDigest(piece));
    this.#sincePause += digests.length;
    const hash = commitHash(this.#head.hash, digests);
    if (!hash.equals(commit.hash)) {
      const which =
        first === commit.last_pos
          ? `event ${first}`
          : `one of the events ${first}–${commit.last_pos}`;
      throw new Damage(first, `${which} or the hash behind it was changed`);
    }
    this.#head = { position: commit.last_pos, hash };
    return pieces;
  }

  #pieceAt(position: number): LogPiece {
    const row = this.#rows.at(position);
    if (row !== undefined) return this.#eventOf(row);
    // Asked one by one: a stream may be dropped while we walk.
    const pruned = this.#pruned.get(position);
    if (pruned === undefined) throw new Damage(position, `event ${position} is missing`);
    return { position, removed: pruned };
  }

  #eventOf(row: EventRow): DigestedEvent {
    const [position, streamId, revision, typeId, at, id, data, meta] = row;
    const stream = this.#names.stream(streamId);
    const type = this.#names.type(typeId);
    if (stream === undefined || type === undefined) {
      throw new Damage(position, `event ${position} is of an unknown stream or type`);
    }
    const known = this.#revisions.get(streamId);
    const due = known ?? this.#firstDue(streamId, revision);
    if (revision !== due) {
      const where = `stream ${stream} has revision ${revision} where ${due} is due`;
      throw new Damage(position, `${where} (event ${position})`);
    }
    this.#revisions.set(streamId, revision + 1);
    this.#events++;
    const { name, version } = type;
    return { position, stream, revision, type: name, version, at, id, data, meta };
  }

  /** The first revision of a stream that was read before the stream was dropped is lower. */
  #firstDue(streamId: number, revision: number): number {
    if (!this.#fromStart) return revision;
    return Math.min(this.#firstRevision.get(streamId) ?? 0, revision);
  }
}

/** Events by rising position, fetched in pages. */
class EventRows {
  readonly #page: Database.Statement<[number, number], EventRow>;
  #rows: EventRow[] = [];
  #next = 0;
  #after: number;

  constructor(db: Database.Database, after: number) {
    const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE pos > ? ORDER BY pos LIMIT ?`;
    this.#page = db.prepare<[number, number], EventRow>(sql).raw();
    this.#after = after;
  }

  /** The row at the position, which is higher than in every call before. */
  at(position: number): EventRow | undefined {
    if (this.#next === this.#rows.length) {
      this.#rows = this.#page.all(this.#after, PAGE_ROWS);
      this.#next = 0;
    }
    const row = this.#rows[this.#next];
    if (row?.[0] !== position) return undefined;
    this.#next++;
    this.#after = position;
    return row;
  }
}
