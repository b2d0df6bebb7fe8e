/**
 * Files of bodies: read, also in part, and checked against the name that their content gives them.
 */

import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import type { BodyHash } from '#domain/values/ids';
import { codeOf } from './files.ts';

/** Most headers are shorter. */
const HEADER_BYTES: number = 8 * 1024;
/** A header is not looked at further than this. */
const HEADER_BYTES_MAX: number = 1024 * 1024;
const EMPTY_LINE = /(?:^|\n)\r?\n/;

/** The beginning of a file, up to its first empty line at least; undefined without a file. */
export function readHeader(file: string): Buffer | undefined {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return undefined;
  try {
    let octets: Buffer = Buffer.alloc(0);
    for (let size = HEADER_BYTES; ; size *= 4) {
      const more = Buffer.allocUnsafe(size);
      const count = readSync(descriptor, more, 0, size, octets.length);
      octets = Buffer.concat([octets, more.subarray(0, count)]);
      const isEnough = count < size || octets.length >= HEADER_BYTES_MAX;
      if (isEnough || EMPTY_LINE.test(octets.toString('latin1'))) return octets;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Some octets of a file, fewer where it ends; undefined without a file. */
export function readSlice(file: string, start: number, end: number): Buffer | undefined {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return undefined;
  try {
    const octets = Buffer.allocUnsafe(Math.max(0, end - start));
    let length = 0;
    while (length < octets.length) {
      const count = readSync(descriptor, octets, length, octets.length - length, start + length);
      if (count === 0) break;
      length += count;
    }
    return octets.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is found under a name that promises its content. */
export type BodyState = 'whole' | 'damaged' | 'missing';

export async function stateOf(file: string, expected: BodyHash): Promise<BodyState> {
  const found = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) found.update(chunk as Buffer);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
  return found.digest('hex') === expected ? 'whole' : 'damaged';
}
