/**
 * Asks a thread that works on full-text indexes: what can be asked, and what comes back.
 *
 * Answers come in the order of the requests. When the thread dies, everything under way fails, and
 * so does what is asked later.
 */

import { Worker } from 'node:worker_threads';
import { Fault, type FaultCode } from '#domain/values/fault';
import type { MessageId } from '#domain/values/ids';
import type { TextSource } from '#projections/text-sources';
import type { FoundTexts, IndexedSource, TextCondition, TextsReached } from '#projections/texts';

/** A content, and the file of its body. */
export interface PlacedSource extends TextSource {
  readonly bodyFile: string;
}

/** What is asked about an index. */
export type TextRequest =
  | { readonly type: 'reached' }
  | { readonly type: 'begin' }
  | {
      readonly type: 'add';
      readonly sources: readonly PlacedSource[];
      readonly reached: TextsReached;
    }
  | {
      readonly type: 'keep';
      readonly after: MessageId;
      readonly upTo: MessageId;
      readonly live: readonly MessageId[];
    }
  | { readonly type: 'find'; readonly condition: TextCondition }
  | { readonly type: 'sources'; readonly after: MessageId; readonly limit: number }
  | { readonly type: 'check' }
  | { readonly type: 'close' };

export interface TextAnswers {
  /** How far it is; undefined when there is none that is good, or nothing in it. */
  readonly reached: TextsReached | undefined;
  /** It is made anew, with nothing in it. */
  readonly begin: void;
  readonly add: void;
  /** How many contents left it. */
  readonly keep: number;
  readonly find: FoundTexts | undefined;
  readonly sources: readonly IndexedSource[];
  /** It makes sense in itself; rejects when it does not. */
  readonly check: void;
  readonly close: void;
}

export interface ToTextThread {
  readonly id: number;
  /** Of the index. */
  readonly file: string;
  readonly request: TextRequest;
}

export type FromTextThread =
  | { readonly id: number; readonly type: 'answer'; readonly answer: unknown }
  | {
      readonly id: number;
      readonly type: 'failed';
      readonly code: FaultCode;
      readonly why: string;
      readonly isDamaged: boolean;
    };

/** The maker works when nobody else wants to; the finder answers searches. */
export type TextThreadRole = 'maker' | 'finder';

export interface TextThreadData {
  readonly role: TextThreadRole;
  /** The module that reads messages: `readTexts`. */
  readonly reader: string;
  /** Not 0 when what is under way is to be given up. */
  readonly stop: SharedArrayBuffer;
}

export interface TextThread {
  /** Rejects with a Fault. */
  ask<Type extends TextRequest['type']>(
    file: string,
    request: Extract<TextRequest, { readonly type: Type }>,
  ): Promise<TextAnswers[Type]>;
  /** Gives up what is under way, and closes every file. */
  close(): Promise<void>;
}

export interface TextThreadEvents {
  /** Only a new file mends the index; told before the request fails. */
  readonly damaged: (file: string) => void;
  readonly died: (error: unknown) => void;
}

export type StartTextThread = (role: TextThreadRole, events: TextThreadEvents) => TextThread;

/** Threads whose messages are read by this module. */
export function textThreads(reader: string): StartTextThread {
  return (role, events) => new WorkerTextThread(role, reader, events);
}

interface Waiting {
  readonly file: string;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Fault) => void;
}

class WorkerTextThread implements TextThread {
  readonly #events: TextThreadEvents;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #stop = new SharedArrayBuffer(4);
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #ended: Fault | undefined;

  constructor(role: TextThreadRole, reader: string, events: TextThreadEvents) {
    this.#events = events;
    const data: TextThreadData = { role, reader, stop: this.#stop };
    this.#worker = new Worker(new URL('./text-index-worker.ts', import.meta.url), {
      workerData: data,
      execArgv: [],
      name: `texts-${role}`,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    this.#worker.on('message', (message: FromTextThread) => this.#take(message));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => {
      resolve();
      this.#end(new Error('the thread has ended'));
    });
  }

  ask<Type extends TextRequest['type']>(
    file: string,
    request: Extract<TextRequest, { readonly type: Type }>,
  ): Promise<TextAnswers[Type]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++this.#asked;
    this.#waiting.set(id, { file, resolve, reject });
    const message: ToTextThread = { id, file, request };
    this.#worker.postMessage(message, []);
    return promise as Promise<TextAnswers[Type]>;
  }

  async close(): Promise<void> {
    this.#end(undefined);
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    this.#worker.postMessage('end', []);
    await this.#exited;
  }

  #take(message: FromTextThread): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    if (message.type === 'answer') return waiting.resolve(message.answer);
    if (message.isDamaged) this.#events.damaged(waiting.file);
    waiting.reject(new Fault(message.code, message.why));
  }

  /** `error` is undefined when the end is wanted. */
  #end(error: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended =
      error === undefined
        ? new Fault('Closing', 'The server is stopping.')
        : new Fault('ViewsUnavailable', 'The thread of the text index died.', { cause: error });
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
    if (error !== undefined) this.#events.died(error);
  }
}
