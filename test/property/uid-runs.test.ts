/** Sequence numbers behave as positions in a sorted list of UIDs. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryUidSet } from '../support/arbitrary.ts';
import { UidRuns } from '#domain/values/uid-runs';
import { differenceOf, uidSetOf, uidsOf, unionOf, type UidSet } from '#domain/values/uid-set';

const RUNS = { seed: 20260102, numRuns: 300 };
const MAX = 40;
const sets = arbitraryUidSet(MAX);

function assertRuns(runs: UidRuns, list: readonly number[]): void {
  assert.equal(runs.count, list.length);
  assert.equal(runs.lastUid, list.at(-1));
  for (let n = 0; n <= MAX + 1; n++) {
    assert.equal(runs.uidAt(n), list[n - 1]);
    const at = list.indexOf(n);
    assert.equal(runs.seqOf(n), at < 0 ? undefined : at + 1);
  }
}

describe('the UIDs of a mailbox', () => {
  it('are numbered in their order', () => {
    fc.assert(
      fc.property(sets, (set) => assertRuns(new UidRuns(set), [...uidsOf(set)])),
      RUNS,
    );
  });

  it('translate sets both ways', () => {
    fc.assert(
      fc.property(sets, sets, (set, asked) => {
        const runs = new UidRuns(set);
        const list = [...uidsOf(set)];
        const uids = uidSetOf([...uidsOf(asked)].flatMap((seq) => list[seq - 1] ?? []));
        assert.deepEqual(runs.uidsAt(asked), uids);
        const seqs = uidSetOf(
          list.flatMap((uid, i) => ([...uidsOf(asked)].includes(uid) ? i + 1 : [])),
        );
        assert.deepEqual(runs.seqsOf(asked), seqs);
      }),
      RUNS,
    );
  });

  it('follow additions and removals, the same objects for everybody', () => {
    const change = fc.record({ uids: sets, removal: fc.boolean() });
    fc.assert(
      fc.property(sets, fc.array(change, { maxLength: 6 }), (start, changes) => {
        let one = new UidRuns(start);
        let other = one;
        let expected: UidSet = start;
        for (const { uids, removal } of changes) {
          one = removal ? one.without(uids) : one.with(uids);
          other = removal ? other.without(uids) : other.with(uids);
          expected = removal ? differenceOf(expected, uids) : unionOf(expected, uids);
          assert.equal(one, other);
        }
        assertRuns(one, [...uidsOf(expected)]);
      }),
      RUNS,
    );
  });
});
