/**
 * What SORT asks for.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { behindVerb, commandOf, isBad, wordsOf } from '../../../support/imap-words.ts';
import type { SortKey } from '#projections/listing-reads';
import { BadCharset } from '#protocols/imap/search-keys';
import { sort } from '#protocols/imap/sort';

const order = (keys: string): readonly SortKey[] => wordsOf(sort, `SORT (${keys}) UTF-8 ALL`).order;

describe('SORT', () => {
  it('compares one thing after the other', () => {
    assert.deepEqual(order('SUBJECT reverse date'), [
      { field: 'subject', reverse: false },
      { field: 'date', reverse: true },
    ]);
    for (const name of ['arrival', 'cc', 'date', 'from', 'size', 'subject', 'to']) {
      assert.deepEqual(order(name), [{ field: name, reverse: false }]);
    }
    assert.deepEqual(order('DISPLAYFROM REVERSE DISPLAYTO'), [
      { field: 'display-from', reverse: false },
      { field: 'display-to', reverse: true },
    ]);
  });

  it('compares nothing twice', () => {
    assert.deepEqual(order('SIZE REVERSE SIZE SIZE'), [{ field: 'size', reverse: false }]);
  });

  it('takes the keys and return options of SEARCH', () => {
    const words = wordsOf(sort, 'SORT RETURN (MIN PARTIAL 1:2) (DATE) us-ascii UNSEEN 1:3');
    assert.deepEqual([...(words.returns ?? [])], ['MIN']);
    assert.deepEqual(words.partial, { first: 1, last: 2, fromEnd: false });
    assert.equal(words.key.type, 'AND');
    assert.equal(wordsOf(sort, 'SORT (DATE) UTF-8 ALL').returns, undefined);
  });

  it('needs all its arguments', () => {
    for (const text of [
      '',
      ' (DATE)',
      ' (DATE) UTF-8',
      ' () UTF-8 ALL',
      ' DATE UTF-8 ALL',
      ' (REVERSE) UTF-8 ALL',
      ' (REVERSE REVERSE DATE) UTF-8 ALL',
      ' (BCC) UTF-8 ALL',
      ' RETURN (PARTIAL 1:2 ALL) (DATE) UTF-8 ALL',
    ]) {
      isBad(sort, `SORT${text}`);
    }
  });

  it('knows two charsets', () => {
    const read = (text: string): unknown => sort(behindVerb(commandOf(`a SORT ${text}`)));
    assert.throws(() => read('(DATE) KOI8-R ALL'), BadCharset);
    assert.throws(
      () => read('RETURN (SAVE) (DATE) KOI8-R ALL'),
      (error) => error instanceof BadCharset && error.saves,
    );
  });
});
