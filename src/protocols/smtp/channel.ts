/**
 * One connection as SMTP uses it: lines in, chunks in, replies out, each with a deadline.
 *
 * Invariants: replies wait until we need more input, so that the answers to pipelined commands
 * travel together (RFC 2920 §3.2); nothing is read while the peer does not take what we wrote; at
 * most one chunk is held. Whoever waits here when the peer goes away gets a PeerLost.
 */

import { Buffer, isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { Fault } from '#domain/values/fault';
import { SMTP_CLOSE_MS, SMTP_COMMAND_MS, SMTP_LINE_BYTES_MAX } from '../limits.ts';
import type { Clock, TlsFacts, Wire } from '../ports.ts';

/** `revoked`: what let the peer in does so no more. `banished`: its account is being removed. */
export type Loss = 'gone' | 'silent' | 'stopping' | 'revoked' | 'banished';

/** The conversation cannot go on: the peer is gone or silent, or we are not to go on. */
export class PeerLost extends Error {
  override readonly name = 'PeerLost';
  readonly why: Loss;

  constructor(why: Loss) {
    super(`smtp peer lost: ${why}`);
    this.why = why;
  }
}

export type Line =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'too-long' }
  /** A bare LF, control characters, or octets that are not UTF-8. */
  | { readonly type: 'malformed' };

const LF = 10;
const CR = 13;
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

