/**
 * Older versions of events are lifted step by step.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { currentVersion, upcast, type Upcasts } from '#domain/log/upcast';
import { someEvent } from '../../../support/events.ts';

const STEPS: Upcasts = new Map([
  [
    'ThingHappened',
    [
      (data: object): object => ({ ...data, first: true }),
      (data: object): object => ({ wrapped: data }),
    ],
  ],
]);

describe('upcast', () => {
  it('applies every step that the version lacks, in order', () => {
    const old = someEvent('a', { n: 1 });
    const lifted = upcast(old, STEPS);
    assert.deepEqual(lifted, { ...old, version: 3, data: { wrapped: { n: 1, first: true } } });
    assert.deepEqual(old.data, { n: 1 });
  });

  it('applies only the steps after the version', () => {
    const middle = { ...someEvent('a', { n: 1 }), version: 2 };
    assert.deepEqual(upcast(middle, STEPS).data, { wrapped: { n: 1 } });
  });

  it('gives back the same object when it is current or of a type without steps', () => {
    const current = { ...someEvent('a'), version: 3 };
    assert.equal(upcast(current, STEPS), current);
    const other = { ...someEvent('a'), type: 'OtherHappened' };
    assert.equal(upcast(other, STEPS), other);
  });

  it('counts versions from 1', () => {
    assert.equal(currentVersion('ThingHappened', STEPS), 3);
    assert.equal(currentVersion('OtherHappened', STEPS), 1);
  });
});
