/**
 * A message on its way in: its header first, then all of it as a stream, and in any case to its end.
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

const EMPTY_LINE = Buffer.from('\r\n\r\n');

export class IncomingData {
  readonly #channel: Channel;
  readonly #decoder: DataDecoder;
  readonly #deadlineAt: number;
  /** Read for the header, not yet taken. */
  #held: Buffer[] = [];
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
    let octets: Buffer = Buffer.alloc(0);
    for (;;) {
      const end = headEnd(octets);
      if (end !== undefined) return { octets: octets.subarray(0, end), complete: true };
      const chunk = octets.length < SMTP_HEADER_BYTES_MAX ? await this.#next() : undefined;
      if (chunk === undefined) return { octets, complete: false };
      this.#held.push(chunk);
      octets = octets.length === 0 ? chunk : Buffer.concat([octets, chunk]);
    }
  }

  /** All of the message, from its first octet on, less the `skip` first ones. */
  async *octets(skip = 0): AsyncGenerator<Buffer> {
    let left = skip;
    for (let chunk = this.#held.shift(); chunk !== undefined; chunk = this.#held.shift()) {
      if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
    }
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) {
      yield chunk;
    }
  }

  /** Reads whatever is left of the message, for nobody. */
  async drain(): Promise<void> {
    this.#held = [];
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

  async #step(): Promise<Buffer> {
    const decoded = this.#decoder.push(await this.#channel.chunk(this.#deadlineAt));
    if (this.#decoder.rest !== undefined) {
      this.#channel.unread(this.#decoder.rest);
      this.#drained = true;
    }
    return decoded;
  }
}

function headEnd(octets: Buffer): number | undefined {
  if (octets.indexOf('\r\n') === 0) return 2;
  const at = octets.indexOf(EMPTY_LINE);
  return at < 0 ? undefined : at + EMPTY_LINE.length;
}
