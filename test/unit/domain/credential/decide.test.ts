/** Rules about credentials: what is so already is not recorded again. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { given } from '../../../support/given.ts';

describe('credentials', () => {
  it('record a new password by its reference', () => {
    const state = given()
      .when({ type: 'SetPassword', secret: 's1' })
      .gives([{ type: 'PasswordSet', secret: 's1' }]);
    assert.deepEqual(state.credentials(), { passwordSecret: 's1' });
    given({ type: 'PasswordSet', secret: 's1' })
      .when({ type: 'SetPassword', secret: 's1' })
      .gives([]);
  });

  it('close and open an account to logins', () => {
    const closed = given({ type: 'LoginForbidden', reason: 'moved' });
    closed.when({ type: 'ForbidLogin', reason: 'moved' }).gives([]);
    const state = closed.when({ type: 'AllowLogin' }).gives([{ type: 'LoginAllowed' }]);
    assert.deepEqual(state.credentials(), {});
    given().when({ type: 'AllowLogin' }).gives([]);
    const again = given()
      .when({ type: 'ForbidLogin', reason: 'gone' })
      .gives([{ type: 'LoginForbidden', reason: 'gone' }]);
    assert.equal(again.credentials().forbidden, 'gone');
  });
});
