/**
 * Patterns of LIST: which names they fit.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namePattern } from '#protocols/imap/name-pattern';

const NAMES = ['Inbox', 'Inbox/x', 'a', 'a/b', 'a/b/c', 'ab', 'Sent', 'Ärger'];

const CASES: readonly (readonly [reference: string, pattern: string, fit: readonly string[]])[] = [
  ['', '*', NAMES],
  ['', '%', ['Inbox', 'a', 'ab', 'Sent', 'Ärger']],
  ['', 'a/%', ['a/b']],
  ['', 'a*', ['a', 'a/b', 'a/b/c', 'ab']],
  ['', 'a%', ['a', 'ab']],
  ['', '%/%', ['Inbox/x', 'a/b']],
  ['', '*b', ['a/b', 'ab']],
  ['', '*%*%', NAMES],
  ['a', '%', ['a/b']],
  ['a/', '*', ['a/b', 'a/b/c']],
  ['', 'INBOX', ['Inbox']],
  ['', 'iNbOx/*', ['Inbox/x']],
  ['', 'INBO*', []],
  ['', 'INBOX*', ['Inbox', 'Inbox/x']],
  ['', 'inbox%', ['Inbox']],
  ['', 'In%', ['Inbox']],
  ['', '/x', []],
  ['', '', []],
  ['', 'Ä%', ['Ärger']],
];

describe('a pattern', () => {
  for (const [reference, pattern, fit] of CASES) {
    it(`"${pattern}" under "${reference}" fits [${fit.join(' ')}]`, () => {
      assert.deepEqual(NAMES.filter(namePattern(reference, pattern)), fit);
    });
  }

  it('with a wildcard behind Inbox leaves other names as they are written', () => {
    const names = ['Inbox', 'Inbox2', 'inbox2', 'INBOX2'];
    assert.deepEqual(names.filter(namePattern('', 'inbox*')), ['Inbox', 'inbox2']);
  });

  it('that was made to be slow takes no time', () => {
    const fits = namePattern('', '*a'.repeat(8000));
    assert.equal(fits('a'.repeat(500)), false);
    assert.equal(namePattern('', `${'*a'.repeat(400)}b`)('a'.repeat(500)), false);
  });
});
