/**
 * The embedded event log: one SQLite file, written by a thread of its own, read from here.
 *
 * Appends are checked and turned into text at once, collected for the rest of the event loop's
 * turn, and handed to the writer together. An append resolves when it is on the disk; listeners
 * have heard of it before its caller goes on.
 *
 * Invariants: the writer answers in the order of the appends. The caller holds the lock of the data
 * directory (data-lock.ts).
 * Diagnostics: when the writer dies, the outcome of everything under way is unknown; `onFatal` is
 * called once, and the process should end: the next start reads what was written.
 */

import { Worker } from 'node:worker_threads';
import type { NewEvent, RecordedEvent } from '#domain/log/event';
import { type Appended, Conflict, type EventLog } from '#domain/log/event-log';
import { UPCASTS, type Upcasts } from '#domain/log/upcast';
import { unreachable } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { Revision } from '#domain/values/ids';
import { LogReader } from './event-log-sqlite-reader.ts';
import { type LogVerdict, verifyLogFile } from './event-log-sqlite-verify.ts';
import type { FromWriter, ToWriter } from './event-log-sqlite-worker.ts';
import type { Write, WriteOutcome } from './event-log-sqlite-writer.ts';
import { appendText, placedEvents, streamDropped } from './event-text.ts';

/** Octets that may wait for the disk; far beyond what a working disk lets pile up. */
const WAITING_BYTES_MAX: number = 256 * 1024 * 1024;

export interface SqliteEventLogOptions {
  readonly file: string;
  /** The writer is gone. Ends the process, once it has said so. */
  readonly onFatal: (fault: Fault) => void;
  readonly upcasts?: Upcasts;
}

export interface SqliteEventLog extends EventLog, AsyncDisposable {
  /** Walks through the whole log up to its head of this moment. */
  verify(): Promise<LogVerdict>;
}

