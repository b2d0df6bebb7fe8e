/**
 * The conversation of a client with one server: commands out, answers in, each to whom it is for.
 *
 * Commands run in the order given; the next one is sent before the one in front of it is answered
 * wherever both answers can be told apart and message numbers cannot shift in between. Everything
 * that is not an answer to a command is news.
 *
 * Invariants: each command ends once: with its tagged answer, with an error of the connection, or
 * with that of its caller; nothing is read while nobody takes what was read; every wait for the
 * server has an end.
 *
 * RFC 9051 §5.3 (news at any time), §5.5 (several commands at once), §7.6 (continuation)
 */

import type { Buffer } from 'node:buffer';
import type { Clock, Log, Wire } from '../ports.ts';
import { cancelled, ImapClientError, translated } from './client-error.ts';
import type { Exchange, Turn } from './client-exchange.ts';
import { parseResponse, responseBegun } from './client-parser.ts';
import { Sender } from './client-sender.ts';
import { Silence } from './client-silence.ts';
import type { Response, ServerNews, TaggedResponse } from './client-words.ts';
import { CommandReader, StreamEnded, type ReaderLimits } from './reader.ts';

export interface ConversationOptions {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ReaderLimits;
  /** What one command may gather in memory. */
  readonly resultsMax: number;
  readonly answerMs: number;
  readonly onNews: (news: ServerNews) => void;
}

export class Conversation {
  readonly wire: Wire;
  readonly log: Log;
  readonly resultsMax: number;
  readonly capabilities: Set<string> = new Set();
  readonly enabled: Set<string> = new Set();
  /** Why it is over; resolves then. */
  readonly ended: Promise<ImapClientError>;
  readonly #reader: CommandReader;
  readonly #sender: Sender;
  readonly #silence: Silence;
  readonly #onNews: (news: ServerNews) => void;
  readonly #resolveEnded: (failure: ImapClientError) => void;
  readonly #waiting: Turn[] = [];
  readonly #running: Map<string, Turn> = new Map();
  /** False while the greeting is awaited. */
  #isGreeted = true;
  /** Nothing is read: somebody has to take first what there is. */
  #isFull = false;
  #isSending = false;
  #count = 0;
  #failure: ImapClientError | undefined;

