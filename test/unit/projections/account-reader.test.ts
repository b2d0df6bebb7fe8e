/**
 * What conversations ask of an account: the same objects, few rows, and every kind of read.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARCHIVE_ID, delivered, INBOX_ID, OPENED, recorded } from '../../support/given.ts';
import { emptyViews, someFacts, type PostedViews } from '../../support/views.ts';
import type { AccountEvent } from '#domain/log/streams';
import { formatUidSet, uidSetOf, type UidSet } from '#domain/values/uid-set';

const ALL: UidSet = [[1, 1_000_000]];

/** Inbox with messages 1 … `count`; the n-th has modseq n + 1. */
function inbox(count: number): { readonly views: PostedViews; post(event: AccountEvent): void } {
  const views = emptyViews();
  const events = Array.from({ length: count }, (_, i) => delivered(INBOX_ID, i + 1));
  views.post(recorded([OPENED, ...events]));
  return {
    views,
    post: (event) => views.post(recorded([event], views.reader.revision + 1)),
  };
}

const flagsChanged = (uids: string, ...add: string[]): AccountEvent => ({
  type: 'FlagsChanged',
  mailboxId: INBOX_ID,
  uids,
  edit: { add, remove: [] },
});

describe('the UIDs of a mailbox', () => {
  it('are one object until the mailbox changes', () => {
    const { views, post } = inbox(5);
    using _ = views;
    const runs = views.reader.uidRuns(INBOX_ID);
    post(flagsChanged('1:2', '\\Seen'));
    assert.equal(views.reader.uidRuns(INBOX_ID), runs);
    post({ type: 'MessagesExpunged', mailboxId: INBOX_ID, uids: '2,4' });
    assert.equal(formatUidSet(views.reader.uidRuns(INBOX_ID).uids), '1,3,5');
    post(delivered(INBOX_ID, 6));
    assert.equal(formatUidSet(views.reader.uidRuns(INBOX_ID).uids), '1,3,5:6');
  });

  it('are gone with the mailbox', () => {
    const { views, post } = inbox(3);
    using _ = views;
    views.reader.uidRuns(INBOX_ID);
    post({ type: 'MailboxDeleted', mailboxId: INBOX_ID, name: 'Inbox' });
    assert.equal(views.reader.uidRuns(INBOX_ID).count, 0);
    assert.deepEqual(views.reader.marks(INBOX_ID, ALL), []);
  });

  it('are right for more mailboxes than are kept', () => {
    const { views, post } = inbox(2);
    using _ = views;
    views.reader.uidRuns(INBOX_ID);
    for (let other = 100; other < 200; other++) views.reader.uidRuns(other);
    post(delivered(INBOX_ID, 3));
    assert.equal(formatUidSet(views.reader.uidRuns(INBOX_ID).uids), '1:3');
  });
});

describe('reads of messages', () => {
  const sets: readonly (readonly [what: string, uids: UidSet])[] = [
    ['no message', []],
    ['one message', [[7, 7]]],
    ['one run', [[3, 9]]],
    ['many runs', uidSetOf(Array.from({ length: 40 }, (_, i) => i * 2 + 1))],
    ['messages that are not there', [[100, 200]]],
    ['more than is there', ALL],
  ];
  for (const [what, uids] of sets) {
    it(`give ${what}, ascending`, () => {
      const { views } = inbox(60);
      using _ = views;
      const right = views.reader
        .marks(INBOX_ID, ALL)
        .map(({ uid }) => uid)
        .filter((uid) => uids.some(([first, last]) => first <= uid && uid <= last));
      const { reader } = views;
      assert.deepEqual(
        reader.marks(INBOX_ID, uids).map(({ uid }) => uid),
        right,
      );
      assert.deepEqual(
        reader.rows(INBOX_ID, uids).map(({ uid }) => uid),
        right,
      );
      assert.deepEqual(
        reader.wire(INBOX_ID, uids, 'body').map(({ uid }) => uid),
        right,
      );
    });
  }

  it('give the three forms of a body’s structure', () => {
    const { views } = inbox(1);
    using _ = views;
    const facts = someFacts('ab');
    for (const item of ['envelope', 'body', 'bodyStructure'] as const) {
      assert.deepEqual(
        views.reader.wire(INBOX_ID, ALL, item).map((wire) => ({ ...wire })),
        [{ uid: 1, text: facts[item] }],
      );
    }
  });

  it('give an empty structure for a body that is gone', () => {
    using views = emptyViews(() => undefined);
    views.post(recorded([OPENED, delivered(INBOX_ID, 1)]));
    const [envelope] = views.reader.wire(INBOX_ID, ALL, 'envelope');
    assert.match(envelope?.text ?? '', /^\(NIL( NIL){9}\)$/);
  });
});

describe('changes since a modseq', () => {
  it('are found in a mailbox with more changes than are read one by one', () => {
    const { views, post } = inbox(3000);
    using _ = views;
    post(flagsChanged('5,2999', '\\Seen'));
    const since = (modSeq: number): string =>
      formatUidSet(
        uidSetOf(views.reader.changedSince(INBOX_ID, modSeq, ALL).map(({ uid }) => uid)),
      );
    assert.equal(since(0), '1:3000');
    assert.equal(since(1), '1:3000');
    assert.equal(since(3000), '5,2999:3000');
    assert.equal(since(3001), '5,2999');
    assert.equal(since(3002), '');
  });

  it('are told of the messages that were asked for', () => {
    const { views, post } = inbox(10);
    using _ = views;
    post(flagsChanged('1:10', '\\Seen'));
    assert.deepEqual(
      views.reader.changedSince(INBOX_ID, 11, [[4, 5]]).map(({ uid }) => uid),
      [4, 5],
    );
    post({ type: 'MessagesExpunged', mailboxId: INBOX_ID, uids: '2:5' });
    assert.deepEqual(views.reader.vanishedSince(INBOX_ID, 11, [[4, 9]]), [[4, 5]]);
    assert.equal(views.reader.vanishedAt(INBOX_ID, 5), 13);
    assert.equal(views.reader.vanishedAt(INBOX_ID, 6), undefined);
  });
});

describe('copies', () => {
  it('share what their body says, which stays as long as one of them does', () => {
    const { views, post } = inbox(1);
    using _ = views;
    post({
      type: 'MessagesCopied',
      source: INBOX_ID,
      uids: '1',
      target: ARCHIVE_ID,
      firstUid: 1,
      firstMessageId: 2,
    });
    post({ type: 'MessagesExpunged', mailboxId: INBOX_ID, uids: '1' });
    assert.equal(views.reader.wire(ARCHIVE_ID, ALL, 'envelope').length, 1);
    assert.deepEqual(
      views.reader.rows(ARCHIVE_ID, ALL).map(({ messageId, prefix }) => [messageId, prefix]),
      [[2, 'Received: by localhost\r\n']],
    );
  });
});
