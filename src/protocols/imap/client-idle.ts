/**
 * IDLE: news as they happen, until whoever listens has had enough.
 *
 * The command is given anew before servers take silence for absence. News that come in between
 * belong to the same iteration.
 *
 * RFC 9051 §6.3.13 (RFC 2177)
 */

import type { Clock } from '../ports.ts';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import type { Talk } from './client-exchange.ts';
import { Flow } from './client-flow.ts';
import { CommandLine } from './client-line.ts';
import type { ServerNews } from './client-words.ts';

/** About what one piece of news takes in memory. */
const NEWS_BYTES = 512;

/** Listens at once, whether or not somebody iterates. */
export class IdleNews implements AsyncIterable<ServerNews> {
  readonly #conversation: Conversation;
  readonly #clock: Clock;
  readonly #renewMs: number;
  readonly #flow: Flow<ServerNews> = new Flow();
  readonly #finished: Promise<void>;
  #isDone = false;
  /** The server has nothing to say but news. */
  #isQuiet = false;
  #wake: (() => void) | undefined;

  constructor(conversation: Conversation, clock: Clock, renewMs: number, signal?: AbortSignal) {
    const { capabilities } = conversation;
    if (!capabilities.has('IDLE') && !capabilities.has('IMAP4REV2')) {
      throw new ImapClientError('NotOffered', 'The server does not offer IDLE.');
    }
    this.#conversation = conversation;
    this.#clock = clock;
    this.#renewMs = renewMs;
    this.#finished = this.#listen(signal);
  }

  /**
   * Ends the iteration after what has come already, and resolves when other commands may run. What
   * comes in between goes where news go otherwise.
   */
  async done(): Promise<void> {
    this.#stop();
    await this.#finished;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerNews, void, undefined> {
    try {
      for (let next = await this.#flow.next(); next !== undefined; next = await this.#flow.next()) {
        yield next;
      }
    } finally {
      this.#flow.leave();
      await this.done();
    }
  }

  /** Never rejects: the flow tells of failures. */
  async #listen(signal: AbortSignal | undefined): Promise<void> {
    const onAbort = (): void => this.#stop();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) this.#stop();
    try {
      while (!this.#isDone) await this.#idle();
      this.#flow.end();
    } catch (error) {
      this.#flow.fail(error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #idle(): Promise<void> {
    await this.#conversation.run({
      line: new CommandLine('IDLE'),
      alone: true,
      patient: () => this.#isQuiet,
      take: (news) => {
        if (this.#isDone || (news.type === 'status' && news.status === 'BYE')) return false;
        this.#flow.push(news, NEWS_BYTES);
        return true;
      },
      room: () => this.#flow.room(),
      talk: (talk) => this.#untilDone(talk),
    });
  }

  async #untilDone(talk: Talk): Promise<void> {
    if ((await talk.continuation()) === undefined) return;
    const enough = Promise.withResolvers<void>();
    this.#wake = enough.resolve;
    const cancel = this.#clock.after(this.#renewMs, enough.resolve);
    if (this.#isDone) enough.resolve();
    this.#isQuiet = true;
    // The server may end it too.
    const isOver = await Promise.race([
      enough.promise.then(() => false),
      talk.continuation().then((text) => text === undefined),
    ]);
    this.#isQuiet = false;
    cancel();
    if (!isOver) await talk.line('DONE');
  }

  #stop(): void {
    this.#isDone = true;
    this.#flow.end();
    this.#wake?.();
  }
}