  constructor(options: ConversationOptions) {
    const { wire, clock, log, limits, answerMs, onNews } = options;
    this.wire = wire;
    this.log = log;
    this.resultsMax = options.resultsMax;
    this.#onNews = onNews;
    ({ promise: this.ended, resolve: this.#resolveEnded } = Promise.withResolvers());
    this.#silence = new Silence(clock, answerMs, () => {
      if (!this.#isImpatient()) return;
      this.end(new ImapClientError('Timeout', 'The server did not answer in time.'));
    });
    this.#reader = new CommandReader(wire.stream, () => this.#silence.heard(), limits);
    this.#sender = new Sender(wire.stream, this.capabilities, () => {
      this.#silence.heard();
      this.#watch();
    });
  }

  /** Names of mailboxes are UTF-8. RFC 9051 §6.3.1, RFC 6855 §3 */
  get utf8(): boolean {
    return this.enabled.has('IMAP4REV2') || this.enabled.has('UTF8=ACCEPT');
  }

  /** Reads the greeting. */
  async greeting(): Promise<ServerNews & { readonly type: 'status' }> {
    this.#isGreeted = false;
    this.#watch();
    try {
      const response = await this.#next();
      this.#isGreeted = true;
      this.#watch();
      if (response.type === 'status' && response.status !== 'NO' && response.status !== 'BAD') {
        this.#learn(response);
        return response;
      }
      throw new ImapClientError('BadResponse', 'This is not the greeting of an IMAP server.');
    } catch (error) {
      throw this.end(translated(error));
    }
  }

  /** Reads answers until the conversation ends. Never rejects. */
  async listen(): Promise<void> {
    try {
      for (;;) {
        if (this.#dispatch(await this.#next())) return;
        for (const turn of this.#running.values()) {
          const room = turn.isAbandoned ? undefined : turn.exchange.room?.();
          if (room === undefined) continue;
          this.#isFull = true;
          await room;
          this.#isFull = false;
          this.#silence.heard();
          this.#watch();
        }
      }
    } catch (error) {
      this.end(translated(error));
    }
  }

  /** Runs a command; gives its tagged OK, and throws for NO and BAD. */
  async run(exchange: Exchange, signal?: AbortSignal): Promise<TaggedResponse> {
    if (this.#failure !== undefined) throw this.#failure;
    if (signal?.aborted === true) throw cancelled();
    const outcome = Promise.withResolvers<TaggedResponse>();
    const tag = `a${++this.#count}`;
    const turn: Turn = { tag, exchange, outcome, isAbandoned: false, isOver: false };
    this.#waiting.push(turn);
    const onAbort = (): void => this.#abandon(turn);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      void this.#sendWaiting();
      const answer = await outcome.promise;
      if (answer.status === 'OK') return answer;
      const code = answer.status === 'NO' ? 'No' : 'Bad';
      const said = `The server answered ${answer.status} to ${exchange.line.verb}: ${answer.text}`;
      throw new ImapClientError(code, said, { response: answer.code });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends it all, with a reason; the first one stays. Gives that reason. */
  end(reason: ImapClientError): ImapClientError {
    if (this.#failure !== undefined) return this.#failure;
    this.#failure = reason;
    this.log.debug({ code: reason.code, error: reason.message }, 'imap conversation over');
    this.#silence.watch(false);
    this.wire.destroy();
    for (const turn of [...this.#running.values(), ...this.#waiting]) this.#fail(turn, reason);
    this.#running.clear();
    this.#waiting.length = 0;
    this.#sender.giveUp();
    this.#resolveEnded(reason);
    return reason;
  }

  /** Lets go of the stream; gives what was read and not used. */
  release(): Buffer {
    return this.#reader.release();
  }

  /** Sends what may be sent now, one after the other. Never rejects. */
  async #sendWaiting(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (;;) {
      const [turn] = this.#waiting;
      if (turn === undefined || !this.#maySend(turn.exchange)) break;
      this.#waiting.shift();
      this.#running.set(turn.tag, turn);
      this.#watch();
      try {
        await this.#sender.send(turn);
      } catch (error) {
        this.end(translated(error));
      }
    }
    this.#isSending = false;
  }

  #maySend(next: Exchange): boolean {
    for (const { exchange } of this.#running.values()) {
      if (next.alone === true || exchange.alone === true) return false;
      if (next.namesSeqs === true && exchange.keepsSeqs !== true) return false;
      if (next.takes?.some((type) => exchange.takes?.includes(type) === true)) return false;
    }
    return true;
  }

  #abandon(turn: Turn): void {
    if (turn.isOver) return;
    turn.isAbandoned = true;
    turn.outcome.reject(cancelled());
    const at = this.#waiting.indexOf(turn);
    if (at >= 0) this.#waiting.splice(at, 1);
    // A command of which only a part was sent cannot be taken back.
    else if (this.#sender.isSending(turn)) this.end(cancelled());
  }

  async #next(): Promise<Response> {
    const line = await this.#reader.readLine();
    if (line === undefined) throw new StreamEnded();
    const command = responseBegun(line);
    await this.#reader.complete(command, () => undefined);
    return parseResponse(command, this);
  }

  /** True when nothing more is to be read. */
  #dispatch(response: Response): boolean {
    switch (response.type) {
      case 'tagged':
        return this.#conclude(response);
      case 'continuation':
        this.#sender.proceed(response.text);
        return false;
      default:
        this.#tell(response);
        return false;
    }
  }

  #conclude(answer: TaggedResponse): boolean {
    const turn = this.#running.get(answer.tag);
    if (turn === undefined) {
      throw new ImapClientError('BadResponse', 'The server answered what nobody asked.');
    }
    this.#running.delete(answer.tag);
    turn.isOver = true;
    if (answer.code?.type === 'CAPABILITY') this.#replaceCapabilities(answer.code.capabilities);
    this.log.debug({ verb: turn.exchange.line.verb, status: answer.status }, 'imap command over');
    turn.outcome.resolve(answer);
    this.#sender.finish(turn);
    this.#watch();
    const isLast = turn.exchange.last === true && answer.status === 'OK';
    if (!isLast) void this.#sendWaiting();
    return isLast;
  }

  #tell(news: ServerNews): void {
    this.#learn(news);
    const isBye = news.type === 'status' && news.status === 'BYE';
    for (const { exchange, isAbandoned } of this.#running.values()) {
      const isTaken = isAbandoned
        ? !isBye && exchange.takes?.includes(news.type)
        : exchange.take?.(news);
      if (isTaken === true) return;
    }
    try {
      this.#onNews(news);
    } catch (cause) {
      const sentence = 'The listener for news failed.';
      throw new ImapClientError('CallerFailed', sentence, { cause });
    }
    if (isBye) {
      throw new ImapClientError('Bye', `The server said goodbye: ${news.text}`, {
        response: news.code,
      });
    }
  }

  #learn(news: ServerNews): void {
    if (news.type === 'capability') this.#replaceCapabilities(news.capabilities);
    else if (news.type === 'enabled') for (const one of news.capabilities) this.enabled.add(one);
    else if (news.type === 'status' && news.code?.type === 'CAPABILITY') {
      this.#replaceCapabilities(news.code.capabilities);
    }
  }

  #replaceCapabilities(names: readonly string[]): void {
    this.capabilities.clear();
    for (const name of names) this.capabilities.add(name);
  }

  #fail(turn: Turn, reason: ImapClientError): void {
    turn.isOver = true;
    turn.outcome.reject(reason);
  }

  #watch(): void {
    this.#silence.watch(this.#isImpatient());
  }

  /** True when the server owes us an answer. */
  #isImpatient(): boolean {
    if (this.#failure !== undefined || this.#isFull) return false;
    if (!this.#isGreeted) return true;
    return this.#running.values().some(({ exchange }) => exchange.patient?.() !== true);
  }
}
