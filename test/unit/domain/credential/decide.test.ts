/** Rules about credentials: what is so already is not recorded again. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { given } from '../../../support/given.ts';
import { KEY } from '../../../support/tls-key.ts';

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

  it('operations 33: close it with a reason that every client can show', () => {
    for (const reason of ['', 'two\nlines', 'schön', 'x'.repeat(257), '[ALERT] moved']) {
      given().when({ type: 'ForbidLogin', reason }).refused('LoginReasonForbidden');
    }
    const reason = 'x'.repeat(256);
    given()
      .when({ type: 'ForbidLogin', reason })
      .gives([{ type: 'LoginForbidden', reason }]);
  });
});

const ADDED = { type: 'TlsKeyAdded', ...KEY } as const;

describe('TLS keys', () => {
  it('are added once to an account', () => {
    const state = given()
      .when({ type: 'AddTlsKey', ...KEY })
      .gives([ADDED]);
    assert.deepEqual(state.tlsKey('f1'), KEY);
    assert.equal(state.tlsKeyCount(), 1);
    given(ADDED)
      .when({ type: 'AddTlsKey', ...KEY, name: 'again' })
      .refused('TlsKeyTaken');
  });

  for (const keyType of ['rsa-2048', 'rsa-16384', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521']) {
    it(`may be ${keyType}`, () => {
      given()
        .when({ type: 'AddTlsKey', ...KEY, keyType })
        .gives([{ ...ADDED, keyType }]);
    });
  }

  for (const keyType of ['rsa-1024', 'rsa-2047', 'rsa-', 'ecdsa-secp256k1', 'dsa', 'ed448', '']) {
    it(`53: may not be ${keyType}`, () => {
      given()
        .when({ type: 'AddTlsKey', ...KEY, keyType })
        .refused('TlsKeyForbidden');
    });
  }

  it('have names that fit into one line of a list', () => {
    for (const name of ['', ' a', 'a\tb', 'a\nb', 'a\u2028b', 'x'.repeat(101)]) {
      given()
        .when({ type: 'AddTlsKey', ...KEY, name })
        .refused('TlsKeyNameForbidden');
      given(ADDED)
        .when({ type: 'ChangeTlsKey', fingerprint: 'f1', name })
        .refused('TlsKeyNameForbidden');
    }
    const name = 'J\u00fcrgens Telefon (alt)';
    given()
      .when({ type: 'AddTlsKey', ...KEY, name })
      .gives([{ ...ADDED, name }]);
  });

  it('are a hundred at most', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => ({ ...ADDED, fingerprint: `f${i}` }));
    given(...hundred)
      .when({ type: 'AddTlsKey', ...KEY, fingerprint: 'one more' })
      .refused('TooManyTlsKeys');
    given(...hundred, { type: 'TlsKeyRemoved', fingerprint: 'f7' })
      .when({ type: 'AddTlsKey', ...KEY, fingerprint: 'one more' })
      .gives([{ ...ADDED, fingerprint: 'one more' }]);
  });

  it('are changed in what is asked for', () => {
    const changed = {
      type: 'TlsKeyChanged',
      fingerprint: 'f1',
      name: 'laptop',
      noImapPreauth: true,
      login: 'alice@example.org',
    } as const;
    const state = given(ADDED)
      .when({ type: 'ChangeTlsKey', fingerprint: 'f1', noImapPreauth: true })
      .gives([changed]);
    assert.deepEqual(state.tlsKey('f1'), { ...KEY, noImapPreauth: true });
    given(ADDED)
      .when({ type: 'ChangeTlsKey', fingerprint: 'f1', name: 'phone', login: 'a2@example.org' })
      .gives([{ ...changed, noImapPreauth: false, name: 'phone', login: 'a2@example.org' }]);
    given(ADDED)
      .when({ type: 'ChangeTlsKey', fingerprint: 'f1', name: 'laptop', noImapPreauth: false })
      .gives([]);
    given()
      .when({ type: 'ChangeTlsKey', fingerprint: 'f1', name: 'phone' })
      .refused('NoSuchTlsKey');
  });

  it('are removed, and may be added again', () => {
    const removed = { type: 'TlsKeyRemoved', fingerprint: 'f1' } as const;
    const state = given(ADDED).when({ type: 'RemoveTlsKey', fingerprint: 'f1' }).gives([removed]);
    assert.equal(state.tlsKey('f1'), undefined);
    given(ADDED, removed).when({ type: 'RemoveTlsKey', fingerprint: 'f1' }).refused('NoSuchTlsKey');
    given(ADDED, removed)
      .when({ type: 'AddTlsKey', ...KEY })
      .gives([ADDED]);
  });
});
