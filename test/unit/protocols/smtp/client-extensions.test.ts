/**
 * What servers say that they can do.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseExtensions, type Extensions } from '#protocols/smtp/client-extensions';

function parsed(...words: readonly string[]): Extensions {
  return parseExtensions({ code: 250, enhanced: '', lines: ['mx.example.org', ...words] });
}

describe('extensions', () => {
  it('are words in any case, each with what stands behind it', () => {
    const { words } = parsed('pipelining', 'FUTURERELEASE 10  2030-01-01T00:00:00Z', '8BITMIME');
    assert.deepEqual(
      [...words],
      [
        ['PIPELINING', ''],
        ['FUTURERELEASE', '10  2030-01-01T00:00:00Z'],
        ['8BITMIME', ''],
      ],
    );
  });

  it('do not come from the greeting of EHLO, nor from lines that are none', () => {
    assert.deepEqual([...parsed('', '=x', '-A', 'A_B', '\u00fc').words], []);
    assert.equal(parseExtensions({ code: 250, enhanced: '', lines: ['SIZE 5'] }).words.size, 0);
  });

  it('count once, as they were said first', () => {
    const { words, mechanisms } = parsed('AUTH PLAIN', 'AUTH LOGIN');
    assert.equal(words.size, 1);
    assert.deepEqual(mechanisms, ['PLAIN']);
  });

  for (const [word, expected] of [
    ['SIZE 1000', 1000],
    ['SIZE 0', undefined],
    ['SIZE', undefined],
    ['SIZE 1e9', undefined],
    ['SIZE 99999999999999999999', undefined],
  ] as const) {
    it(`limit the size of messages: ${word}`, () => {
      assert.equal(parsed(word).sizeBytesMax, expected);
    });
  }

  for (const [word, expected] of [
    ['LIMITS RCPTMAX=7', 7],
    ['LIMITS MAILMAX=1 RCPTMAX=20 RCPTDOMAINMAX=3', 20],
    ['limits rcptmax=3', 3],
    ['LIMITS XRCPTMAX=7', undefined],
    ['LIMITS RCPTMAX=x', undefined],
    ['LIMITS', undefined],
  ] as const) {
    it(`limit the number of recipients: ${word}`, () => {
      assert.equal(parsed(word).recipientsMax, expected);
    });
  }

  it('limit the number of transactions', () => {
    assert.equal(parsed('LIMITS MAILMAX=3 RCPTMAX=20').transactionsMax, 3);
    assert.equal(parsed('LIMITS RCPTMAX=20').transactionsMax, undefined);
  });
});
