/** Work on many things, so many at a time. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inPortions } from '#protocols/portions';

describe('work in portions', () => {
  it('gives what came of each, in order, and runs no more at once', async () => {
    let running = 0;
    let most = 0;
    const doubled = await inPortions([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return 2 * item;
    });
    assert.deepEqual([doubled, most], [[2, 4, 6, 8, 10], 2]);
  });

  it('ends with the portion in which something fails', async () => {
    const begun: number[] = [];
    const failing = inPortions([1, 2, 3], 1, async (item) => {
      begun.push(item);
      if (item === 2) throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    assert.deepEqual(begun, [1, 2]);
  });
});
