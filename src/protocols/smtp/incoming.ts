/**
 * A message on its way in: its header first, then all of it as a stream, and always to its end.
 *
 * Invariants: nothing is read ahead of whoever takes the chunks, so the sender waits with us; the
 * connection can go on with the next command once `drain` has resolved. RFC 5321 §4.1.1.4.
 */

import { Buffer } from 'node:buffer';
import { SMTP_DATA_MS, SMTP_HEADER_BYTES_MAX } from '../limits.ts';
import type { Clock } from '../ports.ts';
import type { Channel } from './channel.ts';
import { DataDecoder, type DataFlaw } from './data-stream.ts';

/** The message cannot be taken; ends whatever reads it. */
export class FlawedData extends Error {
  override readonly name = 'FlawedData';
  readonly flaw: DataFlaw;

  constructor(flaw: DataFlaw) {
    super(`smtp data refused: ${flaw}`);
    this.flaw = flaw;
  }
}

/** The octets up to the empty line and with it. */
export interface Head {
  readonly octets: Buffer;
  /** False when no empty line came, or none within what we look at. */
  readonly complete: boolean;
}

const NOTHING: Buffer = Buffer.alloc(0);
const EMPTY_LINE = Buffer.from('\r\n\r\n');

export class IncomingData {
  readonly #channel: Channel;
  readonly #decoder: DataDecoder;
  readonly #deadlineAt: number;
  /** Read for the header, not yet taken; once there is more than one chunk, a part of `#room`. */
  #held: Buffer = NOTHING;
  #room: Buffer = NOTHING;
  #drained = false;

  constructor(channel: Channel, clock: Clock, limitBytes: number) {
    this.#channel = channel;
    this.#decoder = new DataDecoder(limitBytes);
    this.#deadlineAt = clock.now() + SMTP_DATA_MS;
  }

  /** True when an octet above 127 came by so far. */
  get eightBit(): boolean {
    return this.#decoder.eightBit;
  }

  /** Reads on until the header is there; to be called before the message is taken. */
  async head(): Promise<Head> {
    let seen = 0;
    for (;;) {
      const octets = this.#held;
      const end = headEnd(octets, seen);
      if (end !== undefined && end <= SMTP_HEADER_BYTES_MAX) {
        return { octets: octets.subarray(0, end), complete: true };
      }
      const more = octets.length < SMTP_HEADER_BYTES_MAX ? await this.#next() : undefined;
      if (more === undefined) return { octets, complete: false };
      seen = Math.max(0, octets.length - EMPTY_LINE.length + 1);
      this.#hold(more);
    }
  }

  /** All of the message, from its first octet on, less the `skip` first ones of its header. */
  async *octets(skip = 0): AsyncGenerator<Buffer> {
    const held = this.#held.subarray(skip);
    this.#held = NOTHING;
    this.#room = NOTHING;
    if (held.length > 0) yield held;
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) {
      yield chunk;
    }
  }

  /** The message with another start instead of its first octets. */
  async *octetsBehind(start: Buffer, instead: number): AsyncGenerator<Buffer> {
    yield start;
    yield* this.octets(instead);
  }

  /** Reads whatever is left of the message, for nobody. */
  async drain(): Promise<void> {
    this.#held = NOTHING;
    while (!this.#drained) await this.#step();
  }

  /** The next octets of the message, undefined at its end. */
  async #next(): Promise<Buffer | undefined> {
    while (!this.#drained) {
      const decoded = await this.#step();
      if (this.#decoder.flaw !== undefined) throw new FlawedData(this.#decoder.flaw);
      if (decoded.length > 0) return decoded;
    }
    return undefined;
  }

  /** Twice the room each time, so that a header in tiny pieces costs no more than one in large. */
  #hold(chunk: Buffer): void {
    const filled = this.#held.length;
    if (filled === 0) {
      this.#held = chunk;
      return;
    }
    const length = filled + chunk.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(2 * length);
      this.#held.copy(room);
      this.#room = room;
    }
    chunk.copy(this.#room, filled);
    this.#held = this.#room.subarray(0, length);
  }

  async #step(): Promise<Buffer> {
    const decoded = this.#decoder.push(await this.#channel.chunk(this.#deadlineAt));
    if (this.#decoder.rest !== undefined) {
      this.#channel.unread(this.#decoder.rest);
      this.#drained = true;
    }
    return decoded;
  }
}

/** Where the header ends, its empty line included; `from` skips what was looked at before. */
function headEnd(octets: Buffer, from: number): number | undefined {
  if (octets[0] === 13 && octets[1] === 10) return 2;
  const at = octets.indexOf(EMPTY_LINE, from);
  return at < 0 ? undefined : at + EMPTY_LINE.length;
}
