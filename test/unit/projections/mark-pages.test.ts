/**
 * Pages of marks: what a turn changes is its own until it is committed, and however many pages
 * there are, each is right.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INBOX_ID, OPENED, recorded, stored } from '../../support/given.ts';
import { emptyViews, type PostedViews } from '../../support/views.ts';
import type { AccountEvent } from '#domain/log/streams';
import { SEEN } from '#domain/values/flags';
import { formatUidSet, uidSetOf, type UidSet } from '#domain/values/uid-set';
import { MarkDrafts, MarkPages } from '#projections/mark-pages';
import { deletedOf, firstUnseen, keywordsOf, marksOf, marksSince } from '#projections/mark-reads';

const ALL: UidSet = [[1, 2 ** 32 - 1]];
/** More than are kept in memory. */
const PAGES = 1500;

const uidAt = (n: number): number => 1 + n * 256;
const EVERY = uidSetOf(Array.from({ length: PAGES }, (_, n) => uidAt(n)));

/** One message in each of many pages, with modseq 2. */
function scattered(): PostedViews {
  const views = emptyViews();
  const messages = Array.from({ length: PAGES }, (_, n) => ({
    uid: uidAt(n),
    messageId: n + 1,
    ...stored(),
  }));
  views.post(recorded([OPENED, { type: 'MessagesAppended', mailboxId: INBOX_ID, messages }]));
  return views;
}

function flagsChanged(uids: string, ...add: readonly string[]): AccountEvent {
  return { type: 'FlagsChanged', mailboxId: INBOX_ID, uids, edit: { add, remove: [] } };
}

describe('pages of marks', () => {
  it('are right when they are more than are kept', () => {
    using views = scattered();
    views.post(recorded([flagsChanged(formatUidSet(EVERY), '\\Seen')], 2));
    views.post(recorded([flagsChanged(`${uidAt(0)},${uidAt(1)},${uidAt(1499)}`, 'work')], 3));
    for (let round = 0; round < 2; round++) {
      const marks = views.reader.marks(INBOX_ID, ALL);
      assert.equal(marks.length, PAGES);
      assert.ok(marks.every(({ bits }) => bits === SEEN));
      assert.deepEqual(
        marks.filter(({ keywords }) => keywords === 'work').map(({ uid }) => uid),
        [uidAt(0), uidAt(1), uidAt(1499)],
      );
    }
  });

  it('are gone with their last message', () => {
    using views = scattered();
    views.reader.marks(INBOX_ID, ALL);
    const uids = formatUidSet(EVERY.slice(1));
    views.post(recorded([{ type: 'MessagesExpunged', mailboxId: INBOX_ID, uids }], 2));
    assert.deepEqual(
      views.reader.marks(INBOX_ID, ALL).map(({ uid }) => uid),
      [uidAt(0)],
    );
    const rows = views.db.passing('SELECT count(*) AS n FROM mark_pages').get([]);
    assert.deepEqual({ ...(rows as object) }, { n: 1 });
  });

  it('are gone with their mailbox', () => {
    using views = scattered();
    views.post(recorded([{ type: 'MailboxDeleted', mailboxId: INBOX_ID, name: 'Inbox' }], 2));
    const rows = views.db.passing('SELECT count(*) AS n FROM mark_pages').get([]);
    assert.deepEqual({ ...(rows as object) }, { n: 0 });
  });

  it('tell the changes since a modseq from the pages that have any', () => {
    using views = scattered();
    views.post(recorded([flagsChanged(`${uidAt(7)},${uidAt(900)}`, '\\Seen')], 2));
    const { pages } = views.reader;
    assert.equal(formatUidSet(pages.spansChanged(INBOX_ID, 2)), '1792:2047,230400:230655');
    assert.deepEqual(
      marksSince(pages, INBOX_ID, 2, ALL).map(({ uid }) => uid),
      [uidAt(7), uidAt(900)],
    );
    assert.deepEqual(marksSince(pages, INBOX_ID, 3, ALL), []);
    assert.equal(marksSince(pages, INBOX_ID, 1, [[1, uidAt(9)]]).length, 10);
  });

  it('tell the first message that is unseen', () => {
    using views = scattered();
    const { pages } = views.reader;
    assert.equal(firstUnseen(pages, INBOX_ID), uidAt(0));
    views.post(recorded([flagsChanged(formatUidSet(EVERY.slice(0, 1200)), '\\Seen')], 2));
    assert.equal(firstUnseen(pages, INBOX_ID), uidAt(1200));
    views.post(recorded([flagsChanged(formatUidSet(EVERY.slice(1200)), '\\Seen')], 3));
    assert.equal(firstUnseen(pages, INBOX_ID), undefined);
  });
});

describe('what a turn has changed', () => {
  const mark = { bits: 8, keywords: 'work', modSeq: 9 };

  it('is seen by the turn alone', () => {
    using views = scattered();
    const { pages } = views.reader;
    const drafts = new MarkDrafts(pages);
    drafts.draft(INBOX_ID, uidAt(3)).put({ uid: uidAt(3), ...mark });
    drafts.draft(INBOX_ID, uidAt(9000)).put({ uid: uidAt(9000), ...mark });
    const changed = [uidAt(3), uidAt(9000)];
    assert.deepEqual(deletedOf(drafts, INBOX_ID, ALL), uidSetOf(changed));
    assert.deepEqual(keywordsOf(drafts, INBOX_ID, uidSetOf(changed)), new Set(['work']));
    assert.deepEqual(deletedOf(pages, INBOX_ID, ALL), []);
    assert.deepEqual(keywordsOf(pages, INBOX_ID, uidSetOf(changed)), new Set(['']));
  });

  it('is seen by everybody when it is kept, and by nobody when it is dropped', () => {
    using views = scattered();
    const { pages } = views.reader;
    const drafts = new MarkDrafts(pages);
    const before = marksOf(pages, INBOX_ID, EVERY);
    drafts.draft(INBOX_ID, uidAt(3)).put({ uid: uidAt(3), ...mark });
    drafts.drop();
    assert.deepEqual(marksOf(drafts, INBOX_ID, EVERY), before);
    drafts.draft(INBOX_ID, uidAt(3)).put({ uid: uidAt(3), ...mark });
    drafts.write(views.db);
    drafts.keep();
    const now = before.map((each) => (each.uid === uidAt(3) ? { uid: each.uid, ...mark } : each));
    assert.deepEqual(marksOf(pages, INBOX_ID, EVERY), now);
    assert.deepEqual(marksOf(new MarkPages(() => views.db), INBOX_ID, EVERY), now);
  });
});
