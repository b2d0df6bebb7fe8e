/** Sets of UIDs behave as sets of numbers do, and stay in the normal form. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryUidSet } from '../support/arbitrary.ts';
import {
  differenceOf,
  equalUidSets,
  formatUidSet,
  hasUid,
  intersectionOf,
  isEmptyUidSet,
  normalUidSet,
  parseUidSet,
  uidCount,
  uidSetOf,
  uidSetParts,
  uidsOf,
  unionOf,
  type UidSet,
} from '#domain/values/uid-set';

const SEED = 20260101;
const RUNS = { seed: SEED, numRuns: 500 };
const MAX = 40;
const sets = arbitraryUidSet(MAX);

function membersOf(set: UidSet): Set<number> {
  return new Set(uidsOf(set));
}

/** The set has these members and is in the normal form. */
function assertSet(actual: UidSet, members: ReadonlySet<number>): void {
  assert.deepEqual(actual, uidSetOf(members));
  actual.forEach(([first, last], i) => {
    assert.ok(first <= last);
    assert.ok(first > (actual[i - 1]?.[1] ?? -1) + 1);
  });
}

describe('sets of UIDs', () => {
  it('unite, intersect and differ as sets do', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const [inA, inB] = [membersOf(a), membersOf(b)];
        assertSet(unionOf(a, b), inA.union(inB));
        assertSet(intersectionOf(a, b), inA.intersection(inB));
        assertSet(differenceOf(a, b), inA.difference(inB));
      }),
      RUNS,
    );
  });

  it('know their members and how many they are', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: MAX + 1 }), (set, uid) => {
        assert.equal(hasUid(set, uid), membersOf(set).has(uid));
        assert.equal(uidCount(set), membersOf(set).size);
        assert.equal(isEmptyUidSet(set), membersOf(set).size === 0);
      }),
      RUNS,
    );
  });

  it('survive being written and read, cut and joined', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 30 }), (set, textMax) => {
        assert.deepEqual(parseUidSet(formatUidSet(set)), set);
        const parts = uidSetParts(set, textMax);
        assert.deepEqual(parts.flat(), set);
        for (const part of parts) {
          assert.ok(part.length === 1 || formatUidSet(part).length <= textMax);
        }
      }),
      RUNS,
    );
  });

  it('have one form, whatever the order of their ranges', () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: MAX }), fc.nat({ max: 9 }))
      .map(([first, more]) => [first, first + more] as const);
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
        const set = normalUidSet(ranges);
        assertSet(set, new Set(ranges.flatMap((one) => [...uidsOf([one])])));
        assert.ok(equalUidSets(set, normalUidSet(ranges.toReversed())));
      }),
      RUNS,
    );
  });
});
