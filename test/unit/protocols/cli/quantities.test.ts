/** Sizes and times as people write them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDuration, readDuration, readSize } from '#protocols/cli/quantities';

describe('a size', () => {
  it('web 59: is a number with a unit', () => {
    assert.equal(readSize('1g'), 1_073_741_824);
    assert.equal(readSize('500M'), 524_288_000);
    assert.equal(readSize('7'), 7);
    assert.equal(readSize('none'), 0);
    assert.equal(readSize('0'), 0);
    for (const text of ['', 'x', '-1', '1.5g', '1gb', '1h', '999999999999999t']) {
      assert.equal(readSize(text), undefined, text);
    }
  });
});

describe('a time', () => {
  it('is a number with a unit', () => {
    assert.equal(readDuration('12h'), 43_200_000);
    assert.equal(readDuration('7d'), 604_800_000);
    assert.equal(readDuration('none'), 0);
    for (const text of ['', '7', '1y', '-1d', 'd']) {
      assert.equal(readDuration(text), undefined, text);
    }
  });

  it('is written so that it reads the same', () => {
    for (const text of ['none', '1s', '90s', '36h', '5d', '2w']) {
      assert.equal(formatDuration(readDuration(text) ?? -1), text);
    }
  });
});
