/**
 * One process per data directory: a lock that the system frees when its holder dies, however.
 *
 * It is an exclusive transaction on a tiny database of its own, since that is a lock on every
 * system that SQLite runs on, and the log itself must stay open to readers.
 *
 * Invariants: held until `release` or the end of the process. Nobody else in this process may open
 * and close the lock file by other means: POSIX frees a lock when any descriptor of it is closed.
 * Diagnostics: a directory in use is a Fault with one sentence.
 */

import Database from 'better-sqlite3';
import path from 'node:path';
import { Fault } from '#domain/values/fault';

const LOCK_FILE = 'lock.db';

/** A database that nobody refers to is closed, and the lock with it: these are referred to. */
const held = new Set<Database.Database>();

export interface DataLock extends Disposable {
  release(): void;
}

/** Takes the lock of a data directory, which must exist, at once or not at all. */
export function takeDataLock(directory: string): DataLock {
  let db: Database.Database | undefined;
  try {
    db = new Database(path.join(directory, LOCK_FILE), { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    throw lockFault(directory, error);
  }
  const locked = db;
  held.add(locked);
  const release = (): void => {
    held.delete(locked);
    locked.close();
  };
  return { release, [Symbol.dispose]: release };
}

function lockFault(directory: string, error: unknown): Fault {
  const busy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
  const sentence = busy
    ? `Another process uses the data directory ${directory}; stop it first.`
    : `The data directory ${directory} cannot be locked: ${String(error)}.`;
  return new Fault('LogUnavailable', sentence, { temporary: busy, cause: error });
}
