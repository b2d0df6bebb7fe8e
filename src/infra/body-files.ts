/**
 * Files of bodies: written, read back, checked against the name that their content gives them.
 *
 * Diagnostics: a full disk is the Fault DiskFull, a stream that is too long BodyTooLarge; nothing
 * is left behind then.
 */

import { createHash, hash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { open as openHandle, rm, type FileHandle } from 'node:fs/promises';
import { Fault } from '#domain/values/fault';
import type { BodyHash } from '#domain/values/ids';
import { codeOf, diskFault } from './files.ts';

/** What a stream brought: its octets when they are few, a file on the disk when they are many. */
export interface Collected {
  readonly hash: BodyHash;
  readonly sizeBytes: number;
  readonly octets: Buffer | undefined;
}

export interface CollectOptions {
  readonly limitBytes: number;
  /** Asked before octets are kept in memory; once it is false all go to the file. */
  readonly mayKeep: (sizeBytes: number) => boolean;
  /** Where they go then. */
  readonly file: string;
}

/** Reads a stream to its end, hashing. */
export async function collect(
  body: AsyncIterable<Uint8Array>,
  { limitBytes, mayKeep, file }: CollectOptions,
): Promise<Collected> {
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  let spilled: Spilled | undefined;
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        throw new Fault('BodyTooLarge', 'The message is too large.', { temporary: false });
      }
      if (spilled !== undefined) {
        await spill(spilled, chunk);
      } else {
        kept.push(chunk);
        if (!mayKeep(sizeBytes)) spilled = await startSpilling(file, kept.splice(0));
      }
    }
    if (spilled === undefined) {
      const octets = Buffer.concat(kept, sizeBytes);
      return { hash: hash('sha256', octets), sizeBytes, octets };
    }
    const { handle, hash: running } = spilled;
    spilled = undefined;
    await syncAndClose(handle);
    return { hash: running.digest('hex'), sizeBytes, octets: undefined };
  } catch (error) {
    await spilled?.handle.close();
    await rm(file, { force: true });
    throw diskFault(error);
  }
}

interface Spilled {
  readonly handle: FileHandle;
  readonly hash: Hash;
}

async function startSpilling(file: string, chunks: readonly Uint8Array[]): Promise<Spilled> {
  const spilled = { handle: await openHandle(file, 'wx', 0o600), hash: createHash('sha256') };
  try {
    for (const chunk of chunks) await spill(spilled, chunk);
    return spilled;
  } catch (error) {
    await spilled.handle.close();
    throw error;
  }
}

/** The file gets linked under names that promise its content. */
async function syncAndClose(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function spill({ handle, hash }: Spilled, chunk: Uint8Array): Promise<void> {
  hash.update(chunk);
  await handle.writeFile(chunk);
}

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
