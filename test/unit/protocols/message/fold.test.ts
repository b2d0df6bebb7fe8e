/**
 * What a reader takes for the same is the same, and nothing gets in that means something elsewhere.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { foldText } from '#protocols/message/fold';
import { TEXT_BREAK } from '#domain/values/text';

const RUNS = { seed: 20260302, numRuns: 300 };

/** Words of letters that stand for themselves, in any case, and white space of any kind. */
const plainText: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(...'abcXYZ019äÖßςΣжЖ漢字"\'*-()\\ \t\r\n.,'),
});

describe('folding', () => {
  const alike: readonly (readonly [what: string, ...forms: string[]])[] = [
    ['case', 'Straße', 'STRASSE', 'strasse'],
    ['final letters', 'ΟΔΟΣ', 'οδος', 'οδοσ'],
    ['composition', 'Caf\u00e9', 'cafe\u0301'],
    ['ligatures and wide letters', 'office', 'o\ufb03ce', '\uff4f\uff46\uff46\uff49\uff43\uff45'],
    ['white space', 'a b', 'a\r\n b', 'a \t b', 'a\u00a0b', 'a\u2003\r\n\u3000b'],
    ['what is not seen', 'invisible', 'in\u00advis\u200bible', '\ufeffinvisible'],
  ];
  for (const [what, first, ...others] of alike) {
    it(`does not tell apart by ${what}`, () => {
      for (const other of others) assert.equal(foldText(other), foldText(first ?? ''));
    });
  }

  it('tells letters apart that are not the same', () => {
    assert.notEqual(foldText('schon'), foldText('schön'));
    assert.notEqual(foldText('ab'), foldText('a b'));
  });

  it('lets nothing through that separates texts or ends them', () => {
    const folded = foldText(`a\0b${TEXT_BREAK}c\ufffe\uffff\ud800d`);
    assert.equal(folded, 'a\ufffdb\ufffdc\ufffd\ufffd\ufffdd');
  });

  it('keeps what is in a text in it', () => {
    fc.assert(
      fc.property(plainText, plainText, plainText, (before, text, after) => {
        assert.ok(foldText(before + text + after).includes(foldText(text)));
      }),
      RUNS,
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(foldText(foldText(text)), foldText(text));
      }),
      RUNS,
    );
  });
});
