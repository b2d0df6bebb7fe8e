/**
 * Response lines, and which failures count.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  countsAsAttempt,
  decodeResponse,
  SASL_RESPONSE_BYTES_MAX,
  stepOf,
} from '#protocols/sasl/mechanism';

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
  });

  it('comes from what the logins say', () => {
    const failure = { type: 'wrong-credentials' };
    assert.deepEqual(stepOf({ type: 'wrong' }), { type: 'failed', failure });
  });
});
