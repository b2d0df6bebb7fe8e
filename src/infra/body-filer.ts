/**
 * Puts groups of the journal on the disk, gives their bodies files of their own, and puts those
 * on the disk later.
 *
 * Everything here waits for the file system where it stands, so it runs in a thread of its own
 * (body-filer-worker.ts), and at a start before anybody is served.
 *
 * Invariants: a file under its name is whole as far as readers can see, and on the disk once its
 * segment is settled; a file that somebody removed meanwhile stays removed.
 */

import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { codeOf, isLinkImpossible } from './files.ts';

/** A body that stands in a segment and gets a file. */
export interface Filing {
  readonly file: string;
  /** Where its octets are in the segment. */
  readonly at: number;
  readonly lengthBytes: number;
  /** A file with the same content, which gets the name too if that is possible. */
  readonly source: string | undefined;
}

/** What the system said; undefined when the file is there. */
export type FilingFailure = { readonly code: string; readonly message: string } | undefined;

/** Those with names that may be new: bodies/ab, bodies, the account's, accounts, the data's. */
const DIRECTORIES_ABOVE = 5;

/** Files that are not known to be on the disk, and where their octets stand too. */
interface Unsettled {
  readonly filings: Map<string, Filing>;
  /** A sync did not end well: the system may have given up octets that it had still to write. */
  isDoubtful: boolean;
}

export class BodyFiler {
  /** By segment. */
  readonly #unsettled = new Map<string, Unsettled>();

  /** Puts what was written into the segment on the disk. One answer for each, in their order. */
  file(segment: string, filings: readonly Filing[]): FilingFailure[] {
    const unsettled = this.#unsettled.get(segment) ?? { filings: new Map(), isDoubtful: false };
    this.#unsettled.set(segment, unsettled);
    const descriptor = openSync(segment, 'r+');
    try {
      const failures = filings.map((filing) => {
        unsettled.filings.set(filing.file, filing);
        return failureOf(() => fileBody(filing, octetsAt(descriptor, filing)));
      });
      fdatasyncSync(descriptor);
      return failures;
    } finally {
      closeSync(descriptor);
    }
  }

  /** Puts the files of a segment on the disk, one with each step. Throws when that fails. */
  *settle(segment: string): Generator<void> {
    const unsettled = this.#unsettled.get(segment);
    if (unsettled === undefined) return;
    const { filings, isDoubtful } = unsettled;
    // A sync that failed is told once: the next one says that all is well.
    if (isDoubtful) yield* writeAgain(segment, filings.values());
    unsettled.isDoubtful = true;
    yield* syncBodies(filings.keys());
    this.#unsettled.delete(segment);
  }
}

/** Gives files the octets that stand in the segment, one with each step. */
function* writeAgain(segment: string, filings: Iterable<Filing>): Generator<void> {
  const descriptor = openSync(segment, 'r');
  try {
    for (const filing of filings) {
      rewriteIfThere(filing.file, octetsAt(descriptor, filing));
      yield;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the system write octets that it may take for written. */
function rewriteIfThere(file: string, octets: Buffer): void {
  const descriptor = openIfThere(file, 'r+');
  if (descriptor === undefined) return;
  try {
    writeAll(descriptor, octets);
  } finally {
    closeSync(descriptor);
  }
}

/** Puts files and everything above them on the disk, one with each step. */
export function* syncBodies(files: Iterable<string>): Generator<void> {
  const directories = new Set<string>();
  for (const file of files) {
    syncIfThere(file, 'r+');
    let directory = file;
    for (let i = 0; i < DIRECTORIES_ABOVE; i++) {
      directory = path.dirname(directory);
      directories.add(directory);
    }
    yield;
  }
  // Windows does not open directories; NTFS keeps names in its own journal.
  if (process.platform === 'win32') return;
  for (const directory of directories) {
    syncIfThere(directory, 'r');
    yield;
  }
}

function syncIfThere(file: string, flags: string): void {
  const descriptor = openIfThere(file, flags);
  if (descriptor === undefined) return;
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string, flags: string): number | undefined {
  try {
    return openSync(file, flags);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the file of a body after a crash. One that seems whole is written all the same: what is
 * read may be what the system could not write, and a sync would not say so twice.
 */
export function refileBody(filing: Pick<Filing, 'file' | 'source'>, octets: Buffer): void {
  fileBody(filing, octets);
  rewriteIfThere(filing.file, octets);
}

/** Makes the file of a body; one that is there already stays if it is whole. */
function fileBody({ file, source }: Pick<Filing, 'file' | 'source'>, octets: Buffer): void {
  if (source !== undefined && linked(source, file)) return;
  for (;;) {
    try {
      return writeNew(file, octets);
    } catch (error) {
      if (codeOf(error) === 'ENOENT')
        mkdirSync(path.dirname(file), { mode: 0o700, recursive: true });
      else if (codeOf(error) !== 'EEXIST') throw error;
      else if (readFileSync(file).equals(octets)) return wantAgain(file);
      // Whoever wrote it was stopped by a power cut.
      else rmSync(file);
    }
  }
}

/** Somebody is about to refer to the file, which has been there for a while. */
function wantAgain(file: string): void {
  const now = new Date();
  utimesSync(file, now, now);
}

/** False when the name has to get a file of its own, or has one. */
function linked(source: string, file: string): boolean {
  if (existsSync(file)) return false;
  try {
    mkdirSync(path.dirname(file), { mode: 0o700, recursive: true });
    linkSync(source, file);
    // The source may have been there for a while, and both are one.
    wantAgain(file);
    return true;
  } catch (error) {
    if (isLinkImpossible(error) || codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function writeNew(file: string, octets: Buffer): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeAll(descriptor, octets);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, octets: Buffer): void {
  for (let at = 0; at < octets.length;) {
    at += writeSync(descriptor, octets, at, octets.length - at, at);
  }
}

function octetsAt(descriptor: number, { at, lengthBytes }: Filing): Buffer {
  const octets = Buffer.allocUnsafe(lengthBytes);
  for (let read = 0; read < lengthBytes;) {
    const more = readSync(descriptor, octets, read, lengthBytes - read, at + read);
    if (more === 0) throw new Error('the body journal ends early');
    read += more;
  }
  return octets;
}

/** The error of the system that the work ended with. */
function failureOf(work: () => void): FilingFailure {
  try {
    work();
    return undefined;
  } catch (error) {
    if (codeOf(error) === '') throw error;
    return { code: codeOf(error), message: String(error) };
  }
}
