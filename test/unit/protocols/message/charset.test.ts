/**
 * Texts in the charsets that senders name, and in those that they do not.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeCharset } from '#protocols/message/charset';

describe('a charset', () => {
  const cases: readonly (readonly [charset: string, hex: string, text: string])[] = [
    ['utf-8', 'c3a9', 'é'],
    ['UTF8', 'c3a9', 'é'],
    ['iso-8859-1', 'e9', 'é'],
    ['iso-8859-15', 'a4', '€'],
    ['windows-1251', 'e6', 'ж'],
    ['koi8-r', 'd6', 'ж'],
    ['iso-2022-jp', '1b244234411b2842', '漢'],
    ['shift_jis', '8abf', '漢'],
    ['gb2312', 'baba', '汉'],
    ['big5', 'ba7e', '漢'],
    ['euc-kr', 'c7d1', '한'],
    ['cp437', '81', 'ü'],
    ['utf-16le', 'e900', 'é'],
  ];
  for (const [charset, hex, text] of cases) {
    it(`of the name ${charset} is known`, () => {
      assert.equal(decodeCharset(Buffer.from(hex, 'hex'), charset), text);
    });
  }

  it('that is none is UTF-8, or what Windows wrote', () => {
    for (const name of ['us-ascii', 'ASCII', 'unknown-8bit']) {
      assert.equal(decodeCharset(Buffer.from('é'), name), 'é');
      assert.equal(decodeCharset(Buffer.from('80e9', 'hex'), name), '€é');
    }
  });

  it('that nobody knows is read as UTF-8', () => {
    for (const name of ['x-klingon', '', '__proto__', 'utf-7', 'base64']) {
      assert.equal(decodeCharset(Buffer.from('é+AOk-'), name), 'é+AOk-');
    }
  });

  it('does not refuse octets', () => {
    assert.equal(decodeCharset(Buffer.from('61ff62', 'hex'), 'utf-8'), 'a\ufffdb');
  });
});