/** Opens the log, and makes it when it is not there; its directory must be. */
export async function openSqliteEventLog(options: SqliteEventLogOptions): Promise<SqliteEventLog> {
  const worker = new Worker(new URL('./event-log-sqlite-worker.ts', import.meta.url), {
    workerData: options.file,
    execArgv: [],
    name: 'event-log',
  });
  try {
    await writerReady(worker, options.file);
    const reader = openReader(options);
    return new WorkerEventLog(options, worker, reader);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

function openReader(options: SqliteEventLogOptions): LogReader {
  const reader = new LogReader(options.file, options.upcasts ?? UPCASTS);
  try {
    reader.requireKnownVersions();
    return reader;
  } catch (error) {
    reader.close();
    throw error;
  }
}

function writerReady(worker: Worker, file: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string, temporary: boolean, cause?: unknown): void => {
    reject(new Fault('LogUnavailable', why, { temporary, cause }));
  };
  worker.once('message', (message: FromWriter) => {
    if (message.type === 'refused') fail(message.why, message.temporary);
    else resolve();
  });
  worker.once('error', (error) => fail(`The writer of ${file} did not start.`, true, error));
  worker.once('exit', () => fail(`The writer of ${file} did not start.`, true));
  return promise;
}

interface Waiting {
  readonly write: Write;
  /** What is appended, as it was given. */
  readonly events: readonly NewEvent[];
  readonly settle: (outcome: WriteOutcome) => void;
}

class WorkerEventLog implements SqliteEventLog {
  readonly #options: SqliteEventLogOptions;
  readonly #worker: Worker;
  readonly #reader: LogReader;
  readonly #exited: Promise<void>;
  readonly #listeners = new Set<(events: readonly RecordedEvent[]) => void>();
  /** What is to be written since this turn of the event loop, not yet posted. */
  #outbox: Write[] = [];
  /** What is without an answer, in the order in which the writer gets and answers them. */
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #ended: Fault | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteEventLogOptions, worker: Worker, reader: LogReader) {
    this.#options = options;
    this.#worker = worker;
    this.#reader = reader;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    worker.on('message', (message: FromWriter) => {
      if (message.type === 'outcomes') this.#answered(message.outcomes);
    });
    worker.on('error', (error) => this.#died(error));
    worker.on('exit', () => {
      resolve();
      this.#died();
    });
  }

  async append(stream: string, expected: Revision, events: readonly NewEvent[]): Promise<Appended> {
    const append = appendText(stream, expected, events, this.#options.upcasts ?? UPCASTS);
    const outcome = await this.#written(append, events);
    switch (outcome.type) {
      case 'appended':
      case 'repeated':
        return { revision: outcome.revision, position: outcome.position };
      case 'conflict':
        throw new Conflict(stream, expected, outcome.actual);
      case 'failed':
        throw logNotWritten(outcome);
      case 'refused':
        throw streamDropped(stream);
      case 'dropped':
        throw new Error('an append was answered like a drop');
      default:
        return unreachable(outcome);
    }
  }

  async drop(stream: string): Promise<number> {
    const outcome = await this.#written({ drop: stream }, []);
    if (outcome.type === 'dropped') return outcome.events;
    throw outcome.type === 'failed'
      ? logNotWritten(outcome)
      : new Error('a drop was misunderstood');
  }

  async read(stream: string, from: Revision, limit: number): Promise<readonly RecordedEvent[]> {
    return this.#reader.read(stream, from, limit);
  }

  readAll(
    after: number,
    limit: number,
    prefixes?: readonly string[],
  ): Promise<readonly RecordedEvent[]> {
    return this.#reader.readAll(after, limit, prefixes);
  }

  async head(stream: string): Promise<Revision> {
    return this.#reader.head(stream);
  }

  async streams(): Promise<ReadonlyMap<string, Revision>> {
    return this.#reader.streams();
  }

  follow(listener: (events: readonly RecordedEvent[]) => void): () => void {
    const own = (events: readonly RecordedEvent[]): void => listener(events);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async verify(): Promise<LogVerdict> {
    if (this.#ended !== undefined) throw this.#ended;
    return verifyLogFile(this.#options.file);
  }

  /** Writes what is under way, then lets go of the file. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#flush();
    this.#ended ??= new Fault('Closing', 'The event log is closed.');
    // The writer closes last, so that it finds nobody in the WAL and can empty it.
    this.#reader.close();
    this.#post({ type: 'close' });
    await this.#exited;
    this.#listeners.clear();
  }

  #written(write: Write, events: readonly NewEvent[]): Promise<WriteOutcome> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const bytes = bytesOf(write);
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      return Promise.reject(new Fault('LogUnavailable', 'Too much waits to be written.'));
    }
    if (this.#outbox.length === 0) setImmediate(() => this.#flush());
    const { promise, resolve } = Promise.withResolvers<WriteOutcome>();
    this.#outbox.push(write);
    this.#waiting.push({ write, events, settle: resolve });
    this.#waitingBytes += bytes;
    return promise;
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    this.#post({ type: 'write', writes: this.#outbox });
    this.#outbox = [];
  }

  #post(message: ToWriter): void {
    this.#worker.postMessage(message, []);
  }

  #answered(outcomes: readonly WriteOutcome[]): void {
    const answered = this.#waiting.splice(0, outcomes.length);
    const appended: (readonly RecordedEvent[])[] = [];
    for (const [index, { write, events, settle }] of answered.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      this.#waitingBytes -= bytesOf(write);
      settle(outcome);
      if (outcome.type === 'appended' && 'stream' in write && this.#listeners.size > 0) {
        appended.push(placedEvents(write.stream, events, outcome));
      }
    }
    // Callers go on after this function, so listeners still come first.
    for (const events of appended) for (const listener of this.#listeners) listener(events);
  }

  /** Called on the writer's end, which is as it should be only when closing has begun. */
  #died(cause?: unknown): void {
    if (this.#closing !== undefined && this.#waiting.length === 0) return;
    if (this.#ended?.code === 'LogUnavailable') return;
    const why = 'The writer of the event log has died; what was under way may be written or not.';
    this.#ended = new Fault('LogUnavailable', why, { cause });
    this.#outbox = [];
    for (const { settle } of this.#waiting.splice(0)) {
      settle({ type: 'failed', code: 'LogUnavailable', why });
    }
    this.#options.onFatal(this.#ended);
  }
}

function bytesOf(write: Write): number {
  return 'bytes' in write ? write.bytes : 0;
}

type Failed = Extract<WriteOutcome, { readonly type: 'failed' }>;

function logNotWritten({ code, why }: Failed): Fault {
  return new Fault(code, `The event log could not be written: ${why}.`);
}
