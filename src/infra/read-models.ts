/**
 * Databases of read models: SQLite files that can be thrown away and posted again from the log.
 *
 * Opened with WAL and `synchronous=NORMAL`: a power cut may take the last turns back, together with
 * their checkpoint, and the log gives them again. A file that other models made, or that is
 * damaged, is removed and made anew; while that goes on, it stands under another name, so that a
 * file under its own name is always whole.
 *
 * Diagnostics: a full disk is the Fault DiskFull, any other error of a file ViewsUnavailable; an
 * error of a statement is a bug and passes through.
 */

import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '#domain/values/fault';
import { CHECKPOINT_DDL, madeBy, writeModels } from '#projections/checkpoints';
import type { ReadModel } from '#projections/model';
import type { Sql, SqlValue, Statement } from '#projections/query';
import { PART_SUFFIX, syncFile } from './files.ts';

/** Pages kept in memory per connection, in KiB; readers let go of them at the next commit. */
const CACHE_KIB = { writer: 2048, builder: 2048, reader: 8192 } as const;
/** What a transaction may change until pages have to be written before its end: 64 MiB. */
const UNCOMMITTED_PAGES = 16_384;
const WAL_BYTES_KEPT: number = 16 * 1024 * 1024;
/** What can be read again at every opening: a tenth of a second. */
const CHECKED_BYTES_MAX: number = 64 * 1024 * 1024;

/** Errors that a file of its own making has; the others are ours. */
const FILE_ERRORS = /^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY|BUSY|LOCKED|PROTOCOL|PERM)/;
const DAMAGE = /^SQLITE_(CORRUPT|NOTADB)/;

/** One connection to a database of read models. */
export class ViewsDatabase implements Sql {
  readonly #file: string;
  readonly #db: Database.Database;
  readonly #kept = new Map<string, Statement>();
  readonly #damaged: () => void;

  /** `damaged` hears of an error that only a new file mends. */
  constructor(
    file: string,
    role: 'writer' | 'reader' | 'builder',
    damaged: () => void = () => undefined,
  ) {
    this.#file = file;
    this.#damaged = damaged;
    const fileMustExist = role !== 'builder';
    this.#db = this.#asked(() => new Database(file, { fileMustExist }));
    this.#asked(() => {
      this.#db.pragma('journal_mode = WAL');
      // A builder's file has no name yet; it is put on the disk before it gets one.
      this.#db.pragma(`synchronous = ${role === 'builder' ? 'OFF' : 'NORMAL'}`);
      this.#db.pragma(`cache_size = -${CACHE_KIB[role]}`);
      this.#db.pragma('temp_store = MEMORY');
      this.#db.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
      if (role === 'reader') this.#db.pragma('query_only = ON');
    });
  }

  statement(text: string): Statement {
    const known = this.#kept.get(text);
    if (known !== undefined) return known;
    const made = this.passing(text);
    this.#kept.set(text, made);
    return made;
  }

  passing(text: string): Statement {
    const prepared = this.#asked(() => this.#db.prepare<SqlValue[]>(text));
    return {
      get: (values) => this.#asked(() => prepared.get(...values)),
      all: (values) => this.#asked(() => prepared.all(...values)),
      each: (values) => this.#each(prepared, values),
      run: (values) => this.#asked(() => prepared.run(...values).changes),
    };
  }

  /** Everything in it is committed together, or nothing when it throws. */
  transaction(write: () => void): void {
    this.begin();
    try {
      write();
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  begin(): void {
    this.statement('BEGIN IMMEDIATE').run([]);
  }

  commit(): void {
    this.statement('COMMIT').run([]);
  }

  /** Who only asks in a transaction writes nothing then, for which there may be no room. */
  keepUncommitted(): void {
    this.#asked(() => this.#db.pragma(`cache_spill = ${UNCOMMITTED_PAGES}`));
  }

  /** An error may have ended it, also one of a statement that only reads. */
  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** Ends a transaction without effect; harmless when an error has ended it already. */
  rollback(): void {
    if (this.#db.inTransaction) this.statement('ROLLBACK').run([]);
  }

  execute(statements: readonly string[]): void {
    for (const text of statements) this.#asked(() => this.#db.exec(text));
  }

  /** True when every page makes sense, which says nothing of what the rows say. */
  isWhole(): boolean {
    return this.#asked(() => this.#db.pragma('quick_check(1)', { simple: true })) === 'ok';
  }

  /** Everything written so far goes from the WAL into the file. */
  checkpoint(): void {
    this.#asked(() => this.#db.pragma('wal_checkpoint(TRUNCATE)'));
  }

  close(): void {
    this.#db.close();
  }

  *#each(
    prepared: Database.Statement<SqlValue[]>,
    values: readonly SqlValue[],
  ): Generator<readonly SqlValue[]> {
    const rows = this.#asked(() => prepared.raw(true).iterate(...values));
    for (;;) {
      const row = this.#asked(() => rows.next());
      if (row.done === true) return;
      yield row.value as SqlValue[];
    }
  }

  #asked<T>(ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      if (isDamage(error)) this.#damaged();
      throw fileFault(this.#file, error);
    }
  }
}

