/**
 * Response lines, and which failures count.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TlsFacts } from '#protocols/ports';
import {
  countsAsAttempt,
  decodeResponse,
  SASL_RESPONSE_BYTES_MAX,
  stepOf,
  type ServerStep,
} from '#protocols/sasl/mechanism';
import { fakeLogins } from '../../../support/logins.ts';

describe('a response line', () => {
  it('is base64', () => {
    const data = Buffer.from('hello');
    assert.deepEqual(decodeResponse('aGVsbG8=', false), { type: 'response', data });
    const empty = { type: 'response', data: Buffer.alloc(0) };
    assert.deepEqual(decodeResponse('', false), empty);
    assert.deepEqual(decodeResponse('=', true), empty);
  });

  for (const line of ['!!!', '%%', '=', 'aGVsbG8', 'aGVsbG9=', 'aGVs bG8=', 'aGVsbG8=\r', '*x']) {
    it(`is not ${JSON.stringify(line)}`, () => {
      assert.deepEqual(decodeResponse(line, false), { type: 'bad-base64' });
    });
  }

  it('may cancel, but not with the command', () => {
    assert.deepEqual(decodeResponse('*', false), { type: 'cancelled' });
    assert.deepEqual(decodeResponse('*', true), { type: 'bad-base64' });
  });

  it('is not long', () => {
    const fits = Buffer.alloc(SASL_RESPONSE_BYTES_MAX).toString('base64');
    const more = Buffer.alloc(SASL_RESPONSE_BYTES_MAX + 1).toString('base64');
    assert.equal(decodeResponse(fits, false).type, 'response');
    assert.equal(decodeResponse(more, false).type, 'malformed');
  });
});

describe('a failure', () => {
  it('counts when somebody may be guessing', () => {
    assert.equal(countsAsAttempt({ type: 'wrong-credentials' }), true);
    assert.equal(countsAsAttempt({ type: 'wrong-binding' }), true);
    assert.equal(countsAsAttempt({ type: 'not-authorized' }), true);
    assert.equal(countsAsAttempt({ type: 'cancelled' }), false);
    assert.equal(countsAsAttempt({ type: 'forbidden', reason: 'Call us.' }), false);
    assert.equal(countsAsAttempt({ type: 'no-secret' }), false);
  });

  it('comes from what the logins say', () => {
    assert.deepEqual(stepOf({ type: 'wrong' }, { logins: LOGINS, tls: undefined }), WRONG);
  });
});

describe('a client that has shown a TLS key', () => {
  const tlsWith = (fingerprint: string): TlsFacts => ({
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32) },
    peerKey: { fingerprint, resumed: false },
  });
  const stepWith = (accountId: number, fingerprint: string): ServerStep =>
    stepOf({ type: 'ok', accountId, login: 'x' }, { logins: LOGINS, tls: tlsWith(fingerprint) });

  it('gets into the account of the key, under any of its addresses', () => {
    assert.deepEqual(stepWith(1, 'k1'), { type: 'done', accountId: 1, login: 'x' });
  });

  it('gets into no other account, whatever it proves', () => {
    assert.deepEqual(stepWith(2, 'k1'), WRONG);
  });

  it('gets in nowhere when the key is gone', () => {
    assert.deepEqual(stepWith(1, 'k2'), WRONG);
  });
});

const LOGINS = fakeLogins(
  {},
  { keys: new Map([['k1', { accountId: 1, login: 'alice@example.org', imapPreauth: true }]]) },
);

const WRONG: ServerStep = { type: 'failed', failure: { type: 'wrong-credentials' } };
