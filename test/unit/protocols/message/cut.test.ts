/**
 * Texts that must not be longer than so many octets.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutUtf8 } from '#protocols/message/cut';

test('a text is cut between characters', () => {
  const octets = Buffer.from('aä€😀');
  const cuts = ['', 'a', 'a', 'aä', 'aä', 'aä', 'aä€', 'aä€', 'aä€', 'aä€', 'aä€😀', 'aä€😀'];
  assert.deepEqual(
    cuts.map((_, bytesMax) => cutUtf8(octets, bytesMax)),
    cuts,
  );
});

test('octets that are no text are cut all the same', () => {
  assert.equal(cutUtf8(Buffer.alloc(10, 0x80), 8).length, 8);
});

test('what is cut is the beginning of the text, and all of it that has room', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, bytesMax) => {
      const octets = Buffer.from(text);
      const cut = Buffer.from(cutUtf8(octets, bytesMax));
      assert.ok(cut.length <= bytesMax && octets.toString().startsWith(cut.toString()));
      assert.ok(cut.length === octets.length || cut.length > bytesMax - 4);
    }),
  );
});
