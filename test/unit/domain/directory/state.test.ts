/** Whose an address is. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DirectoryEvent } from '#domain/directory/events';
import { evolveDirectory } from '#domain/directory/evolve';
import { accountOfAddress, emptyDirectory, type DirectoryState } from '#domain/directory/state';

const HISTORY: readonly DirectoryEvent[] = [
  { type: 'AccountAdded', accountId: 1, name: 'admin' },
  { type: 'AccountAdded', accountId: 2, name: 'shop' },
  { type: 'DomainAdded', domain: 'one.org', catchallSeparator: '+-', caseSensitive: false },
  { type: 'DomainAdded', domain: 'two.org', catchallSeparator: '', caseSensitive: true },
  { type: 'AddressAdded', localpart: 'shop', domain: 'one.org', accountId: 2 },
  { type: 'AddressAdded', localpart: 'Shop', domain: 'two.org', accountId: 2 },
  { type: 'AddressAdded', localpart: '', domain: 'two.org', accountId: 1 },
];

function directory(): DirectoryState {
  return HISTORY.reduce(evolveDirectory, emptyDirectory());
}

describe('the owner of an address', () => {
  it('is found whatever its case and its tag', () => {
    for (const localpart of ['shop', 'SHOP', 'shop+x', 'shop-y+z']) {
      assert.equal(accountOfAddress(directory(), localpart, 'one.org'), 2, localpart);
    }
    assert.equal(accountOfAddress(directory(), 'shopping', 'one.org'), undefined);
  });

  it('29: depends on case where the domain says so, and is the catchall’s otherwise', () => {
    assert.equal(accountOfAddress(directory(), 'Shop', 'two.org'), 2);
    assert.equal(accountOfAddress(directory(), 'shop', 'two.org'), 1);
    assert.equal(accountOfAddress(directory(), 'Shop+x', 'two.org'), 1);
  });
});
