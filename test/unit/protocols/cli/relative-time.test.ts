/** Spans of time and bounds relative to now. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBound, readSpan } from '#protocols/cli/relative-time';

describe('a span', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['0', 0],
    ['1h30m', 5_400_000],
    ['-1.5h', -5_400_000],
    ['+2s', 2000],
    ['.5s', 500],
    ['1.s', 1000],
    ['250ms', 250],
    ['1500us', 2],
    ['-0s', 0],
    ['', undefined],
    ['1', undefined],
    ['1x', undefined],
    ['h', undefined],
    ['-', undefined],
    ['1h-30m', undefined],
    ['1 h', undefined],
    [`${'9'.repeat(40)}h`, undefined],
    ['1s'.repeat(40), undefined],
  ];
  for (const [text, ms] of cases) {
    it(`${text.slice(0, 20)} is ${ms ?? 'none'}`, () => assert.equal(readSpan(text), ms));
  }
});

describe('a bound', () => {
  it('is on one side of a time that is so far from now (queue 27)', () => {
    assert.deepEqual(readBound('<-1h'), { side: 'before', byMs: -3_600_000 });
    assert.deepEqual(readBound('>1h'), { side: 'after', byMs: 3_600_000 });
    assert.deepEqual(readBound('<now'), { side: 'before', byMs: 0 });
  });

  it('has a side', () => {
    for (const text of ['now', '1h', '', '<', '<bad', '=1h']) {
      assert.equal(readBound(text), undefined, text);
    }
  });
});
