/** Octets of text. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isAscii, utf8Length } from '#domain/values/text';

it('text has as many octets as UTF-8 gives it', () => {
  for (const text of ['', 'abc', '\u007f\u0080', 'ü☺\u{1f4ee}', '\uffff']) {
    assert.equal(utf8Length(text), Buffer.byteLength(text));
  }
  assert.ok(isAscii('a\u007f'));
  assert.ok(!isAscii('a\u0080'));
});