function fileFault(file: string, error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  if (error.code === 'SQLITE_FULL') {
    return new Fault('DiskFull', `There is no room left for ${file}.`, { cause: error });
  }
  if (!FILE_ERRORS.test(error.code)) return error;
  return new Fault('ViewsUnavailable', `${file}: ${error.message}`, { cause: error });
}

/** True for an error that only a new file mends. */
export function isDamage(error: unknown): boolean {
  const cause = error instanceof Fault ? error.cause : error;
  return cause instanceof Database.SqliteError && DAMAGE.test(cause.code);
}

type Models = readonly Pick<ReadModel<never>, 'name' | 'version' | 'ddl' | 'rows'>[];

export type OpenedFile =
  | { readonly type: 'ready'; readonly db: ViewsDatabase }
  | { readonly type: 'missing' | 'outdated' | 'damaged' };

/**
 * The database if it is there, whole and made by these models. Every page of a file up to
 * `checkedBytesMax` is looked at; damage of a larger one shows when it is used.
 */
export function openViewsFile(
  file: string,
  models: Models,
  options: { readonly damaged?: () => void; readonly checkedBytesMax?: number } = {},
): OpenedFile {
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (sizeBytes === undefined) return { type: 'missing' };
  let db: ViewsDatabase | undefined;
  try {
    db = new ViewsDatabase(file, 'writer', options.damaged);
    const isChecked = sizeBytes <= (options.checkedBytesMax ?? CHECKED_BYTES_MAX);
    const type = isChecked && !db.isWhole() ? 'damaged' : stateOf(db, models);
    if (type === 'ready') return { type, db };
    db.close();
    return { type };
  } catch (error) {
    db?.close();
    if (isDamage(error)) return { type: 'damaged' };
    throw error;
  }
}

function stateOf(db: ViewsDatabase, models: Models): OpenedFile['type'] {
  // An empty file is a database too, with nothing in it.
  const found = db.passing(`SELECT 1 FROM sqlite_schema WHERE name = 'models'`).get([]);
  if (found === undefined) return 'damaged';
  return madeBy(db, models) ? 'ready' : 'outdated';
}

/** A database under construction; it replaces `file` when it is finished. */
export function beginViewsFile(file: string, models: Models): ViewsDatabase {
  mkdirSync(path.dirname(file), { recursive: true });
  removeViewsFile(partOf(file));
  const db = new ViewsDatabase(partOf(file), 'builder');
  db.transaction(() => {
    db.execute(CHECKPOINT_DDL);
    for (const { ddl } of models) db.execute(ddl);
    writeModels(db, models);
  });
  return db;
}

/** Puts the database on the disk and gives it its name; nobody may have the old one open. */
export async function finishViewsFile(file: string, built: ViewsDatabase): Promise<void> {
  built.checkpoint();
  built.close();
  await syncFile(partOf(file));
  removeViewsFile(file);
  renameSync(partOf(file), file);
}

/** Gives a construction up. */
export function dropViewsFile(file: string, built: ViewsDatabase): void {
  built.close();
  removeViewsFile(partOf(file));
}

function removeViewsFile(file: string): void {
  for (const suffix of ['-wal', '-shm', '-journal', '']) rmSync(file + suffix, { force: true });
}

function partOf(file: string): string {
  return file + PART_SUFFIX;
}

/** A digest for every table: equal digests, equal rows. */
export function digestsOf(sql: Sql, models: Models): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const { name, rows } of models) {
    for (const [i, ordered] of rows.entries()) {
      const hash = createHash('sha256');
      for (const row of sql.passing(ordered.compile().sql).each([])) {
        hash.update(JSON.stringify(row.map(plain)));
      }
      digests.set(`${name} ${i + 1}`, hash.digest('hex'));
    }
  }
  return digests;
}

/** Octets as text, one character each. */
function plain(value: SqlValue): Exclude<SqlValue, Uint8Array> {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
}
