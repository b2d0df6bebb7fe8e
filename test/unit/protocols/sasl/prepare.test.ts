/**
 * Passwords and logins are brought into one form.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { prepareLogin, preparePassword } from '#protocols/sasl/prepare';

describe('a password', () => {
  for (const [what, given, prepared] of [
    ['keeps ASCII, spaces and case', 'Correct Horse, battery!', 'Correct Horse, battery!'],
    [
      'has one kind of space (RFC 8265 §4.3)',
      '\u03c0\u00df\u00e5 \u3000x',
      '\u03c0\u00df\u00e5  x',
    ],
    ['is in form C', 'pa\u0308ss', 'p\u00e4ss'],
    ['keeps compatibility characters', '\uff21\ufb01\u2163', '\uff21\ufb01\u2163'],
    ['keeps symbols', 'Jack of \u2666s \u{1f0ab}', 'Jack of \u2666s \u{1f0ab}'],
    ['keeps sharp s', 'foo stra\u00dfe', 'foo stra\u00dfe'],
    ['keeps a middle dot between two l', 'col\u00b7lapse', 'col\u00b7lapse'],
    ['keeps a joiner after a virama', '\u0915\u094d\u200d\u0937', '\u0915\u094d\u200d\u0937'],
    ['keeps a non-joiner in Persian', '\u0645\u06cc\u200c\u062e', '\u0645\u06cc\u200c\u062e'],
    ['keeps one kind of Arabic digits', '\u0661\u0662', '\u0661\u0662'],
    ['keeps a katakana dot among katakana', '\u30a2\u30fb\u30a2', '\u30a2\u30fb\u30a2'],
  ] as const) {
    it(what, () => assert.equal(preparePassword(given), prepared));
  }

  for (const [what, given] of [
    ['empty', ''],
    ['with a tab', 'pass\tword'],
    ['with a NUL', 'pass\0word'],
    ['with a control behind other letters', '\u03c0\u0085'],
    ['with a private character', '\u03c0\ue000'],
    ['with half a pair', '\u03c0\ud800'],
    ['with an unassigned character', '\u03c0\u0378'],
    ['with something invisible', 'pass\u00adword'],
    ['with a direction mark', 'pass\u202eword'],
    ['with an old jamo', '\u1100'],
    ['with a tatweel', '\u0633\u0640'],
    ['with a joiner between Latin letters', 'a\u200db'],
    ['with a non-joiner between Latin letters', 'a\u200cb'],
    ['with a middle dot elsewhere', 'a\u00b7b'],
    ['with a katakana dot among Latin letters', 'a\u30fbb'],
    ['with a Greek sign before Latin', '\u0375a'],
    ['with geresh after Latin', 'a\u05f3'],
    ['with two kinds of Arabic digits', '\u0661\u06f2'],
    ['too long', 'x'.repeat(1025)],
  ] as const) {
    it(`is not one ${what}`, () => assert.equal(preparePassword(given), undefined));
  }

  it('stays as it is when prepared again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
        const once = preparePassword(text);
        if (once !== undefined) assert.equal(preparePassword(once), once);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a login', () => {
  it('is in form C', () => {
    assert.equal(prepareLogin('jo\u0308rg@example.org'), 'j\u00f6rg@example.org');
    assert.equal(prepareLogin('ALICE@Example.org'), 'ALICE@Example.org');
  });

  it('holds no controls and has an end', () => {
    assert.equal(prepareLogin(''), undefined);
    assert.equal(prepareLogin('alice\r\nbob'), undefined);
    assert.equal(prepareLogin('alice\ud800'), undefined);
    assert.equal(prepareLogin('x'.repeat(2000)), undefined);
  });
});
