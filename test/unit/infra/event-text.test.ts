/**
 * Events become text and come back equal; whatever would not is refused.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NewEvent } from '#domain/log/event';
import { UPCASTS } from '#domain/log/upcast';
import { appendText, placedEvents, recordedEvent } from '#infra/event-text';
import { someEvent, someEvents } from '../../support/events.ts';

function textOf(event: NewEvent): ReturnType<typeof appendText> {
  return appendText('account-1', -1, [event], UPCASTS);
}

describe('event text', () => {
  it('comes back equal, whatever plain JSON the data is', () => {
    const anyData = fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false }));
    fc.assert(
      fc.property(anyData, fc.uuid(), (data, id) => {
        const event = { ...someEvent('a', data), id };
        const [text] = textOf(event).events;
        assert.ok(text !== undefined);
        const { stream: _stream, revision, position, ...back } = recordedEvent(text, 's', 4, 9);
        // Through JSON, which knows neither −0 nor objects without a prototype.
        assert.deepEqual(back, JSON.parse(JSON.stringify(event)));
        assert.deepEqual([revision, position], [4, 9]);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('counts octets, not characters', () => {
    const text = textOf({ ...someEvent('a', { text: 'ü€' }), cause: { actor: 'x' } });
    assert.equal(text.bytes, '{"text":""}'.length + 5 + '{"actor":"x"}'.length);
  });

  it('refuses names, ids, times and revisions that no log could keep', () => {
    const event = someEvent('a');
    const bad: NewEvent[] = [
      { ...event, id: 'not a uuid' },
      { ...event, id: event.id.toUpperCase() },
      { ...event, type: 'no name' },
      { ...event, version: 2 },
      { ...event, at: 0.5 },
      { ...event, at: Number.NaN },
    ];
    for (const each of bad) assert.throws(() => textOf(each), TypeError);
    for (const stream of ['', '$system', 'a b', 'ü', 'x'.repeat(201)]) {
      assert.throws(() => appendText(stream, -1, [event], UPCASTS), TypeError);
    }
    for (const expected of [-2, 0.5, Number.NaN, 2 ** 53]) {
      assert.throws(() => appendText('account-1', expected, [event], UPCASTS), TypeError);
    }
  });

  it('refuses holes in lists and depth without end', () => {
    const holes: unknown[] = [];
    holes.length = 3;
    assert.throws(() => textOf(someEvent('a', { holes })), TypeError);
    let deep: object = {};
    for (let depth = 0; depth < 100; depth++) deep = { deep };
    assert.throws(() => textOf(someEvent('a', deep)), TypeError);
  });

  it('counts back from the last event to the places of all', () => {
    const placed = placedEvents('account-1', someEvents('a', 3), { revision: 6, position: 40 });
    assert.deepEqual(
      placed.map(({ revision, position }) => [revision, position]),
      [
        [4, 38],
        [5, 39],
        [6, 40],
      ],
    );
  });
});