export class Channel {
  readonly #clock: Clock;
  #wire: Wire;
  #in: Buffer = Buffer.alloc(0);
  #out = '';
  #lost: PeerLost | undefined;
  /** The peer sends nothing any more; it may still read. */
  #ended = false;
  #stopping: Exclude<Loss, 'gone' | 'silent'> | undefined;
  #atLine = false;
  #wake: (() => void) | undefined;
  readonly #onNews = (): void => this.#wake?.();
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };
  readonly #onGone = (): void => {
    this.#lost ??= new PeerLost('gone');
    this.#wake?.();
  };

  constructor(wire: Wire, clock: Clock) {
    this.#wire = wire;
    this.#clock = clock;
    this.#attach(wire.stream);
  }

  get tls(): TlsFacts | undefined {
    return this.#wire.tls;
  }

  get remoteIp(): string {
    return this.#wire.remoteIp;
  }

  get localIp(): string {
    return this.#wire.localIp;
  }

  get offersStartTls(): boolean {
    return this.#wire.tls === undefined && this.#wire.startTls !== undefined;
  }

  /** Keeps a reply until the next flush, which reading does by itself. */
  send(text: string): void {
    this.#out += text;
  }

  async flush(): Promise<void> {
    if (this.#out === '') return;
    if (this.#lost !== undefined) throw this.#lost;
    const text = this.#out;
    this.#out = '';
    if (this.#wire.stream.write(text)) return;
    const deadlineAt = this.#clock.now() + SMTP_COMMAND_MS;
    while (this.#wire.stream.writableNeedDrain) await this.#news(deadlineAt);
  }

  /** The next command line, without its end. */
  async line(): Promise<Line> {
    const deadlineAt = this.#clock.now() + SMTP_COMMAND_MS;
    this.#atLine = true;
    try {
      for (;;) {
        const end = this.#in.indexOf(LF);
        if (end + 1 > SMTP_LINE_BYTES_MAX) return { type: 'too-long' };
        if (end >= 0) return this.#takeLine(end);
        if (this.#in.length >= SMTP_LINE_BYTES_MAX) return { type: 'too-long' };
        const more = await this.#read(deadlineAt);
        this.#in = this.#in.length === 0 ? more : Buffer.concat([this.#in, more]);
      }
    } finally {
      this.#atLine = false;
    }
  }

  /** The next octets, whatever they are. */
  async chunk(deadlineAt: number): Promise<Buffer> {
    if (this.#in.length > 0) {
      const chunk = this.#in;
      this.#in = Buffer.alloc(0);
      return chunk;
    }
    return this.#read(Math.min(deadlineAt, this.#clock.now() + SMTP_COMMAND_MS));
  }

  /** Puts octets back that were read too far. */
  unread(rest: Buffer): void {
    this.#in = rest;
  }

  /** Does nothing for a while; ends early, with a PeerLost, when the peer goes away. */
  async pause(ms: number): Promise<void> {
    await this.flush();
    const endsAt = this.#clock.now() + ms;
    while (this.#clock.now() < endsAt) await this.#wait(endsAt);
  }

  /** RFC 3207 §4; what was sent behind the command is part of the handshake, never a command. */
  async startTls(): Promise<void> {
    const { startTls } = this.#wire;
    if (startTls === undefined) throw new Error('STARTTLS is not offered here');
    await this.flush();
    const unread: unknown = this.#wire.stream.read();
    const alreadyRead = unread instanceof Buffer ? Buffer.concat([this.#in, unread]) : this.#in;
    this.#in = Buffer.alloc(0);
    this.#detach(this.#wire.stream);
    try {
      this.#wire = await startTls(alreadyRead);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#lost = new PeerLost('gone');
      throw this.#lost;
    }
    this.#attach(this.#wire.stream);
  }

  /** No further command is read: whoever waits for one gets a PeerLost. */
  stop(why: Exclude<Loss, 'gone' | 'silent'> = 'stopping'): void {
    this.#stopping ??= why;
    if (this.#atLine) this.#wake?.();
  }

  /** Whoever waits for the peer, or is about to, gets a PeerLost; it can still be told why. */
  abandon(): void {
    this.#lost ??= new PeerLost('stopping');
    this.#wake?.();
  }

  /** Sends what is left and closes; does not wait long for the peer to do the same. */
  end(): void {
    const { stream } = this.#wire;
    this.#detach(stream);
    if (stream.destroyed || this.#lost?.why === 'gone') {
      this.#wire.destroy();
      return;
    }
    stream.on('error', () => this.#wire.destroy());
    const cancel = this.#clock.after(SMTP_CLOSE_MS, () => this.#wire.destroy());
    stream.once('close', cancel);
    stream.once('end', () => this.#wire.destroy());
    stream.end(this.#out);
    stream.resume();
  }

  destroy(): void {
    this.#onGone();
    this.#wire.destroy();
  }

  #takeLine(end: number): Line {
    const octets = this.#in.subarray(0, end);
    this.#in = this.#in.subarray(end + 1);
    if (octets[end - 1] !== CR || !isUtf8(octets)) return { type: 'malformed' };
    const text = octets.toString('utf8', 0, end - 1);
    return CONTROL.test(text) ? { type: 'malformed' } : { type: 'line', text };
  }

  async #read(deadlineAt: number): Promise<Buffer> {
    await this.flush();
    for (;;) {
      if (this.#lost?.why === 'stopping') throw this.#lost;
      if (this.#stopping !== undefined && this.#atLine) throw new PeerLost(this.#stopping);
      const chunk: unknown = this.#wire.stream.read();
      if (chunk instanceof Buffer) return chunk;
      if (this.#ended) throw new PeerLost('gone');
      await this.#news(deadlineAt);
    }
  }

  /** Waits for anything to happen on the stream; fails at the deadline. */
  async #news(deadlineAt: number): Promise<void> {
    if (this.#clock.now() >= deadlineAt) {
      this.#lost ??= new PeerLost('silent');
      throw this.#lost;
    }
    await this.#wait(deadlineAt);
  }

  async #wait(deadlineAt: number): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(deadlineAt - this.#clock.now(), resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
    if (this.#lost !== undefined) throw this.#lost;
  }

  #attach(stream: Duplex): void {
    // Simple clients say all they have to say and close their side; they still want the replies.
    stream.allowHalfOpen = true;
    stream.on('readable', this.#onNews);
    stream.on('drain', this.#onNews);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onGone);
    stream.on('error', this.#onGone);
  }

  #detach(stream: Duplex): void {
    stream.off('readable', this.#onNews);
    stream.off('drain', this.#onNews);
    stream.off('end', this.#onEnd);
    stream.off('close', this.#onGone);
    stream.off('error', this.#onGone);
  }
}
