/** Accounts as lists know them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { filterById, listedAccount, listedName } from '#infra/listed-accounts';

const ALICE = { accountId: 1, name: 'alice' };
const OLD = { accountId: 2, name: 'Bob' };
const NEW = { accountId: 3, name: 'bob' };
const KNOWN = {
  accounts: new Map([
    [1, ALICE],
    [3, NEW],
  ]),
  removed: new Map([
    [2, OLD],
    [4, { accountId: 4, name: 'carol' }],
  ]),
};

describe('an account in a list', () => {
  it('is found by name, those that were removed behind the others', () => {
    assert.equal(listedAccount(KNOWN, 'Alice'), ALICE);
    assert.equal(listedAccount(KNOWN, 'bob'), NEW);
    assert.equal(listedAccount(KNOWN, 'carol')?.accountId, 4);
    assert.equal(listedAccount(KNOWN, 'dave'), undefined);
  });

  it('has its name also when it was removed', () => {
    assert.equal(listedName(KNOWN, 1), 'alice');
    assert.equal(listedName(KNOWN, 2), 'Bob');
    assert.equal(listedName(KNOWN, 9), '');
  });

  it('is a number in a filter', () => {
    assert.deepEqual(filterById(KNOWN, { account: 'carol', max: 5 }), { accountId: 4, max: 5 });
    const none: { readonly account?: string; readonly max: number } = { max: 5 };
    assert.deepEqual(filterById(KNOWN, none), { max: 5 });
    assert.deepEqual(filterById(KNOWN, { account: 'dave' }), {
      refused: 'NoSuchAccount',
      detail: 'dave',
    });
  });
});
