/** Octets of text. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstOctets, isAscii, utf8Length } from '#domain/values/text';

it('text has as many octets as UTF-8 gives it', () => {
  for (const text of ['', 'abc', '\u007f\u0080', 'ü☺\u{1f4ee}', '\uffff']) {
    assert.equal(utf8Length(text), Buffer.byteLength(text));
  }
  assert.ok(isAscii('a\u007f'));
  assert.ok(!isAscii('a\u0080'));
});

it('as much of a text as fits is whole characters', () => {
  assert.equal(firstOctets('abc', 9), 'abc');
  assert.equal(firstOctets('abc', 3), 'abc');
  assert.equal(firstOctets('abc', 2), 'ab');
  assert.equal(firstOctets('aüü', 4), 'aü');
  assert.equal(firstOctets('\u{1f4ee}\u{1f4ee}', 7), '\u{1f4ee}');
  assert.equal(firstOctets('ü', 0), '');
});
