/** Ids that are unique on the whole server. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { accountOfServerWideId, counterOfServerWideId, serverWideId } from '#domain/values/ids';

it('a server-wide id tells the account and its counter, and is a safe integer', () => {
  const id = serverWideId(1_000_000, 2 ** 32 - 1);
  assert.ok(Number.isSafeInteger(id));
  assert.equal(accountOfServerWideId(id), 1_000_000);
  assert.equal(counterOfServerWideId(id), 2 ** 32 - 1);
});
