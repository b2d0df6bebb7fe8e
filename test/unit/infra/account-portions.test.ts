/** Changes by id, so many of one account at a time. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountPortions } from '#infra/account-portions';

interface Thing {
  readonly id: number;
  readonly accountId: number;
}

const THINGS: readonly Thing[] = [1, 2, 3, 4, 5].map((id) => ({ id, accountId: id < 4 ? 1 : 2 }));

function portions(portion: number, limit?: number): readonly (readonly number[])[] {
  const behind = (last: number, count: number): readonly Thing[] =>
    THINGS.filter(({ id }) => id > last).slice(0, count);
  const all = accountPortions(behind, ({ id }) => id, { portion, limit });
  return Array.from(all, ({ accountId, rows }) => [accountId, ...rows.map(({ id }) => id)]);
}

describe('portions', () => {
  it('have so many of one account, by id, until nothing is left', () => {
    assert.deepEqual(portions(2), [
      [1, 1, 2],
      [1, 3],
      [2, 4],
      [2, 5],
    ]);
    assert.deepEqual(portions(100), [
      [1, 1, 2, 3],
      [2, 4, 5],
    ]);
  });

  it('end where there are enough', () => {
    assert.deepEqual(portions(2, 3), [
      [1, 1, 2],
      [1, 3],
    ]);
    assert.deepEqual(portions(2, 0), []);
  });
});
