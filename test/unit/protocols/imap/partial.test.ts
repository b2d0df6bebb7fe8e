/**
 * Parts of many results, and that they are parts of nothing else.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isBad, wordsOf } from '../../../support/imap-words.ts';
import { formatUidSet, uidSetOf, uidsOf } from '#domain/values/uid-set';
import { foundList, foundSet, numberingOf, returnsText, toldOf } from '#protocols/imap/found';
import { formatResultRange, membersIn, resultRange, windowOf } from '#protocols/imap/partial';
import type { Parser } from '#protocols/imap/parser';
import type { ResultRange, ReturnWords, SearchReturn } from '#protocols/imap/words';
import { UidRuns } from '#domain/values/uid-runs';

const RUNS = { numRuns: 300, seed: 20_260_605 };
const BY_UID = numberingOf(true, UidRuns.empty);

const ranges = fc.record({
  first: fc.integer({ min: 1, max: 12 }),
  last: fc.integer({ min: 1, max: 12 }),
  fromEnd: fc.boolean(),
});
const lists = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 10 });

describe('a range of results', () => {
  const range = (p: Parser): ResultRange => {
    p.space();
    const read = resultRange(p);
    p.end();
    return read;
  };

  it('is counted from the first or from the last', () => {
    for (const text of ['1:100', '7:3', '-1:-100', '-4294967295:-1']) {
      assert.equal(formatResultRange(wordsOf(range, `X ${text}`)), text);
    }
  });

  it('has two ends of one kind', () => {
    for (const text of ['1', '1:', '0:1', '1:0', '1:*', '-1:2', '1:-2', '-0:-1', '1:4294967296']) {
      isBad(range, `X ${text}`);
    }
  });

  it('means some of the results', () => {
    const window = (text: string, count: number): readonly number[] =>
      windowOf(count, wordsOf(range, `X ${text}`)).slice();
    assert.deepEqual(window('1:2', 5), [0, 2]);
    assert.deepEqual(window('2:1', 5), [0, 2]);
    assert.deepEqual(window('4:9', 5), [3, 5]);
    assert.deepEqual(window('6:9', 5), [5, 5]);
    assert.deepEqual(window('-1:-2', 5), [3, 5]);
    assert.deepEqual(window('-4:-9', 5), [0, 2]);
    assert.deepEqual(window('-6:-9', 5), [0, 0]);
    assert.deepEqual(window('1:2', 0), [0, 0]);
  });

  it('of a set or a list is a slice of the whole', () => {
    fc.assert(
      fc.property(lists, ranges, (uids, { first, last, fromEnd }) => {
        const [low, high] = [Math.min(first, last), Math.max(first, last)];
        const slice = (all: readonly number[]): readonly number[] => {
          const chosen = (fromEnd ? all.toReversed() : all).slice(low - 1, high);
          return fromEnd ? chosen.toReversed() : chosen;
        };
        const given = { first, last, fromEnd };
        const sorted = uids.toSorted((a, b) => a - b);
        assert.deepEqual([...uidsOf(membersIn(uidSetOf(uids), given))], slice(sorted));
        const list = foundList(uids, BY_UID);
        assert.deepEqual(expanded(list.text(...windowOf(list.count, given))), slice(uids));
      }),
      RUNS,
    );
  });

  it('puts all results together, page by page', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 4 }), fc.boolean(), (uids, size, fromEnd) => {
        const list = foundList(uids, BY_UID);
        const pages: (readonly number[])[] = [];
        for (let at = 1; at <= uids.length; at += size) {
          const page = { first: at, last: at + size - 1, fromEnd };
          pages.push(expanded(list.text(...windowOf(list.count, page))));
        }
        assert.deepEqual((fromEnd ? pages.toReversed() : pages).flat(), uids);
      }),
      RUNS,
    );
  });
});

/** RFC 5267 §3.2: a range rises. */
function expanded(text: string): readonly number[] {
  return text === ''
    ? []
    : text.split(',').flatMap((part) => {
        const [from = 0, to = from] = part.split(':').map(Number);
        return Array.from({ length: to - from + 1 }, (_, i) => from + i);
      });
}

const asks = (...options: readonly SearchReturn[]): ReturnWords => ({ returns: new Set(options) });

describe('what was found', () => {
  const told = new UidRuns(uidSetOf([10, 20, 21, 22, 30]));

  it('is told by number, in the order of the mailbox', () => {
    const found = foundSet(uidSetOf([20, 21, 30]), numberingOf(false, told));
    assert.equal(
      returnsText(found, asks('MIN', 'MAX', 'ALL', 'COUNT')),
      ' MIN 2 MAX 5 ALL 2:3,5 COUNT 3',
    );
  });

  it('is told by UID, in the order of a sort', () => {
    const found = foundList([30, 20, 21, 22, 10], numberingOf(true, told));
    assert.equal(
      returnsText(found, asks('MIN', 'MAX', 'ALL', 'COUNT')),
      ' MIN 30 MAX 10 ALL 30,20:22,10 COUNT 5',
    );
    const partial = { first: 2, last: 3, fromEnd: false };
    assert.equal(returnsText(found, { ...asks('MIN'), partial }), ' MIN 30 PARTIAL (2:3 20:21)');
  });

  it('may be nothing', () => {
    const found = foundSet([], BY_UID);
    const partial = { first: 1, last: 9, fromEnd: true };
    assert.equal(returnsText(found, asks('MIN', 'MAX', 'ALL', 'COUNT')), ' COUNT 0');
    assert.equal(returnsText(found, { ...asks(), partial }), ' PARTIAL (-1:-9 NIL)');
    assert.deepEqual(toldOf(found, asks('MIN', 'MAX')), []);
  });

  it('counts as told as far as it is told', () => {
    const found = foundSet(uidSetOf([1, 2, 5, 6, 9]), BY_UID);
    const partial = { first: 2, last: 3, fromEnd: false };
    const toldBy = (words: ReturnWords): string => formatUidSet(toldOf(found, words));
    assert.equal(toldBy(asks('MIN')), '1');
    assert.equal(toldBy(asks('SAVE', 'MIN', 'MAX')), '1,9');
    assert.equal(toldBy(asks('SAVE')), '1:2,5:6,9');
    assert.equal(toldBy(asks('MIN', 'COUNT')), '1:2,5:6,9');
    assert.equal(toldBy({ ...asks(), partial }), '2,5');
    assert.equal(toldBy({ ...asks('MAX'), partial }), '2,5,9');
    assert.equal(toldBy({ ...asks('COUNT'), partial }), '1:2,5:6,9');
  });
});
