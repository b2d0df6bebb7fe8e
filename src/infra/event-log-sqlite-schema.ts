/**
 * The tables of the embedded log, and how its file is opened for writing and for reading.
 *
 * Invariants: a connection that writes has journal mode WAL and synchronous FULL, read back, since
 * a commit must be on the disk before anyone hears of it; pages of 4 KiB, since whole pages go to
 * the WAL. Rows of `events`, `commits` and `types` are never updated; what is removed from `events`
 * is overwritten, and its digest stands in `pruned` from the same transaction on.
 * Diagnostics: a file that is damaged, foreign or of a newer release is refused with one sentence.
 */

import Database from 'better-sqlite3';
import { randomUUID } from 'node:crypto';
import { Fault } from '#domain/values/fault';

/** Raised when a release can no longer read what the one before wrote. */
const FORMAT = 1;

const WAL_PAGES = 2000;
const WAL_BYTES_KEPT: number = 16 * 1024 * 1024;

// Event ids have no index: a repeat is found by comparing ids at the expected revisions, and an
// index on random ids would cost two thirds of the speed. Stream and type are numbers for size.
const TABLES = `
CREATE TABLE events (
  pos INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  type INTEGER NOT NULL,
  time INTEGER NOT NULL,
  id BLOB NOT NULL,
  data TEXT NOT NULL,
  meta TEXT NOT NULL,
  UNIQUE (stream, rev)
) STRICT;
-- first_rev rises when retention removes the beginning of a stream; a stream without events whose
-- first_rev is not 0 was dropped.
CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  first_rev INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE types (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (name, version)
) STRICT;
CREATE TABLE commits (last_pos INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
-- Digests of removed events keep the hash chain checkable.
CREATE TABLE pruned (pos INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT;
CREATE TABLE info (format INTEGER NOT NULL, uuid TEXT NOT NULL) STRICT;
`;

/** Opens the log for its one writer; makes it when it is not there. */
export function openLogForWriting(file: string): Database.Database {
  return opening(file, {}, (db) => {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const journal = db.pragma('journal_mode', { simple: true });
    const synchronous = db.pragma('synchronous', { simple: true });
    if (journal !== 'wal' || synchronous !== 2) {
      throw refusal(`The file system of the event log ${file} does not allow durable writing.`);
    }
    db.pragma('secure_delete = ON');
    db.pragma(`wal_autocheckpoint = ${WAL_PAGES}`);
    db.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
    if (isEmpty(db)) createTables(db);
    requireFormat(db, file);
  });
}

/** Opens another look at the log; it sees everything that is committed. */
export function openLogForReading(file: string): Database.Database {
  return opening(file, { readonly: true, fileMustExist: true }, (db) => requireFormat(db, file));
}

function opening(
  file: string,
  options: Database.Options,
  prepare: (db: Database.Database) => void,
): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, options);
    prepare(db);
    return db;
  } catch (error) {
    db?.close();
    throw logFault(file, error);
  }
}

function isEmpty(db: Database.Database): boolean {
  const count = db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck();
  return count.get() === 0;
}

function createTables(db: Database.Database): void {
  const create = db.transaction((): void => {
    db.exec(TABLES);
    db.prepare('INSERT INTO info VALUES (?, ?)').run(FORMAT, randomUUID());
  });
  create.immediate();
}

function requireFormat(db: Database.Database, file: string): void {
  const tables = db.prepare<[], string>(
    `SELECT name FROM sqlite_schema WHERE name IN ('events', 'commits', 'info')`,
  );
  if (tables.all().length !== 3) throw refusal(`${file} is not an event log.`);
  const format = db.prepare<[], number>('SELECT format FROM info').pluck().get();
  if (format !== FORMAT) {
    throw refusal(`The event log ${file} was written by a newer release (format ${format}).`);
  }
}

/** A start that cannot succeed until a person has done something. */
export function refusal(sentence: string, cause?: unknown): Fault {
  return new Fault('LogUnavailable', sentence, { temporary: false, cause });
}

/** What SQLite threw, in our words; anything that it did not throw comes back as it is. */
export function logFault(file: string, error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code, message } = error;
  if (isDamage(code)) return refusal(`The event log ${file} is damaged: ${message}.`, error);
  if (code.startsWith('SQLITE_FULL')) {
    return new Fault('DiskFull', `No room is left for the event log ${file}.`, { cause: error });
  }
  const sentence = `The event log ${file} cannot be used: ${message} (${code}).`;
  return new Fault('LogUnavailable', sentence, { cause: error });
}

function isDamage(code: string): boolean {
  return code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB');
}

/** Names behind the numbers of streams and types; rows of both tables never change. */
export class LogNames {
  readonly #streamRow: Database.Statement<[number], string>;
  readonly #typeRow: Database.Statement<[number], EventType>;
  readonly #streams = new Map<number, string>();
  readonly #types = new Map<number, EventType>();

  constructor(db: Database.Database) {
    this.#streamRow = db.prepare<[number], string>('SELECT name FROM streams WHERE id = ?').pluck();
    this.#typeRow = db.prepare('SELECT name, version FROM types WHERE id = ?');
  }

  stream(id: number): string | undefined {
    return known(this.#streams, id, () => this.#streamRow.get(id));
  }

  type(id: number): EventType | undefined {
    return known(this.#types, id, () => this.#typeRow.get(id));
  }
}

export interface EventType {
  readonly name: string;
  readonly version: number;
}

function known<T>(cache: Map<number, T>, id: number, load: () => T | undefined): T | undefined {
  const cached = cache.get(id);
  if (cached !== undefined) return cached;
  const loaded = load();
  if (loaded !== undefined) cache.set(id, loaded);
  return loaded;
}

/** One row of `events`; the id comes as hex text, a Buffer per row would cost more. */
export type EventRow = [
  position: number,
  stream: number,
  revision: number,
  type: number,
  at: number,
  id: string,
  data: string,
  meta: string,
];

export const EVENT_COLUMNS = 'pos, stream, rev, type, time, lower(hex(id)), data, meta';
