/**
 * One subscription and one reading of the views for all sessions of an account.
 */

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { delivered, INBOX_ID } from '../../../support/given.ts';
import { expunged, flagged, newsStage } from '../../../support/news.ts';
import type { AccountFact } from '#domain/log/streams';
import { mailboxChangesOf } from '#protocols/imap/mailbox-news';
import { Selected, type Telling } from '#protocols/imap/selected';

const TELLING: Telling = {
  additions: true,
  removals: true,
  flags: true,
  condstore: true,
  vanished: true,
  uidOnly: false,
  arrivals: false,
};
const SILENT = { heard: (): void => undefined, over: (): void => undefined };
const SESSIONS = 1000;

describe('news of an account', () => {
  it('are subscribed to once, as long as anybody listens', () => {
    using stage = newsStage();
    const stops = [1, 2, 3].map(() => stage.news().listen(SILENT));
    assert.equal(stage.subscriptions, 1);
    for (const stop of stops) stop();
    assert.equal(stage.subscriptions, 0);
    stage.news().listen(SILENT);
    assert.equal(stage.subscriptions, 1);
  });

  it('tell of names to everybody, of messages to those who have the mailbox open', () => {
    using stage = newsStage();
    const names: string[] = [];
    const changed: number[] = [];
    stage.news().listen({ ...SILENT, heard: ({ event }) => names.push(event.type) });
    stage
      .news()
      .mailbox(INBOX_ID)
      .listen(({ modSeq }) => changed.push(modSeq));
    stage.happen({ type: 'MailboxSubscribed', name: 'x' }, delivered(2, 100));
    const facts = stage.happen(delivered(INBOX_ID, 7), flagged('1', '\\Seen'));
    assert.deepEqual(names, ['MailboxSubscribed']);
    assert.deepEqual(
      changed,
      facts.map(({ modSeq }) => modSeq),
    );
  });

  it('are read once, however many sessions hear them', () => {
    using stage = newsStage();
    const news = stage.news().mailbox(INBOX_ID);
    const sessions = Array.from(
      { length: SESSIONS },
      () => new Selected(news, 1, { readOnly: false, wake: () => undefined }),
    );
    const marks = mock.method(stage.reader, 'marks');
    const summaries = mock.method(stage.reader, 'mailbox');
    stage.happen(flagged('1:3', '\\Seen'), delivered(INBOX_ID, 7), expunged('2'));
    const texts = new Set(sessions.map((session) => session.flush(TELLING)));
    assert.equal(texts.size, 1);
    assert.equal(marks.mock.callCount(), 1);
    assert.equal(summaries.mock.callCount(), 1);
    assert.equal(new Set(sessions.map((session) => session.told)).size, 1);
  });

  it('are those of both mailboxes when messages move', () => {
    const fact: AccountFact = {
      revision: 4,
      modSeq: 5,
      at: 0,
      cause: { actor: 'test' },
      event: { type: 'MessagesMoved', source: 1, uids: '2', target: 2, firstUid: 9 },
    };
    assert.deepEqual(
      mailboxChangesOf(fact).map(({ mailboxId, removes }) => [mailboxId, removes]),
      [
        [1, true],
        [2, false],
      ],
    );
  });
});
