/** Big facts in pieces that every engine of the log can hold. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventLists, eventUidSets, firstEvents, fitOneAppend } from '#domain/log/event-size';
import { APPEND_EVENTS_MAX, EVENT_BYTES_MAX } from '#domain/log/event-log';
import { formatUidSet, normalUidSet, uidRange, type UidSet } from '#domain/values/uid-set';

function everySecond(count: number): UidSet {
  return Array.from({ length: count }, (_, i) => [2 * i + 1, 2 * i + 1] as const);
}

describe('a set of UIDs', () => {
  it('is one piece as long as it fits', () => {
    assert.deepEqual(eventUidSets(uidRange(1, 4_000_000_000)), [[[1, 4_000_000_000]]]);
    assert.deepEqual(eventUidSets([]), []);
  });

  it('is cut where it does not fit, losing nothing', () => {
    const set = everySecond(60_000);
    const parts = eventUidSets(set);
    assert.equal(parts?.length, 2);
    assert.deepEqual(normalUidSet(parts?.flat() ?? []), set);
    for (const part of parts ?? []) assert.ok(formatUidSet(part).length < EVENT_BYTES_MAX - 8000);
  });

  it('is too much when an append could not hold it', () => {
    assert.equal(eventUidSets(everySecond(200_000)), undefined);
  });
});

describe('a list', () => {
  it('is cut by the octets of its JSON', () => {
    const items = Array.from({ length: 6 }, () => ({ text: 'ü'.repeat(30_000) }));
    assert.deepEqual(
      eventLists(items)?.map((list) => list.length),
      [4, 2],
    );
    assert.deepEqual(eventLists([]), []);
  });

  it('is too much when an item or all of them do not fit', () => {
    assert.equal(eventLists(['x'.repeat(300_000)]), undefined);
    assert.equal(eventLists(Array(20).fill('x'.repeat(100_000))), undefined);
  });
});

it('many events are taken as far as one append goes', () => {
  assert.equal(firstEvents(Array(501).fill('x')).length, 500);
});

describe('one append', () => {
  const events = (count: number, bytes: number): readonly object[] =>
    Array.from({ length: count }, () => ({ type: 'x'.repeat(bytes) }));

  it('holds so many events', () => {
    assert.equal(fitOneAppend(events(APPEND_EVENTS_MAX, 1)), true);
    assert.equal(fitOneAppend(events(APPEND_EVENTS_MAX + 1, 1)), false);
  });

  it('holds so many octets, whoever caused them', () => {
    assert.equal(fitOneAppend(events(2, 250 * 1024)), true);
    assert.equal(fitOneAppend(events(2, 256 * 1024)), false);
    assert.equal(fitOneAppend(events(APPEND_EVENTS_MAX, 1000)), false);
  });
});
