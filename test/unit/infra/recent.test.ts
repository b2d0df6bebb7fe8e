/**
 * The cache keeps what was used last, and never more than its bytes.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Recent } from '#infra/recent';

it('what was used longest ago goes first', () => {
  const recent = new Recent<number>(40);
  for (let key = 0; key < 4; key++) recent.set(`${key}`, key, 10);
  assert.equal(recent.get('0'), 0);
  recent.set('4', 4, 10);
  assert.equal(recent.get('1'), undefined);
  assert.equal(recent.get('0'), 0);
  assert.equal(recent.get('4'), 4);
});

it('a value that is replaced counts once', () => {
  const recent = new Recent<number>(40);
  recent.set('a', 1, 10);
  for (let round = 0; round < 10; round++) recent.set('b', round, 10);
  assert.equal(recent.get('a'), 1);
  assert.equal(recent.get('b'), 9);
});

it('a value that would push out most others is not kept, nor what stood there before', () => {
  const recent = new Recent<number>(40);
  recent.set('a', 1, 10);
  recent.set('a', 2, 11);
  assert.equal(recent.get('a'), undefined);
});

it('holds the younger half of its bytes at least, and never more than all', () => {
  for (let count = 1; count < 30; count++) {
    const recent = new Recent<number>(80);
    for (let key = 0; key < count; key++) recent.set(`${key}`, key, 10);
    // From the youngest on: asking for an older one may push out others as old as it.
    let held = 0;
    while (held < count && recent.get(`${count - 1 - held}`) !== undefined) held++;
    assert.ok(held >= Math.min(count, 4) && held <= 8, `${held} of ${count}`);
  }
});

it('what was dropped is not found, young or old', () => {
  const recent = new Recent<number>(80);
  for (let key = 0; key < 6; key++) recent.set(`${key}`, key, 10);
  for (const key of ['0', '5', 'never there']) recent.drop(key);
  assert.deepEqual([recent.get('0'), recent.get('5')], [undefined, undefined]);
  assert.equal(recent.get('4'), 4);
});
