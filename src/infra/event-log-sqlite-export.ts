/**
 * Reads the embedded log for a copy of it: commit by commit, with everything that the hash chain
 * protects, beside whoever writes.
 *
 * Diagnostics: what is damaged is refused before it is given; nobody should copy it unawares.
 */

import type Database from 'better-sqlite3';
import { chainStart } from './event-digest.ts';
import { logFault, openLogForReading } from './event-log-sqlite-schema.ts';
import {
  logHead,
  logId,
  soundCommits,
  type LogCommit,
  type LogHead,
} from './event-log-sqlite-verify.ts';

export class LogExport {
  readonly #file: string;
  readonly #db: Database.Database;
  /** The UUID of the log. */
  readonly logId: string;

  constructor(file: string) {
    this.#file = file;
    this.#db = openLogForReading(file);
    this.logId = this.#asked(() => logId(this.#db));
  }

  /** The last commit of this moment. */
  head(): LogHead {
    return this.#asked(() => logHead(this.#db));
  }

  /** The head that the log had at a position; undefined when no commit ended there. */
  headAt(position: number): LogHead | undefined {
    if (position === 0) return { position, hash: chainStart(this.logId) };
    const sql = 'SELECT hash FROM commits WHERE last_pos = ?';
    const hash = this.#asked(() => this.#db.prepare<[number], Buffer>(sql).pluck().get(position));
    return hash === undefined ? undefined : { position, hash };
  }

  commits(from: LogHead, to: number): Generator<LogCommit> {
    return soundCommits(this.#db, this.#file, from, to);
  }

  /** The head that each stream had at a position; those that are gone by now are left out. */
  streamsAt(position: number): ReadonlyMap<string, number> {
    const sql = `SELECT name, (SELECT rev FROM events WHERE stream = streams.id AND pos <= ?
                               ORDER BY rev DESC LIMIT 1) AS head
                 FROM streams WHERE head IS NOT NULL ORDER BY name`;
    const heads = this.#db.prepare<[number], [string, number]>(sql).raw();
    return new Map(this.#asked(() => heads.all(position)));
  }

  /** Streams that were dropped, with the heads that they had. */
  dropped(): ReadonlyMap<string, number> {
    const sql = `SELECT name, first_rev - 1 FROM streams
                 WHERE first_rev > 0 AND NOT EXISTS (SELECT 1 FROM events WHERE stream = streams.id)
                 ORDER BY name`;
    return new Map(this.#asked(() => this.#db.prepare<[], [string, number]>(sql).raw().all()));
  }

  close(): void {
    this.#db.close();
  }

  #asked<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      throw logFault(this.#file, error);
    }
  }
}
