/** Sequence numbers and UIDs of a mailbox. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UidRuns } from '#domain/values/uid-runs';

const runs = new UidRuns([
  [2, 4],
  [7, 7],
  [10, 12],
]);

describe('sequence numbers', () => {
  it('count the UIDs from 1', () => {
    assert.deepEqual(
      [0, 1, 3, 4, 5, 7, 8].map((seq) => runs.uidAt(seq)),
      [undefined, 2, 4, 7, 10, 12, undefined],
    );
    assert.deepEqual(
      [1, 2, 4, 5, 7, 12, 13].map((uid) => runs.seqOf(uid)),
      [undefined, 1, 3, undefined, 4, 7, undefined],
    );
    assert.equal(runs.lastUid, 12);
    assert.equal(UidRuns.empty.lastUid, undefined);
    assert.equal(UidRuns.empty.uidAt(1), undefined);
    assert.equal(UidRuns.empty.seqOf(1), undefined);
  });

  it('are translated in sets, ignoring what is not there', () => {
    assert.deepEqual(
      runs.uidsAt([
        [3, 5],
        [7, 99],
      ]),
      [
        [4, 4],
        [7, 7],
        [10, 10],
        [12, 12],
      ],
    );
    assert.deepEqual(
      runs.seqsOf([
        [1, 8],
        [11, 11],
      ]),
      [
        [1, 4],
        [6, 6],
      ],
    );
  });
});

describe('a change', () => {
  it('makes a new object, the same one for everybody who hears of it', () => {
    const added = [[13, 14]] as const;
    const next = runs.with(added);
    assert.equal(next.count, 9);
    assert.equal(runs.count, 7);
    assert.equal(runs.with(added), next);
    const removed = [[13, 13]] as const;
    assert.equal(next.without(removed), next.without(removed));
    assert.equal(next.without(removed).seqOf(14), 8);
  });

  it('of nothing keeps the object', () => {
    assert.equal(runs.with([[2, 3]]), runs);
    assert.equal(runs.without([[5, 6]]), runs);
  });
});
