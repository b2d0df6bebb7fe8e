/**
 * Work takes turns when there is too much of it.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Slots } from '#infra/slots';

it('only so much goes on at once, the rest follows in its order', async () => {
  const slots = new Slots(2);
  const begun: number[] = [];
  const ends = [0, 1, 2, 3, 4].map(() => Promise.withResolvers<void>());
  const done = ends.map(({ promise }, i) =>
    slots.run(async () => {
      begun.push(i);
      await promise;
      return i;
    }),
  );
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.resolve();
  assert.equal(await done[1], 1);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  assert.deepEqual(await Promise.all(done), [0, 1, 2, 3, 4]);
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});

it('work that fails makes room too', async () => {
  const slots = new Slots(1);
  const failing = slots.run(() => Promise.reject(new Error('no')));
  const next = slots.run(() => Promise.resolve('yes'));
  await assert.rejects(failing, { message: 'no' });
  assert.equal(await next, 'yes');
  assert.equal(await slots.run(() => Promise.resolve('again')), 'again');
});
