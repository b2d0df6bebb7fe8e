/**
 * What a session on a mailbox is told, and when.
 */

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { delivered, INBOX_ID } from '../../../support/given.ts';
import { expunged, flagged, newsStage, type NewsStage } from '../../../support/news.ts';
import { IMAP_PENDING_CHANGES_MAX } from '#protocols/limits';
import { Selected, type Telling } from '#protocols/imap/selected';

const PLAIN: Telling = {
  additions: true,
  removals: true,
  flags: true,
  condstore: false,
  vanished: false,
  uidOnly: false,
  arrivals: false,
};
const QRESYNC: Telling = { ...PLAIN, condstore: true, vanished: true };
const HELD: Telling = { ...PLAIN, removals: false };
const QRESYNC_HELD: Telling = { ...QRESYNC, removals: false };

function open(stage: NewsStage, wake = (): void => undefined): Selected {
  return new Selected(stage.news().mailbox(INBOX_ID), 1, { readOnly: false, wake });
}

function lines(...text: readonly string[]): string {
  return text.map((line) => `${line}\r\n`).join('');
}

describe('a session on a mailbox', () => {
  it('hears of arrivals as a number, and has nothing more to hear then', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(delivered(INBOX_ID, 7), delivered(INBOX_ID, 8));
    assert.equal(selected.told.count, 6);
    assert.equal(selected.flush(PLAIN), lines('* 8 EXISTS'));
    assert.equal(selected.told.count, 8);
    assert.equal(selected.flush(PLAIN), '');
  });

  it('is woken by what concerns its mailbox', () => {
    using stage = newsStage();
    let woken = 0;
    open(stage, () => woken++);
    stage.happen(delivered(2, 100));
    assert.equal(woken, 0);
    stage.happen(delivered(INBOX_ID, 7));
    assert.equal(woken, 1);
  });

  it('hears of removals by sequence number, each as it stands then', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(expunged('2:3,6'));
    assert.equal(selected.flush(PLAIN), lines('* 2 EXPUNGE', '* 2 EXPUNGE', '* 4 EXPUNGE'));
  });

  it('hears of removals by UID with QRESYNC', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(expunged('2:3,6'));
    assert.equal(selected.flush(QRESYNC), lines('* VANISHED 2:3,6'));
  });

  it('never hears of a message that came and went', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(delivered(INBOX_ID, 7), flagged('7', '\\Seen'), expunged('7'));
    assert.equal(selected.flush(QRESYNC), '');
    stage.happen(delivered(INBOX_ID, 8));
    assert.equal(selected.flush(QRESYNC), lines('* 7 EXISTS'));
  });

  it('hears of flags as they are now, once, not of those of new messages', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(flagged('2', '\\Seen'), flagged('2:3', '\\Flagged'));
    stage.happen(delivered(INBOX_ID, 7), flagged('7', '\\Seen'));
    assert.equal(
      selected.flush(PLAIN),
      lines(
        '* 7 EXISTS',
        '* 2 FETCH (UID 2 FLAGS (\\Seen \\Flagged))',
        '* 3 FETCH (UID 3 FLAGS (\\Flagged))',
      ),
    );
  });

  it('hears of modseqs with CONDSTORE', () => {
    using stage = newsStage();
    const selected = open(stage);
    const [fact] = stage.happen(flagged('2', '\\Seen'));
    assert.equal(
      selected.flush({ ...PLAIN, condstore: true }),
      lines(`* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (${fact?.modSeq}))`),
    );
  });

  it('learns of new keywords before they are used', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(flagged('1', 'work'));
    const [flags, fetch] = selected.flush(PLAIN).split('\r\n');
    assert.match(flags ?? '', /^\* FLAGS \(.* work\)$/);
    assert.equal(fetch, '* 1 FETCH (UID 1 FLAGS (work))');
    stage.happen(flagged('2', 'work'));
    assert.equal(selected.flush(PLAIN), lines('* 2 FETCH (UID 2 FLAGS (work))'));
  });

  it('does not look for new keywords when only other flags were edited', () => {
    using stage = newsStage();
    const selected = open(stage);
    const summaries = mock.method(stage.reader, 'mailbox');
    stage.happen(flagged('1', '\\Seen'));
    assert.equal(selected.keywordLine(), '');
    assert.equal(summaries.mock.callCount(), 0);
    stage.happen(flagged('1', 'work'));
    assert.match(selected.keywordLine(), /^\* FLAGS \(.* work\)\r\n$/);
    assert.equal(summaries.mock.callCount(), 1);
  });

  it('does not hear of the flags that its own command has told', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(flagged('1', '\\Seen'));
    selected.claim(stage.happen(flagged('2', '\\Seen')));
    assert.equal(selected.flush(PLAIN), lines('* 1 FETCH (UID 1 FLAGS (\\Seen))'));
  });

  it('hears of a mailbox that is gone by finding nothing more', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen({ type: 'MailboxDeleted', mailboxId: INBOX_ID, name: 'Inbox' });
    assert.equal(selected.isGone, true);
    assert.equal(selected.flush(PLAIN), '');
  });

  it('lags too far behind when more happened than it may keep', () => {
    using stage = newsStage();
    const selected = open(stage);
    const change = flagged('1', '\\Seen');
    stage.happen(...Array.from({ length: IMAP_PENDING_CHANGES_MAX }, () => change));
    assert.equal(selected.isOverrun, false);
    stage.happen(change);
    assert.equal(selected.isOverrun, true);
  });
});

describe('while sequence numbers are in use', () => {
  it('removals are held back, arrivals and flags are not', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(expunged('2'), delivered(INBOX_ID, 7), flagged('3', '\\Seen'));
    assert.equal(selected.flush(HELD), lines('* 7 EXISTS', '* 3 FETCH (UID 3 FLAGS (\\Seen))'));
    assert.equal(selected.seqOf(3), 3);
    assert.equal(selected.flush(HELD), '');
    assert.equal(selected.flush(PLAIN), lines('* 2 EXPUNGE'));
    assert.equal(selected.seqOf(3), 2);
  });

  it('a modseq above that of a held removal is taken back', () => {
    using stage = newsStage();
    const selected = open(stage);
    const [removal] = stage.happen(expunged('2'));
    const removedAt = removal?.modSeq ?? 0;
    assert.equal(selected.flush(QRESYNC_HELD), '');
    assert.equal(selected.reportedModSeq, removedAt - 1);
    const [change] = stage.happen(flagged('3', '\\Seen'));
    assert.equal(
      selected.flush(QRESYNC_HELD),
      lines(
        `* 3 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (${change?.modSeq}))`,
        `* OK [HIGHESTMODSEQ ${removedAt - 1}] some changes are yet to be told`,
      ),
    );
    assert.equal(selected.flush(QRESYNC), lines('* VANISHED 2'));
    assert.equal(selected.reportedModSeq, change?.modSeq);
  });

  it('so is one that the command itself has shown', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(expunged('2'));
    const [change] = stage.happen(flagged('3', '\\Seen'));
    selected.claim(change === undefined ? [] : [change]);
    selected.show(change?.modSeq ?? 0);
    assert.match(selected.flush(QRESYNC_HELD), /^\* OK \[HIGHESTMODSEQ \d+\] [^\r]*\r\n$/);
  });

  it('nothing is held of a message that was never told', () => {
    using stage = newsStage();
    const selected = open(stage);
    stage.happen(delivered(INBOX_ID, 7), expunged('7'), flagged('1', '\\Seen'));
    assert.equal(selected.flush(QRESYNC_HELD).includes('HIGHESTMODSEQ'), false);
  });
});
