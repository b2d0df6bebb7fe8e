/** Flags: their spelling, their stored form, and what edits make of them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canonicalFlag,
  editedFlags,
  editedKeywords,
  equalFlags,
  flagNames,
  flagSetOf,
  withJunkPairs,
} from '#domain/values/flags';

describe('a flag', () => {
  it('is spelled one way', () => {
    assert.equal(canonicalFlag('\\SEEN'), '\\Seen');
    assert.equal(canonicalFlag('$forwarded'), '$Forwarded');
    assert.equal(canonicalFlag('$MDNSENT'), '$MDNSent');
    assert.equal(canonicalFlag('Work'), 'work');
  });

  it('is an atom, of bounded length, and not a system flag that we do not know', () => {
    for (const name of ['', '\\Recent', '\\Other', 'a b', 'a(', 'a]', 'a*', 'a"', 'ä', 'a\\']) {
      assert.equal(canonicalFlag(name), undefined, name);
    }
    assert.equal(canonicalFlag('x'.repeat(100)), 'x'.repeat(100));
    assert.equal(canonicalFlag('x'.repeat(101)), undefined);
  });
});

describe('a set of flags', () => {
  it('keeps keywords sorted and once', () => {
    const flags = flagSetOf(['b', '\\Seen', 'a', 'b', '$Junk']);
    assert.deepEqual(flags, { bits: 1 | 64, keywords: 'a b' });
    assert.deepEqual(flagNames(flags), ['\\Seen', '$Junk', 'a', 'b']);
    assert.deepEqual(flagNames(flagSetOf([])), []);
  });

  it('changes by adding, removing, replacing', () => {
    const flags = flagSetOf(['\\Seen', 'a', 'b']);
    const added = editedFlags(flags, { add: ['\\Deleted', 'c'], remove: ['\\Seen', 'a'] });
    assert.deepEqual(flagNames(added), ['\\Deleted', 'b', 'c']);
    assert.deepEqual(flagNames(editedFlags(flags, { exactly: ['z'] })), ['z']);
    assert.ok(equalFlags(editedFlags(flags, { add: ['a'], remove: ['q'] }), flags));
    assert.ok(!equalFlags(added, flags));
  });

  it('has keywords in a stored form that edits keep', () => {
    assert.equal(editedKeywords('', '', 'a'), '');
    assert.equal(editedKeywords('', 'b a', ''), 'a b');
    assert.equal(editedKeywords('a b', '', 'a b'), '');
  });
});

describe('$Junk and $NotJunk', () => {
  it('clear each other', () => {
    assert.deepEqual(withJunkPairs({ add: ['$NotJunk'], remove: [] }), {
      add: ['$NotJunk'],
      remove: ['$Junk'],
    });
    assert.deepEqual(withJunkPairs({ exactly: ['$Junk', '$NotJunk'] }), { exactly: ['$Junk'] });
    assert.deepEqual(withJunkPairs({ add: ['$Junk', '$NotJunk', 'a'], remove: [] }), {
      add: ['$Junk', 'a'],
      remove: ['$NotJunk'],
    });
    const other = { add: ['a'], remove: ['$Junk'] };
    assert.equal(withJunkPairs(other), other);
  });
});
