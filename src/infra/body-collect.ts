/**
 * Bodies as they come in: hashed, kept in memory as long as they are small and there is room, and
 * otherwise written to a file, a portion at a time while the next one comes.
 *
 * Invariants: a file that is handed over is whole and on the disk; nothing is left behind when it
 * is not. Octets in memory are asked for before they are kept, also those that wait to be written.
 * Diagnostics: a full disk is the Fault DiskFull, a stream that is too long BodyTooLarge.
 */

import { createHash, hash } from 'node:crypto';
import { closeSync, fsync, openSync, read, readSync, rmSync, writev } from 'node:fs';
import { promisify } from 'node:util';
import { Fault } from '#domain/values/fault';
import type { BodyHash } from '#domain/values/ids';
import { ChunkList } from './chunk-list.ts';
import { diskFault } from './files.ts';

/** What a stream brought: its octets when they are few, a file on the disk when they are many. */
export interface Collected<Seen> {
  readonly hash: BodyHash;
  readonly sizeBytes: number;
  readonly octets: Buffer | undefined;
  readonly seen: Seen;
}

export interface CollectOptions<Seen> {
  readonly limitBytes: number;
  /** Told how many octets are to be in memory; once it is false all go to the file. */
  readonly mayKeep: (bytes: number) => boolean;
  /** Where they go then. */
  readonly file: string;
  /** Looks at all octets; they may not be kept, others come in their place. */
  readonly look: (octets: Buffer) => Seen;
}

/** Octets that are written together: each write is a turn of another thread. */
const PORTION_BYTES: number = 128 * 1024;
/** Where files up to this size are looked at: what is allocated again and again is collected. */
const ROOM: Buffer = Buffer.allocUnsafeSlow(4 * 1024 * 1024);

const fsyncAsync = promisify(fsync);
const readAsync = promisify(read);
const writevAsync = promisify(writev);

/** Reads a stream to its end. */
export async function collect<Seen>(
  body: AsyncIterable<Uint8Array>,
  options: CollectOptions<Seen>,
): Promise<Collected<Seen>> {
  const { limitBytes, mayKeep, look } = options;
  const kept = new ChunkList();
  let sizeBytes = 0;
  let spilled: Spilled<Seen> | undefined;
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) {
        throw new Fault('BodyTooLarge', 'The message is too large.', { temporary: false });
      }
      if (spilled === undefined) {
        kept.push(chunk);
        if (mayKeep(sizeBytes)) continue;
        spilled = new Spilled(options);
        for (const one of kept.take()) await spilled.add(one);
      } else {
        await spilled.add(chunk);
      }
    }
    if (spilled !== undefined) return await spilled.finish();
    const octets = Buffer.concat(kept.take(), sizeBytes);
    return { hash: hash('sha256', octets), sizeBytes, octets, seen: look(octets) };
  } catch (error) {
    await spilled?.abandon();
    throw diskFault(error);
  }
}

/** A body that goes to a file. */
class Spilled<Seen> {
  readonly #options: CollectOptions<Seen>;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #sizeBytes = 0;
  readonly #waiting = new ChunkList();
  /** What is being written; resolves with what went wrong, if anything did. */
  #writing: Promise<unknown> = Promise.resolve();
  #writingBytes = 0;
  #isClosed = false;

  constructor(options: CollectOptions<Seen>) {
    this.#options = options;
    this.#descriptor = openSync(options.file, 'wx+', 0o600);
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#waiting.push(chunk);
    const hasRoom = this.#options.mayKeep(this.#writingBytes + this.#waiting.bytes);
    if (hasRoom && this.#waiting.bytes < PORTION_BYTES) return;
    await this.#written();
    this.#write();
    if (!hasRoom) await this.#written();
  }

  /** The file gets linked under names that promise its content. */
  async finish(): Promise<Collected<Seen>> {
    await this.#written();
    this.#write();
    await this.#written();
    this.#options.mayKeep(0);
    const [synced, seen] = await Promise.allSettled([fsyncAsync(this.#descriptor), this.#look()]);
    if (synced.status === 'rejected') throw synced.reason;
    if (seen.status === 'rejected') throw seen.reason;
    this.#close();
    const sizeBytes = this.#sizeBytes;
    return { hash: this.#hash.digest('hex'), sizeBytes, octets: undefined, seen: seen.value };
  }

  async abandon(): Promise<void> {
    await this.#writing;
    try {
      this.#close();
    } finally {
      rmSync(this.#options.file, { force: true });
    }
  }

  /** Once: also after a failure the number may be that of another file. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  #write(): void {
    const position = this.#sizeBytes;
    this.#writingBytes = this.#waiting.bytes;
    this.#sizeBytes += this.#writingBytes;
    const writing = writeAll(this.#descriptor, this.#waiting.take(), position);
    this.#writing = writing.catch((error: unknown) => error);
  }

  async #written(): Promise<void> {
    const failure = await this.#writing;
    if (failure !== undefined) throw failure;
    this.#writingBytes = 0;
  }

  async #look(): Promise<Seen> {
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes > ROOM.length) {
      const octets = Buffer.allocUnsafeSlow(sizeBytes);
      for (let at = 0; at < sizeBytes;) {
        const { bytesRead } = await readAsync(this.#descriptor, octets, at, sizeBytes - at, at);
        at += requireMore(bytesRead);
      }
      return this.#options.look(octets);
    }
    // It was written a moment ago, so the system still has it; others use the room after us.
    for (let at = 0; at < sizeBytes;) {
      at += requireMore(readSync(this.#descriptor, ROOM, at, sizeBytes - at, at));
    }
    return this.#options.look(ROOM.subarray(0, sizeBytes));
  }
}

async function writeAll(
  descriptor: number,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  if (chunks.length === 0) return;
  const { bytesWritten } = await writevAsync(descriptor, chunks, position);
  if (bytesWritten === chunks.reduce((sum, { length }) => sum + length, 0)) return;
  const rest = Buffer.concat(chunks).subarray(requireMore(bytesWritten));
  await writeAll(descriptor, [rest], position + bytesWritten);
}

function requireMore(bytes: number): number {
  if (bytes === 0) throw new Error('a staged body ends early');
  return bytes;
}
