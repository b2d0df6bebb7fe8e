/**
 * Reads messages for those who ask: small ones at once, large ones in a thread.
 *
 * The thread starts when it is first needed and ends when nobody has needed it for a while, because
 * it keeps the memory that large messages took. When it dies, everything under way fails, and
 * whoever asks next gets a new one.
 */

import { Worker } from 'node:worker_threads';
import { Fault } from '#domain/values/fault';
import type { AccountId, BodyHash } from '#domain/values/ids';
import type { Bodies, Clock } from '#protocols/ports';
import type {
  MessageReader,
  Reading,
  ReadingAnswers,
  ReadMessage,
  WholeMessage,
} from '#protocols/ports-reading';

export interface ReaderOptions {
  readonly bodies: Pick<Bodies, 'read'>;
  readonly bodyFileOf: (accountId: AccountId, hash: BodyHash) => string;
  readonly clock: Clock;
  readonly readMessage: ReadMessage;
  /** The module that has `readMessage`. */
  readonly module: string;
}

export interface ToReadingThread {
  readonly id: number;
  readonly bodyFile: string;
  readonly prefix: string;
  readonly wanted: Reading;
}

type Answer = ReadingAnswers[Reading['type']];

export type FromReadingThread =
  | { readonly id: number; readonly type: 'answer'; readonly answer: Answer | undefined }
  | { readonly id: number; readonly type: 'failed'; readonly error: unknown };

/** Reading so much takes some milliseconds, whoever wrote it. */
const AT_ONCE_BYTES: number = 64 * 1024;
const IDLE_MS = 10_000;

export class ThreadedReader implements MessageReader {
  readonly #options: ReaderOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer | undefined>>();
  #worker: Worker | undefined;
  #asked = 0;
  #isOver = false;
  #cancelIdle: () => void = () => undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  async read<Type extends Reading['type']>(
    accountId: AccountId,
    message: WholeMessage,
    wanted: Extract<Reading, { readonly type: Type }>,
  ): Promise<ReadingAnswers[Type] | undefined> {
    const isLarge = message.sizeBytes > AT_ONCE_BYTES;
    const answer = isLarge
      ? await this.#ask(accountId, message, wanted)
      : this.#readAtOnce(accountId, message, wanted);
    return answer as ReadingAnswers[Type] | undefined;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#fail(closing());
    await this.#end();
  }

  #readAtOnce(
    accountId: AccountId,
    { body, prefix }: WholeMessage,
    wanted: Reading,
  ): Answer | undefined {
    const { bodies, readMessage } = this.#options;
    const octets = bodies.read(accountId, body);
    return octets && readMessage(Buffer.concat([Buffer.from(prefix), octets]), wanted);
  }

  #ask(
    accountId: AccountId,
    { body, prefix }: WholeMessage,
    wanted: Reading,
  ): Promise<Answer | undefined> {
    if (this.#isOver) return Promise.reject(closing());
    this.#cancelIdle();
    const waiting = Promise.withResolvers<Answer | undefined>();
    const id = ++this.#asked;
    this.#waiting.set(id, waiting);
    const bodyFile = this.#options.bodyFileOf(accountId, body);
    const question: ToReadingThread = { id, bodyFile, prefix, wanted };
    this.#worker ??= this.#start();
    this.#worker.postMessage(question, []);
    return waiting.promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./reading-worker.ts', import.meta.url), {
      workerData: this.#options.module,
      execArgv: [],
      name: 'reader',
    });
    worker.on('message', (message: FromReadingThread) => this.#take(message));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', () => this.#died(worker, new Error('the thread has ended')));
    return worker;
  }

  #take(message: FromReadingThread): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting?.resolve(message.answer);
    else waiting?.reject(message.error);
    if (this.#waiting.size > 0) return;
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => void this.#end());
  }

  #died(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#fail(new Fault('ViewsUnavailable', 'The thread that reads messages died.', { cause }));
  }

  #fail(fault: Fault): void {
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }

  async #end(): Promise<void> {
    this.#cancelIdle();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function closing(): Fault {
  return new Fault('Closing', 'The server is stopping.');
}
