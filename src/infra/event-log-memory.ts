/**
 * The event log in memory: the same answers as the other engines, for tests and simulations.
 *
 * Events are kept as text, so that nobody can change one behind the log's back, and so that what is
 * not plain JSON is refused here as well.
 */

import type { NewEvent, RecordedEvent } from '#domain/log/event';
import { type Appended, Conflict, type EventLog } from '#domain/log/event-log';
import { UPCASTS, upcast, type Upcasts } from '#domain/log/upcast';
import type { Revision } from '#domain/values/ids';
import { Fault } from '#domain/values/fault';
import {
  type AppendText,
  appendText,
  type EventText,
  placedEvents,
  recordedEvent,
  streamDropped,
} from './event-text.ts';

interface StoredEvent {
  readonly text: EventText;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
}

/** What outlives the log that wrote it, like the file of another engine. */
export interface MemoryLogStore {
  /** In the order of positions, which count from 1; undefined where one was dropped. */
  readonly events: (StoredEvent | undefined)[];
  readonly streams: Map<string, StoredEvent[]>;
  /** Streams that were dropped, with their heads. */
  readonly dropped: Map<string, Revision>;
}

export interface MemoryEventLogOptions {
  readonly store?: MemoryLogStore;
  readonly upcasts?: Upcasts;
}

export function memoryLogStore(): MemoryLogStore {
  return { events: [], streams: new Map(), dropped: new Map() };
}

export function openMemoryEventLog(
  options: MemoryEventLogOptions = {},
): EventLog & AsyncDisposable {
  return new MemoryEventLog(options.store ?? memoryLogStore(), options.upcasts ?? UPCASTS);
}

class MemoryEventLog implements EventLog, AsyncDisposable {
  readonly #upcasts: Upcasts;
  readonly #events: (StoredEvent | undefined)[];
  readonly #streams: Map<string, StoredEvent[]>;
  readonly #dropped: Map<string, Revision>;
  readonly #listeners = new Set<(events: readonly RecordedEvent[]) => void>();
  #closed = false;

  constructor(store: MemoryLogStore, upcasts: Upcasts) {
    this.#events = store.events;
    this.#streams = store.streams;
    this.#dropped = store.dropped;
    this.#upcasts = upcasts;
  }

  async append(stream: string, expected: Revision, events: readonly NewEvent[]): Promise<Appended> {
    const append = appendText(stream, expected, events, this.#upcasts);
    this.#requireOpen();
    if (this.#dropped.has(stream)) throw streamDropped(stream);
    const stored = this.#streams.get(stream) ?? [];
    const repeated = repeatedAppend(append, stored);
    if (repeated !== undefined) return repeated;
    if (stored.length - 1 !== expected) throw new Conflict(stream, expected, stored.length - 1);
    this.#streams.set(stream, stored);
    for (const text of append.events) {
      const position = this.#events.length + 1;
      const event = { text, stream, revision: stored.length, position };
      stored.push(event);
      this.#events.push(event);
    }
    const appended = { revision: stored.length - 1, position: this.#events.length };
    // Listeners hear of it when the caller has gone on, as with engines that wait for a disk.
    await Promise.resolve();
    const placed = placedEvents(stream, events, appended);
    for (const listener of this.#listeners) listener(placed);
    return appended;
  }

  async read(stream: string, from: Revision, limit: number): Promise<readonly RecordedEvent[]> {
    this.#requireOpen();
    const stored = this.#streams.get(stream) ?? [];
    const first = Math.max(0, from);
    return stored.slice(first, first + limit).map((event) => this.#recorded(event));
  }

  async readAll(
    after: number,
    limit: number,
    prefixes?: readonly string[],
  ): Promise<readonly RecordedEvent[]> {
    this.#requireOpen();
    return this.#events
      .values()
      .drop(Math.max(0, after))
      .filter((event) => event !== undefined)
      .filter(({ stream }) => prefixes?.some((prefix) => stream.startsWith(prefix)) ?? true)
      .take(limit)
      .map((event) => this.#recorded(event))
      .toArray();
  }

  async head(stream: string): Promise<Revision> {
    this.#requireOpen();
    return this.#dropped.get(stream) ?? (this.#streams.get(stream)?.length ?? 0) - 1;
  }

  async streams(): Promise<ReadonlyMap<string, Revision>> {
    this.#requireOpen();
    return new Map([...this.#streams].map(([name, stored]) => [name, stored.length - 1]));
  }

  async drop(stream: string): Promise<number> {
    this.#requireOpen();
    const stored = this.#streams.get(stream) ?? [];
    if (stored.length === 0) return 0;
    for (const { position } of stored) this.#events[position - 1] = undefined;
    this.#streams.delete(stream);
    this.#dropped.set(stream, stored.length - 1);
    return stored.length;
  }

  follow(listener: (events: readonly RecordedEvent[]) => void): () => void {
    const own = (events: readonly RecordedEvent[]): void => listener(events);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #recorded({ text, stream, revision, position }: StoredEvent): RecordedEvent {
    return upcast(recordedEvent(text, stream, revision, position), this.#upcasts);
  }

  #requireOpen(): void {
    if (this.#closed) throw new Fault('Closing', 'The event log is closed.');
  }
}

/** The same ids stand at the expected revisions already: the answer was lost, not the append. */
function repeatedAppend(append: AppendText, stored: readonly StoredEvent[]): Appended | undefined {
  const first = append.expected + 1;
  const there = stored.slice(first, first + append.events.length);
  const last = there.at(-1);
  const same =
    there.length === append.events.length &&
    there.every(({ text }, index) => text.id === append.events[index]?.id);
  return same && last !== undefined
    ? { revision: last.revision, position: last.position }
    : undefined;
}
