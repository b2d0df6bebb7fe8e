/**
 * Writes a log that was written before: the same positions, revisions, ids and hashes, under the
 * same id of the log.
 *
 * Invariants: the file is new; what was given is on the disk when `close` returns.
 */

import type Database from 'better-sqlite3';
import { logFault, openLogForWriting } from './event-log-sqlite-schema.ts';
import type { LogCommit, LogPiece } from './event-log-sqlite-verify.ts';

export class LogImport {
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #sql: ReturnType<typeof statements>;
  readonly #streams = new Map<string, number>();
  readonly #types = new Map<string, number>();

  constructor(file: string, id: string) {
    this.#file = file;
    this.#db = openLogForWriting(file);
    this.#sql = statements(this.#db);
    this.#wanted(() => this.#db.prepare<[string]>('UPDATE info SET uuid = ?').run(id));
  }

  /** Commits that follow what was written so far, in one transaction. */
  write(commits: readonly LogCommit[]): void {
    const write = this.#db.transaction(() => {
      for (const { head, pieces } of commits) {
        for (const piece of pieces) this.#insert(piece);
        this.#sql.insertCommit.run(head.position, head.hash);
      }
    });
    this.#wanted(() => write.immediate());
  }

  /** A stream of which there are no events any more. */
  noteDropped(stream: string, head: number): void {
    this.#wanted(() => this.#sql.insertStream.run(stream, head + 1));
  }

  close(): void {
    this.#db.close();
  }

  #insert(piece: LogPiece): void {
    if (piece.removed !== undefined) {
      this.#sql.insertPruned.run(piece.position, piece.removed);
      return;
    }
    const { position, stream, revision, type, version, at, id, data, meta } = piece;
    const streamId = known(this.#streams, stream, () =>
      this.#sql.insertStream.run(stream, revision),
    );
    const typeId = known(this.#types, `${type}/${version}`, () =>
      this.#sql.insertType.run(type, version),
    );
    this.#sql.insertEvent.run(position, streamId, revision, typeId, at, id, data, meta);
  }

  #wanted(write: () => unknown): void {
    try {
      write();
    } catch (error) {
      throw logFault(this.#file, error);
    }
  }
}

function known(ids: Map<string, number>, name: string, insert: () => Database.RunResult): number {
  const id = ids.get(name) ?? Number(insert().lastInsertRowid);
  ids.set(name, id);
  return id;
}

function statements(db: Database.Database) {
  return {
    insertStream: db.prepare<[string, number]>(
      'INSERT INTO streams (name, first_rev) VALUES (?, ?)',
    ),
    insertType: db.prepare<[string, number]>('INSERT INTO types (name, version) VALUES (?, ?)'),
    insertEvent: db.prepare<[number, number, number, number, number, string, string, string]>(
      'INSERT INTO events VALUES (?, ?, ?, ?, ?, unhex(?), ?, ?)',
    ),
    insertPruned: db.prepare<[number, Buffer]>('INSERT INTO pruned VALUES (?, ?)'),
    insertCommit: db.prepare<[number, Buffer]>('INSERT INTO commits VALUES (?, ?)'),
  };
}
