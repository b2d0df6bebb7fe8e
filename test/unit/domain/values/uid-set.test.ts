/** Sets of UIDs: the normal form, and their text. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  chunksOf,
  differenceOf,
  formatUidSet,
  highestUid,
  lowestUid,
  normalUidSet,
  NO_UIDS,
  parseUidSet,
  uidCount,
  uidRange,
  UidSetBuilder,
  uidSetOf,
  uidSetParts,
  uidsOf,
  unionOf,
} from '#domain/values/uid-set';

describe('a set of UIDs', () => {
  it('joins what touches and overlaps', () => {
    assert.deepEqual(uidSetOf([3, 1, 2, 2, 9]), [
      [1, 3],
      [9, 9],
    ]);
    assert.deepEqual(
      normalUidSet([
        [5, 9],
        [1, 2],
        [3, 6],
      ]),
      [[1, 9]],
    );
    assert.deepEqual(unionOf([[1, 2]], [[3, 4]]), [[1, 4]]);
  });

  it('is written as in IMAP', () => {
    assert.equal(
      formatUidSet([
        [1, 4],
        [9, 9],
      ]),
      '1:4,9',
    );
    assert.deepEqual(parseUidSet('1:4,9'), [
      [1, 4],
      [9, 9],
    ]);
    assert.deepEqual(parseUidSet(''), NO_UIDS);
  });

  it('costs by ranges, not by members', () => {
    const all = uidRange(1, 2 ** 32 - 1);
    assert.equal(uidCount(all), 2 ** 32 - 1);
    assert.deepEqual(differenceOf(all, [[5, 5]]), [
      [1, 4],
      [6, 2 ** 32 - 1],
    ]);
  });

  it('has ends, and none when it is empty', () => {
    assert.equal(
      lowestUid([
        [2, 4],
        [7, 8],
      ]),
      2,
    );
    assert.equal(
      highestUid([
        [2, 4],
        [7, 8],
      ]),
      8,
    );
    assert.equal(lowestUid(NO_UIDS), undefined);
    assert.equal(highestUid(uidRange(2, 1)), undefined);
    assert.deepEqual(
      [
        ...uidsOf([
          [2, 4],
          [7, 7],
        ]),
      ],
      [2, 3, 4, 7],
    );
  });

  it('is cut into sets of so many members', () => {
    const set = parseUidSet('1:5,7,9:10');
    assert.deepEqual([...chunksOf(set, 3)].map(formatUidSet), ['1:3', '4:5,7', '9:10']);
    assert.deepEqual([...chunksOf(set, 4)].map(formatUidSet), ['1:4', '5,7,9:10']);
    assert.deepEqual([...chunksOf(NO_UIDS, 3)], []);
  });

  it('is collected in ascending order', () => {
    const builder = new UidSetBuilder();
    builder.add(1);
    builder.addRange(1, 3);
    builder.addRange(2, 2);
    builder.add(5);
    assert.deepEqual(builder.build(), [
      [1, 3],
      [5, 5],
    ]);
  });

  it('is cut into parts by the length of their text', () => {
    assert.deepEqual(
      uidSetParts(
        [
          [1, 2],
          [4, 4],
          [6, 6],
        ],
        6,
      ),
      [
        [
          [1, 2],
          [4, 4],
        ],
        [[6, 6]],
      ],
    );
    assert.deepEqual(uidSetParts([[1, 2]], 1), [[[1, 2]]]);
    assert.deepEqual(uidSetParts(NO_UIDS, 9), []);
  });
});
