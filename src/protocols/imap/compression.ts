/**
 * A connection whose octets travel compressed, both ways.
 *
 * Invariants: what is written in one go leaves as one block that the peer can read at once; of what
 * arrives, no more is inflated than is read; octets that inflate beyond all measure end the
 * connection.
 *
 * RFC 4978, RFC 1951
 */

import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib';
import { IMAP_INFLATED_BYTES_FREE, IMAP_INFLATED_RATIO_MAX } from '../limits.ts';
import type { Wire } from '../ports.ts';

/** 32 KB of memory for what we send, instead of 256. */
const DEFLATE = { windowBits: 12, memLevel: 5 } as const;
/** A stream that just ends is no error: RFC 4978 §3 has no end mark. */
const INFLATE = { finishFlush: constants.Z_SYNC_FLUSH } as const;

/** The same connection, compressed from here on; `alreadyRead` is the beginning of its input. */
export function compressed(wire: Wire, alreadyRead: Buffer): Wire {
  const stream = new CompressedStream(wire.stream, alreadyRead);
  return {
    ...wire,
    stream,
    startTls: undefined,
    destroy() {
      stream.destroy();
      wire.destroy();
    },
  };
}

class CompressedStream extends Duplex {
  readonly #socket: Duplex;
  readonly #deflate: DeflateRaw = createDeflateRaw(DEFLATE);
  readonly #inflate = createInflateRaw(INFLATE);
  #receivedBytes = 0;
  #inflatedBytes = 0;

  constructor(socket: Duplex, alreadyRead: Buffer) {
    super();
    this.#socket = socket;
    this.#deflate.on('data', (octets: Buffer) => socket.write(octets));
    this.#inflate.on('data', (octets: Buffer) => this.#deliver(octets));
    this.#inflate.on('end', () => this.push(null));
    this.#inflate.on('drain', () => socket.resume());
    for (const codec of [this.#deflate, this.#inflate]) {
      codec.on('error', (error) => this.destroy(error));
    }
    // Whoever reads learns of it by the end; nobody may be reading any more.
    this.on('error', () => undefined);
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.on('end', () => this.#inflate.end());
    this.#receive(alreadyRead);
    socket.on('data', (octets: Buffer) => this.#receive(octets));
  }

  override _read(): void {
    this.#inflate.resume();
  }

  override _write(octets: Buffer, _encoding: string, done: () => void): void {
    this.#send([octets], done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#deflate.destroy();
    this.#inflate.destroy();
    this.#socket.destroy();
    done(error);
  }

  /** RFC 4978 §3: flushed behind every batch, or the peer would wait for more. */
  #send(chunks: readonly Buffer[], done: () => void): void {
    for (const chunk of chunks) this.#deflate.write(chunk);
    this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
      if (this.#socket.writableNeedDrain) this.#socket.once('drain', done);
      else done();
    });
  }

  #receive(octets: Buffer): void {
    this.#receivedBytes += octets.length;
    if (octets.length > 0 && !this.#inflate.write(octets)) this.#socket.pause();
  }

  #deliver(octets: Buffer): void {
    this.#inflatedBytes += octets.length;
    const allowed = IMAP_INFLATED_BYTES_FREE + this.#receivedBytes * IMAP_INFLATED_RATIO_MAX;
    if (this.#inflatedBytes > allowed) {
      this.destroy(new Error('the input inflates beyond measure'));
    } else if (!this.push(octets)) {
      this.#inflate.pause();
    }
  }
}
