/** Whose an address is. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { twoDomains } from '../../../support/two-domains.ts';
import { accountOfAddress } from '#domain/directory/state';

describe('the owner of an address', () => {
  it('is found whatever its case and its tag', () => {
    for (const localpart of ['shop', 'SHOP', 'shop+x', 'shop-y+z']) {
      assert.equal(accountOfAddress(twoDomains(), localpart, 'one.org'), 2, localpart);
    }
    assert.equal(accountOfAddress(twoDomains(), 'shopping', 'one.org'), undefined);
  });

  it('29: depends on case where the domain says so, and is the catchall’s otherwise', () => {
    assert.equal(accountOfAddress(twoDomains(), 'Shop', 'two.org'), 2);
    assert.equal(accountOfAddress(twoDomains(), 'shop', 'two.org'), 1);
    assert.equal(accountOfAddress(twoDomains(), 'Shop+x', 'two.org'), 1);
  });
});
