/** Bodies stay while somebody copies them, and no longer. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fakeClock } from '../../support/clock.ts';
import { LeasedHolds } from '#infra/removal-holds';

const LEASE_MS = 15 * 60_000;

function given() {
  const clock = fakeClock();
  const said: string[] = [];
  const sweep = {
    async paused<T>(task: () => Promise<T>): Promise<T> {
      said.push('paused');
      const result = await task();
      said.push('goes on');
      return result;
    },
  };
  return { clock, said, holds: new LeasedHolds({ clock, sweep }) };
}

describe('a hold', () => {
  it('lasts until the last one has ended', async () => {
    const { said, holds } = given();
    const [first, second] = await Promise.all([holds.begin(), holds.begin()]);
    holds.end(first);
    await setImmediate();
    assert.deepEqual(said, ['paused']);
    holds.end(second);
    await setImmediate();
    assert.deepEqual(said, ['paused', 'goes on']);
    await holds.begin();
    assert.deepEqual(said, ['paused', 'goes on', 'paused']);
  });

  it('of somebody who is gone is over after a while, and one that is renewed is not', async () => {
    const { clock, said, holds } = given();
    const id = await holds.begin();
    clock.advance(LEASE_MS - 1);
    assert.equal(holds.renew(id), true);
    clock.advance(LEASE_MS - 1);
    assert.deepEqual(said, ['paused']);
    clock.advance(1);
    await setImmediate();
    assert.deepEqual(said, ['paused', 'goes on']);
    assert.equal(holds.renew(id), false);
  });

  it('ends with the server', async () => {
    const { said, holds } = given();
    await holds.begin();
    holds.close();
    await setImmediate();
    assert.deepEqual(said, ['paused', 'goes on']);
    await assert.rejects(holds.begin(), /The server is stopping/);
  });
});
