/**
 * What counts as the same text, and what comes first.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collationKey } from '#protocols/message/collation';

/** RFC 5051 §2 */
const SAME: readonly (readonly [string, string])[] = [
  ['hello', 'HELLO'],
  ['grüße', 'GRÜßE'],
  ['\u00fc', 'u\u0308'],
  ['Ｆull', 'full'],
  ['ς', 'Σ'],
  ['ǆ', 'Ǆ'],
  ['ǅ', 'ǆ'],
  ['ᾀ', 'ᾈ'],
  ['ſ', 's'],
];

const DIFFERENT: readonly (readonly [string, string])[] = [
  ['a', 'ä'],
  ['ß', 'ss'],
  ['ﬁ', 'FI'],
  ['i', 'ı\u0307'],
  ['\u10d0', '\u1c90'],
];

describe('the key of a text', () => {
  for (const [a, b] of SAME) {
    it(`is the same for ${a} and ${b}`, () => assert.equal(collationKey(a), collationKey(b)));
  }
  for (const [a, b] of DIFFERENT) {
    it(`differs for ${a} and ${b}`, () => assert.notEqual(collationKey(a), collationKey(b)));
  }
});
