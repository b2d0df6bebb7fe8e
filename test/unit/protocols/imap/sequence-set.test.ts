/**
 * What sets mean in a mailbox.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandOf } from '../../../support/imap-words.ts';
import { UidRuns } from '#domain/values/uid-runs';
import { formatUidSet, NO_UIDS, parseUidSet } from '#domain/values/uid-set';
import { BadSyntax, Parser } from '#protocols/imap/parser';
import { existingUids, rangesUpTo, uidsAtSeqs } from '#protocols/imap/sequence-set';
import type { SequenceSet } from '#protocols/imap/words';

/** Six messages: 1 → 10, 2 → 11, 3 → 12, 4 → 20, 5 → 30, 6 → 31. */
const SIX = new UidRuns(parseUidSet('10:12,20,30:31'));
const SAVED = parseUidSet('11,20:25');

function set(text: string): SequenceSet {
  return new Parser(commandOf(text)).sequenceSet();
}

describe('sequence numbers', () => {
  const uids = (text: string, runs = SIX): string =>
    formatUidSet(uidsAtSeqs(set(text), runs, SAVED));

  it('are those of the messages', () => {
    assert.equal(uids('1,4'), '10,20');
    assert.equal(uids('5:2'), '11:12,20,30');
    assert.equal(uids('1:6'), '10:12,20,30:31');
    assert.equal(uids('$'), '11,20');
  });

  it('132: "*" is the last message, also at the end of a range that begins above it', () => {
    assert.equal(uids('*'), '31');
    assert.equal(uids('5:*'), '30:31');
    assert.equal(uids('*:5'), '30:31');
    assert.equal(uids('9:*'), '31');
    assert.equal(uids('1,9:*'), '10,31');
  });

  it('128: above the last message are an error', () => {
    for (const text of ['7', '1:7', '6,7', '4294967295']) {
      assert.throws(() => uids(text), BadSyntax, text);
    }
  });

  it('132: do not exist in an empty mailbox; the saved result may be asked for', () => {
    for (const text of ['1', '*', '1:*']) assert.throws(() => uids(text, UidRuns.empty), BadSyntax);
    assert.equal(uids('$', UidRuns.empty), '');
  });
});

describe('UIDs', () => {
  const uids = (text: string, runs = SIX): string =>
    formatUidSet(existingUids(set(text), runs, SAVED));

  it('that do not exist are passed over', () => {
    assert.equal(uids('1:20'), '10:12,20');
    assert.equal(uids('99'), '');
    assert.equal(uids('$'), '11,20');
  });

  it('"*" is the highest that exists, also at the end of a range that begins above it', () => {
    assert.equal(uids('*'), '31');
    assert.equal(uids('99:*'), '31');
    assert.equal(uids('30:*'), '30:31');
    assert.equal(uids('*', UidRuns.empty), '');
    assert.equal(uids('1:*', UidRuns.empty), '');
  });

  it('may be asked for as ranges, whether or not they exist', () => {
    const ranges = (text: string): string => formatUidSet(rangesUpTo(set(text), 40, NO_UIDS));
    assert.equal(ranges('1:*'), '1:40');
    assert.equal(ranges('5,50:*'), '5,40');
    assert.equal(ranges('50'), '50');
  });
});
