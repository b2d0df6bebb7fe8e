/**
 * What a session hears of other mailboxes, at what cost, and when it is too much.
 */

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { ARCHIVE_ID, delivered, INBOX_ID, TRASH_ID } from '../../../support/given.ts';
import { wordsOf } from '../../../support/imap-words.ts';
import { newsStage, type NewsStage } from '../../../support/news.ts';
import { IMAP_DELAYED_CHANGES_MAX, IMAP_PENDING_CHANGES_MAX } from '#protocols/limits';
import { notify } from '#protocols/imap/grammar-notify';
import { Selected } from '#protocols/imap/selected';
import { SessionNews, type NewsModes } from '#protocols/imap/session-news';

const MODES: NewsModes = { utf8: false, rev2: false, condstore: true };
const SESSIONS = 1000;
const OVERFLOW = /^\* OK \[NOTIFICATIONOVERFLOW\] [^\r]+\r\n$/;

function sessionOn(stage: NewsStage, asked?: string, wake = (): void => undefined): SessionNews {
  const session = new SessionNews(stage.news(), { wake, over: () => undefined });
  if (asked !== undefined) ask(session, asked);
  return session;
}

function ask(session: SessionNews, asked: string): void {
  const words = wordsOf(notify, `NOTIFY ${asked}`);
  assert.ok(words !== 'unknown-event');
  session.ask(words);
}

function arrivals(count: number): readonly ReturnType<typeof delivered>[] {
  return Array.from({ length: count }, (_, i) => delivered(ARCHIVE_ID, 100 + i));
}

function selectedOn(stage: NewsStage): Selected {
  const news = stage.news().mailbox(INBOX_ID);
  return new Selected(news, 1, { readOnly: false, wake: () => undefined });
}

describe('a session that asked for news of other mailboxes', () => {
  it('costs no reading of its own', () => {
    using stage = newsStage();
    const sessions = Array.from({ length: SESSIONS }, () =>
      sessionOn(stage, 'SET (subscribed (MessageNew MessageExpunge FlagChange))'),
    );
    const summaries = mock.method(stage.reader, 'mailbox');
    const subscriptions = mock.method(stage.reader, 'subscriptions');
    stage.happen(delivered(ARCHIVE_ID, 100), delivered(TRASH_ID, 101));
    const texts = new Set(sessions.map((session) => session.text('unasked', MODES)));
    const [text = ''] = texts;
    assert.equal(texts.size, 1);
    assert.deepEqual(
      text.match(/^\* STATUS \w+ \(UIDNEXT \d+ MESSAGES 1/gm)?.map((line) => line.split(' ')[2]),
      ['Archive', 'Trash'],
    );
    assert.equal(summaries.mock.callCount(), 2);
    assert.equal(subscriptions.mock.callCount(), 1);
  });

  it('is told what is the case now, once', () => {
    using stage = newsStage();
    const session = sessionOn(stage, 'SET (personal (MessageNew MessageExpunge))');
    const facts = stage.happen(...arrivals(3));
    const modSeq = facts.at(-1)?.modSeq;
    assert.equal(
      session.text('unasked', MODES),
      `* STATUS Archive (UIDNEXT 103 MESSAGES 3 UNSEEN 3 HIGHESTMODSEQ ${modSeq})\r\n`,
    );
    assert.equal(session.text('unasked', MODES), '');
  });

  it('is not told what it did itself', () => {
    using stage = newsStage();
    const session = sessionOn(stage, 'SET (personal (MessageNew MessageExpunge MailboxName))');
    session.claim(stage.happen(delivered(ARCHIVE_ID, 100)));
    session.claim(stage.happen({ type: 'MailboxDeleted', mailboxId: TRASH_ID, name: 'Trash' }));
    assert.equal(session.text('unasked', MODES), '');
  });

  it('is woken by what it asked for only', () => {
    using stage = newsStage();
    let woken = 0;
    sessionOn(stage, 'SET (mailboxes Archive (MessageNew MessageExpunge))', () => woken++);
    stage.happen(delivered(TRASH_ID, 100));
    assert.equal(woken, 0);
    stage.happen(delivered(ARCHIVE_ID, 101));
    assert.equal(woken, 1);
  });
});

describe('a session that lags', () => {
  it('is told so, and nothing from then on, when it asked for news (item 222)', () => {
    using stage = newsStage();
    const session = sessionOn(stage, 'SET (personal (MessageNew MessageExpunge))');
    stage.happen(...arrivals(IMAP_PENDING_CHANGES_MAX));
    assert.equal(session.lagsTooFar, false);
    stage.happen(delivered(ARCHIVE_ID, 20_000));
    assert.equal(session.lagsTooFar, true);
    assert.equal(session.overflow(), true);
    assert.match(session.text('unasked', MODES), OVERFLOW);
    stage.happen(delivered(ARCHIVE_ID, 20_001));
    assert.equal(session.lagsTooFar, false);
    assert.equal(session.text('everything', MODES), '');
  });

  it('is told sooner when news of the open mailbox wait for a command', () => {
    using stage = newsStage();
    const selected = selectedOn(stage);
    const session = sessionOn(stage, 'SET (selected-delayed (MessageNew MessageExpunge))');
    session.open(selected);
    const more = Array.from({ length: IMAP_DELAYED_CHANGES_MAX }, (_, i) =>
      delivered(INBOX_ID, 100 + i),
    );
    stage.happen(...more);
    assert.equal(session.lagsTooFar, false);
    stage.happen(delivered(INBOX_ID, 5000));
    assert.equal(session.lagsTooFar, true);
    assert.equal(session.overflow(), true);
    assert.equal(session.lagsTooFar, false);
    assert.match(session.text('unasked', MODES), OVERFLOW);
    assert.deepEqual(session.topicsAt('everything'), {
      additions: false,
      removals: false,
      flags: false,
    });
  });

  it('cannot go on when it asked for nothing: it relies on hearing of everything', () => {
    using stage = newsStage();
    assert.equal(sessionOn(stage).overflow(), false);
  });

  it('need not be told when it wanted no news', () => {
    using stage = newsStage();
    const session = sessionOn(stage, 'NONE');
    assert.equal(session.overflow(), true);
    assert.equal(session.text('unasked', MODES), '');
  });
});
