/**
 * How much one decision may record: pieces small enough for an event, events for an append.
 *
 * Every engine keeps the bounds of `event-log.ts`; a decision that would pass them is refused
 * before it is made, and big facts are told as several events of the same type.
 */

import type { Uid } from '../values/ids.ts';
import { utf8Length } from '../values/text.ts';
import { formatUidSet, uidCount, uidSetParts, type UidSet } from '../values/uid-set.ts';
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EVENT_BYTES_MAX } from './event-log.ts';

/** Left free for the envelope and the fields around the piece that grows. */
const ENVELOPE_BYTES: number = 8 * 1024;
const PIECE_BYTES_MAX: number = EVENT_BYTES_MAX - ENVELOPE_BYTES;
const PIECES_MAX: number = Math.floor(APPEND_BYTES_MAX / EVENT_BYTES_MAX);

/** The set in parts that fit into an event each; undefined when one append cannot hold them. */
export function eventUidSets(set: UidSet): readonly UidSet[] | undefined {
  const parts = uidSetParts(set, PIECE_BYTES_MAX);
  return parts.length <= PIECES_MAX ? parts : undefined;
}

/** Messages that get new UIDs, one after the other from `firstUid` on. */
export interface EventLeg {
  readonly uids: string;
  readonly firstUid: Uid;
}

/** As eventUidSets, for messages that go where the first of them gets `firstUid`. */
export function eventLegs(set: UidSet, firstUid: Uid): readonly EventLeg[] | undefined {
  let next = firstUid;
  return eventUidSets(set)?.map((part) => {
    const leg = { uids: formatUidSet(part), firstUid: next };
    next += uidCount(part);
    return leg;
  });
}

/** As eventUidSets, for a list of records. */
export function eventLists<Item>(items: readonly Item[]): readonly (readonly Item[])[] | undefined {
  const lists: Item[][] = [];
  let list: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = jsonBytes(item) + 1;
    if (more > PIECE_BYTES_MAX) return undefined;
    if (list.length > 0 && bytes + more > PIECE_BYTES_MAX) {
      lists.push(list);
      list = [];
      bytes = 0;
    }
    list.push(item);
    bytes += more;
  }
  if (list.length > 0) lists.push(list);
  return lists.length <= PIECES_MAX ? lists : undefined;
}

/** The first of many events, as many as an append holds. */
export function firstEvents<Event>(events: readonly Event[]): readonly Event[] {
  return events.slice(0, APPEND_EVENTS_MAX);
}

/** What the cause of an event may take: the longest login, an address, a connection. */
const CAUSE_BYTES = 512;

/** True when one append holds them, whoever caused them. */
export function fitOneAppend(events: readonly object[]): boolean {
  if (events.length > APPEND_EVENTS_MAX) return false;
  const bytes = events.reduce((sum, event) => sum + jsonBytes(event) + CAUSE_BYTES, 0);
  return bytes <= APPEND_BYTES_MAX;
}

function jsonBytes(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}
