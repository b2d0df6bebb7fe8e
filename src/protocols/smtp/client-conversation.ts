/**
 * The wire under an SMTP client: replies in, octets out, each with a deadline.
 *
 * Invariants: one thing waits here at a time; whoever waits when the conversation ends gets the
 * reason; the first reason stays. What a server said before it went away is still read.
 *
 * RFC 5321 §4.5.3.2 (time), §3.8 (421 ends the conversation)
 */

import { Buffer } from 'node:buffer';
import { SMTP_CLIENT_LINE_BYTES_MAX, SMTP_CLIENT_UNREAD_BYTES_MAX } from '../limits.ts';
import type { Clock, Log, Wire } from '../ports.ts';
import {
  refused,
  SmtpClientError,
  type SmtpClientErrorCode,
  type SmtpClientErrorOptions,
  type SmtpStage,
} from './client-error.ts';
import { BadReply, ReplyLines, type SmtpReply } from './client-reply.ts';

const LF = 10;
const CR = 13;

export interface ConversationPorts {
  readonly clock: Clock;
  readonly log: Log;
}

export class SmtpConversation {
  readonly wire: Wire;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ended: PromiseWithResolvers<SmtpClientError> = Promise.withResolvers();
  /** Where we are, for errors. */
  stage: SmtpStage = 'greeting';
  /** The last octet of a message is on its way, and its reply did not come yet. */
  isMessageOut = false;
  /** RFC 5321 §4.1.4: another MAIL needs a RSET first. */
  isTransactionOpen = false;
  /** How often MAIL was said. */
  transactions = 0;
  #in: Buffer = Buffer.alloc(0);
  #failure: SmtpClientError | undefined;
  #isGone = false;
  #wake: (() => void) | undefined;
  readonly #onReadable = (): void => {
    this.#pull();
    this.#wake?.();
  };
  readonly #onDrain = (): void => this.#wake?.();
  readonly #onGone = (): void => {
    this.#isGone = true;
    this.#wake?.();
  };

  constructor(wire: Wire, { clock, log }: ConversationPorts) {
    this.wire = wire;
    this.#clock = clock;
    this.#log = log;
    const { stream } = wire;
    stream.on('readable', this.#onReadable);
    stream.on('drain', this.#onDrain);
    for (const event of ['end', 'close', 'error']) stream.on(event, this.#onGone);
  }

  /** Why it is over; undefined as long as it is not. */
  get failure(): SmtpClientError | undefined {
    return this.#failure;
  }

  /** Resolves when it is over. */
  get ended(): Promise<SmtpClientError> {
    return this.#ended.promise;
  }

  /** True when the server has said something that was not read yet. */
  get hasHeard(): boolean {
    return this.#in.length > 0;
  }

  /** Sends a command and reads the reply. */
  async ask(line: string, replyMs: number): Promise<SmtpReply> {
    this.send(`${line}\r\n`);
    return await this.reply(replyMs);
  }

  /** Hands over what is to be said; does not wait until it is. */
  send(octets: string | Buffer): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.wire.stream.write(octets);
  }

  /** Waits until the server has taken what was sent, or says something. */
  async untilTaken(ms: number): Promise<void> {
    const deadlineAt = this.#clock.now() + ms;
    while (!this.hasHeard && (this.#isGone || this.wire.stream.writableNeedDrain)) {
      await this.#news(deadlineAt);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The next reply. RFC 5321 §3.8: a 421 is thrown, and ends the conversation. */
  async reply(ms: number): Promise<SmtpReply> {
    const deadlineAt = this.#clock.now() + ms;
    const lines = new ReplyLines();
    try {
      for (;;) {
        const reply = lines.add(await this.#line(deadlineAt));
        if (reply === undefined) continue;
        this.#log.debug({ stage: this.stage, code: reply.code }, 'smtp reply');
        if (reply.code !== 421) return reply;
        throw this.end(refused(reply, { stage: this.stage }));
      }
    } catch (error) {
      if (!(error instanceof BadReply)) throw error;
      throw this.fail('BadReply', error.message);
    }
  }

  /** Waits for something else; ends with the conversation. */
  async during<T>(work: Promise<T>): Promise<T> {
    try {
      return await new Promise<T>((resolve, reject) => {
        const check = (): void => {
          if (this.#failure !== undefined) reject(this.#failure);
        };
        this.#wake = check;
        work.then(resolve, reject);
        check();
      });
    } finally {
      this.#wake = undefined;
    }
  }

  /** An error of this point of the conversation. */
  error(
    code: SmtpClientErrorCode,
    sentence: string,
    options: Omit<SmtpClientErrorOptions, 'stage'> = {},
  ): SmtpClientError {
    const { stage, isMessageOut: mayBeTaken } = this;
    return new SmtpClientError(code, sentence, { stage, mayBeTaken, ...options });
  }

  /** Ends it with an error; gives the one that ended it. */
  fail(
    code: SmtpClientErrorCode,
    sentence: string,
    options?: Omit<SmtpClientErrorOptions, 'stage'>,
  ): SmtpClientError {
    return this.end(this.error(code, sentence, options));
  }

  /** Ends it; the first reason stays. Gives that reason. */
  end(reason: SmtpClientError): SmtpClientError {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = reason;
    const { code, stage } = reason;
    this.#log.debug({ code, stage }, 'smtp conversation over');
    this.wire.destroy();
    this.#wake?.();
    this.#ended.resolve(reason);
    return reason;
  }

  /** Lets go of the stream; gives what was read and not used. */
  release(): Buffer {
    this.#pull();
    const { stream } = this.wire;
    stream.off('readable', this.#onReadable);
    stream.off('drain', this.#onDrain);
    for (const event of ['end', 'close', 'error']) stream.off(event, this.#onGone);
    return this.#in;
  }

  async #line(deadlineAt: number): Promise<Buffer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const end = this.#in.indexOf(LF);
      if (end > SMTP_CLIENT_LINE_BYTES_MAX || (end < 0 && this.#isFull)) {
        throw new BadReply('The server gave a reply with a line that is too long.');
      }
      if (end >= 0) {
        const line = this.#in.subarray(0, end - 1);
        const hasCr = this.#in[end - 1] === CR;
        this.#in = this.#in.subarray(end + 1);
        if (!hasCr) throw new BadReply('A line of a reply does not end in CRLF.');
        return line;
      }
      if (!this.#pull()) await this.#news(deadlineAt);
    }
  }

  get #isFull(): boolean {
    return this.#in.length > SMTP_CLIENT_LINE_BYTES_MAX;
  }

  /** Takes what is there, so that it is not lost when the connection is; false when nothing is. */
  #pull(): boolean {
    if (this.#in.length > SMTP_CLIENT_UNREAD_BYTES_MAX) return false;
    const chunk: unknown = this.wire.stream.read();
    if (!Buffer.isBuffer(chunk)) return false;
    this.#in = this.#in.length === 0 ? chunk : Buffer.concat([this.#in, chunk]);
    return true;
  }

  /** Waits for anything to happen; fails when there is nothing to wait for any more. */
  async #news(deadlineAt: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isGone) throw this.fail('ConnectionLost', 'The server closed the connection.');
    const left = deadlineAt - this.#clock.now();
    if (left <= 0) throw this.fail('Timeout', 'The server did not answer in time.');
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(left, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }
}
