/**
 * Asks the thread that makes the files of bodies. Answers come when they are there; when the
 * thread dies, nobody knows which files are, and the process should end: the next start makes them
 * from the journal.
 */

import { Worker } from 'node:worker_threads';
import { Fault } from '#domain/values/fault';
import type { Filing, FilingFailure } from './body-filer.ts';

/** Makes files of bodies that stand in a segment of the journal. */
export interface Filer {
  /** Puts the segment on the disk. One answer for each filing, in their order. */
  file(segment: string, filings: readonly Filing[]): Promise<readonly FilingFailure[]>;
  /** Puts the files of a segment on the disk. */
  settle(segment: string): Promise<FilingFailure>;
  close(): Promise<void>;
}

export type StartFiler = (died: (error: unknown) => void) => Filer;

export type ToFiler =
  | {
      readonly id: number;
      readonly type: 'file';
      readonly segment: string;
      readonly filings: readonly Filing[];
    }
  | { readonly id: number; readonly type: 'settle'; readonly segment: string }
  | { readonly id: number; readonly type: 'close' };

export interface FromFiler {
  readonly id: number;
  readonly failures: readonly FilingFailure[];
}

type Question<Message> = Message extends ToFiler ? Omit<Message, 'id'> : never;

interface Waiting {
  readonly resolve: (failures: readonly FilingFailure[]) => void;
  readonly reject: (error: unknown) => void;
}

export const startFilerThread: StartFiler = (died) => new FilerThread(died);

class FilerThread implements Filer {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #died: (error: unknown) => void;
  #asked = 0;
  #isOver = false;

  constructor(died: (error: unknown) => void) {
    this.#died = died;
    this.#worker = new Worker(new URL('./body-filer-worker.ts', import.meta.url), {
      execArgv: [],
      name: 'bodies',
    });
    this.#worker.on('message', ({ id, failures }: FromFiler) => {
      this.#waiting.get(id)?.resolve(failures);
      this.#waiting.delete(id);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    this.#worker.on('error', (error) => this.#ended(error));
    this.#worker.on('exit', () => {
      resolve();
      this.#ended(new Error('the thread has ended'));
    });
  }

  file(segment: string, filings: readonly Filing[]): Promise<readonly FilingFailure[]> {
    return this.#ask({ type: 'file', segment, filings });
  }

  async settle(segment: string): Promise<FilingFailure> {
    return (await this.#ask({ type: 'settle', segment }))[0];
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#worker.postMessage({ id: 0, type: 'close' } satisfies ToFiler, []);
    await this.#exited;
  }

  #ask(question: Question<ToFiler>): Promise<readonly FilingFailure[]> {
    if (this.#isOver) return Promise.reject(gone());
    return new Promise((resolve, reject) => {
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...question, id } satisfies ToFiler, []);
    });
  }

  #ended(error: unknown): void {
    const wasWanted = this.#isOver;
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(gone(error));
    this.#waiting.clear();
    if (!wasWanted) this.#died(error);
  }
}

function gone(cause?: unknown): Fault {
  return new Fault('LogUnavailable', 'The thread that stores messages is gone.', { cause });
}
