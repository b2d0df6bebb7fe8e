/**
 * Takes up what the body journal holds of the run before: bodies whose files a power cut, or a
 * disk that failed for a while, may have taken.
 *
 * Invariants: a segment is emptied only when every file of its records is on the disk, and then it
 * stays empty. It may be done again at any point.
 * Diagnostics: a full disk is the Fault DiskFull, and the segments are left as they are.
 */

import { closeSync, fdatasyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { refileBody, syncBodies } from './body-filer.ts';
import { recordsIn, SEGMENT_NAMES } from './body-records.ts';
import { codeOf, diskFault } from './files.ts';

/** Makes the files that a power cut took, from the records of the run before. How many records. */
export function recoverBodies(
  dir: string,
  fileOf: (accountId: AccountId, hash: BodyHash) => string,
): number {
  const files = new Set<string>();
  const segments = SEGMENT_NAMES.map((name) => path.join(dir, name));
  let records = 0;
  try {
    for (const segment of segments) {
      const first = new Map<BodyHash, string>();
      for (const { accountId, hash, octets } of recordsIn(readIfThere(segment))) {
        const file = fileOf(accountId, hash);
        refileBody({ file, source: first.get(hash) }, octets);
        if (!first.has(hash)) first.set(hash, file);
        files.add(file);
        records++;
      }
    }
    for (const _ of syncBodies(files));
    for (const segment of segments) emptyIfThere(segment);
  } catch (error) {
    throw diskFault(error);
  }
  return records;
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** What was taken up must not come back with the next power cut: it may be removed by then. */
function emptyIfThere(file: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r+');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    ftruncateSync(descriptor, 0);
    fdatasyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
