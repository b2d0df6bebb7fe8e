/**
 * Modified UTF-7: one spelling per name, and every other is refused.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeUtf7, encodeUtf7 } from '#protocols/imap/utf7';

describe('modified UTF-7', () => {
  const pairs: readonly (readonly [name: string, wire: string])[] = [
    ['Inbox', 'Inbox'],
    ['', ''],
    ['☺', '&Jjo-'],
    ['a&b', 'a&-b'],
    ['&☺&', '&-&Jjo-&-'],
    ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'],
    ['Entwürfe', 'Entw&APw-rfe'],
    ['😀', '&2D3eAA-'],
    ['a\u0001', 'a&AAE-'],
  ];
  for (const [name, wire] of pairs) {
    it(`writes ${JSON.stringify(name)} as ${wire} and reads it back`, () => {
      assert.equal(encodeUtf7(name), wire);
      assert.equal(decodeUtf7(wire), name);
    });
  }

  const broken: readonly (readonly [wire: string, why: string])[] = [
    ['&Jjo', 'the shift has no end'],
    ['a&b', 'a lone ampersand'],
    ['&', 'a lone ampersand'],
    ['&AGEAYg-', 'letters that need no encoding'],
    ['&ACY-', 'an ampersand that should be &-'],
    ['&Jjo-&Jjo-', 'two shifts in a row'],
    ['&Jjo=-', 'padding'],
    ['&Jjp-', 'bits left over that are not zero'],
    ['&Jj-', 'half a character'],
    ['&Jj!-', 'not base64'],
    ['&2D0-', 'half of a surrogate pair'],
    ['&3gDYPQ-', 'surrogates the wrong way round'],
    ['&U/BTFw-', 'a slash where a comma belongs'],
    ['☺', 'eight-bit characters'],
    ['é', 'eight-bit characters'],
  ];
  for (const [wire, why] of broken) {
    it(`70: refuses ${JSON.stringify(wire)}: ${why}`, () => {
      assert.equal(decodeUtf7(wire), undefined);
    });
  }

  it('lets a control character pass: what may be in a name is not a matter of spelling', () => {
    assert.equal(decodeUtf7('a\u0001'), 'a\u0001');
  });

  it('reads back every name that it writes, in ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (name) => {
        fc.pre(name.isWellFormed());
        const wire = encodeUtf7(name);
        assert.match(wire, /^[\x20-\x7e]*$/);
        assert.equal(decodeUtf7(wire), name);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('never reads two spellings of one name', () => {
    const wire = fc.string({ unit: fc.constantFrom(...'&-AJjo,+/=aé'), maxLength: 12 });
    fc.assert(
      fc.property(wire, (text) => {
        const name = decodeUtf7(text);
        if (name !== undefined) assert.equal(encodeUtf7(name), text);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});
