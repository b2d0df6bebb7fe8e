/**
 * Events as the text that engines store: checked once, on the way in.
 *
 * Invariants: what goes in comes out equal, because only plain JSON is let through (no bigint,
 * undefined, NaN, Date or Buffer, which JSON would drop or change silently).
 * Diagnostics: data that is not plain JSON is a bug of the caller, thrown as TypeError before
 * anything is written; too much of it is AppendTooLarge.
 */

import type { Cause, NewEvent, RecordedEvent } from '#domain/log/event';
import {
  APPEND_BYTES_MAX,
  APPEND_EVENTS_MAX,
  AppendTooLarge,
  EVENT_BYTES_MAX,
} from '#domain/log/event-log';
import { currentVersion, type Upcasts } from '#domain/log/upcast';
import { Fault } from '#domain/values/fault';

export interface EventText {
  /** The UUID as 32 lower-case hex digits. */
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly at: number;
  readonly data: string;
  readonly meta: string;
}

/** One append, ready to be compared and stored. */
export interface AppendText {
  readonly stream: string;
  readonly expected: number;
  readonly events: readonly EventText[];
  /** Octets of data and meta of all events. */
  readonly bytes: number;
}

const STREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._@/-]{0,199}$/;
const TYPE_NAME = /^[A-Z][A-Za-z0-9]{0,99}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DEPTH_MAX = 32;

export function appendText(
  stream: string,
  expected: number,
  events: readonly NewEvent[],
  upcasts: Upcasts,
): AppendText {
  if (!STREAM_NAME.test(stream)) throw new TypeError(`not the name of a stream: ${stream}`);
  if (!Number.isSafeInteger(expected) || expected < -1) {
    throw new TypeError(`not a revision to expect: ${expected}`);
  }
  if (events.length === 0) throw new TypeError('an append needs an event');
  if (events.length > APPEND_EVENTS_MAX) {
    throw new AppendTooLarge(`${events.length} events in one append, at most ${APPEND_EVENTS_MAX}`);
  }
  let bytes = 0;
  const texts = events.map((event) => {
    const text = eventText(event, upcasts);
    const size = Buffer.byteLength(text.data) + Buffer.byteLength(text.meta);
    if (size > EVENT_BYTES_MAX) {
      throw new AppendTooLarge(`${event.type} of ${size} octets, at most ${EVENT_BYTES_MAX}`);
    }
    bytes += size;
    return text;
  });
  if (bytes > APPEND_BYTES_MAX) {
    throw new AppendTooLarge(`${bytes} octets in one append, at most ${APPEND_BYTES_MAX}`);
  }
  return { stream, expected, events: texts, bytes };
}

function eventText(event: NewEvent, upcasts: Upcasts): EventText {
  const { id, type, version, at } = event;
  if (!UUID.test(id)) throw new TypeError(`not a lower-case UUID: ${id}`);
  if (!TYPE_NAME.test(type)) throw new TypeError(`not the name of an event type: ${type}`);
  if (version !== currentVersion(type, upcasts)) {
    throw new TypeError(`${type} is written at version ${currentVersion(type, upcasts)}`);
  }
  if (!Number.isSafeInteger(at)) throw new TypeError(`not a time: ${at}`);
  return {
    id: id.replaceAll('-', ''),
    type,
    version,
    at,
    data: plainJson(event.data),
    meta: plainJson(event.cause),
  };
}

function plainJson(value: object): string {
  requirePlain(value, 0);
  return JSON.stringify(value);
}

function requirePlain(value: unknown, depth: number): void {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return;
    throw new TypeError(`an event cannot hold ${value}`);
  }
  if (typeof value !== 'object') throw new TypeError(`an event cannot hold a ${typeof value}`);
  if (depth === DEPTH_MAX) throw new TypeError('an event nests too deeply');
  if (Array.isArray(value)) {
    for (const item of value) requirePlain(item, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('an event can hold plain objects only');
  }
  for (const item of Object.values(value)) requirePlain(item, depth + 1);
}

/** Why an append to a dropped stream is refused. */
export function streamDropped(stream: string): Fault {
  const why = `The stream ${stream} was dropped; its name is not used again.`;
  return new Fault('StreamDropped', why, { temporary: false });
}

/** The event as it was given, in its place. */
export function recordedEvent(
  text: EventText,
  stream: string,
  revision: number,
  position: number,
): RecordedEvent {
  const data: object = JSON.parse(text.data);
  const cause: Cause = JSON.parse(text.meta);
  const { id: hex, type, version, at } = text;
  const start = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}`;
  const id = `${start}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return { id, type, version, at, data, cause, stream, revision, position };
}

/** The events of an append that took its place; `last` are revision and position of the last. */
export function placedEvents(
  stream: string,
  events: readonly NewEvent[],
  last: { readonly revision: number; readonly position: number },
): readonly RecordedEvent[] {
  const revision = last.revision - events.length + 1;
  const position = last.position - events.length + 1;
  return events.map(({ id, type, version, at, data, cause }, index) => ({
    id,
    type,
    version,
    at,
    data,
    cause,
    stream,
    revision: revision + index,
    position: position + index,
  }));
}
