/**
 * Digests from states that were kept half-way.
 */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { hmacMd5, hmacMd5States } from '#protocols/sasl/md5';

describe('HMAC-MD5 from kept states', () => {
  it('is that of RFC 2104', () => {
    for (const [key, message, digest] of [
      [Buffer.alloc(16, 0x0b), 'Hi There', '9294727a3638bb1c13f48ef8158bfc9d'],
      [Buffer.from('Jefe'), 'what do ya want for nothing?', '750c783e6ab0b503eaa86e310a5db738'],
    ] as const) {
      assert.equal(hmacMd5(hmacMd5States(key), Buffer.from(message)).toString('hex'), digest);
    }
  });

  it('is that of Node, however long keys and messages are', () => {
    for (let length = 0; length <= 140; length++) {
      const key = Buffer.alloc(length, length + 1);
      const message = Buffer.alloc(140 - length, length);
      const right = createHmac('md5', key).update(message).digest();
      assert.deepEqual(hmacMd5(hmacMd5States(key), message), right, `key of ${length}`);
    }
  });

  it('keeps 16 octets a state', () => {
    const { inner, outer } = hmacMd5States(Buffer.from('password'));
    assert.deepEqual([inner.length, outer.length], [16, 16]);
    assert.notDeepEqual(inner, outer);
  });
});
