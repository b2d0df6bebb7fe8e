/**
 * Pages of marks: the table that keeps them, those that were asked for lately, and those that a
 * turn has changed.
 *
 * Committed pages never change and are shared by everybody. A turn changes copies that nobody else
 * sees; they are written and take the place of the others when it is committed, or are forgotten.
 * So decisions see what the turn did before them, conversations see committed turns only, and to
 * give a turn up costs nothing.
 */

import { sql as raw } from 'kysely';
import type { MailboxId, ModSeq, Uid } from '#domain/values/ids';
import { NO_UIDS, UidSetBuilder, unionOf, type UidSet } from '#domain/values/uid-set';
import { firstUidOf, lastUidOf, MarkPage, pageOf, type PageNumber } from './mark-page.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface MarkTables {
  mark_pages: {
    page_id: PageId;
    mailbox_id: MailboxId;
    mod_seq: ModSeq;
    unseen: number;
    deleted: number;
    marks: Uint8Array;
    keywords: string;
  };
}

/** Mailbox and number of a page; UIDs have 32 bits, so page numbers have 24. */
type PageId = number;

const PAGE_NUMBERS: number = 2 ** 24;

/**
 * Committed pages that are kept at most, 3 KB each, more with keywords: in two halves, of which the
 * old one is dropped when the young one, with what was asked for since, is full.
 */
const KEPT_PAGES_MAX = 1024;

export const MARK_DDL: readonly string[] = [
  `CREATE TABLE mark_pages (
    page_id INTEGER PRIMARY KEY,
    mailbox_id INTEGER NOT NULL,
    mod_seq INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    marks BLOB NOT NULL,
    keywords TEXT NOT NULL
  )`,
  'CREATE INDEX mark_pages_changed ON mark_pages (mailbox_id, mod_seq)',
  'CREATE INDEX mark_pages_unseen ON mark_pages (mailbox_id, page_id) WHERE unseen > 0',
  'CREATE INDEX mark_pages_deleted ON mark_pages (mailbox_id, page_id) WHERE deleted > 0',
];

const db = tables<MarkTables>();

const onePage = query((at: Markers<{ pageId: PageId }>) =>
  db.selectFrom('mark_pages').select(['marks', 'keywords']).where('page_id', '=', at.pageId),
);

const putPage = query((at: Markers<MarkTables['mark_pages']>) =>
  db
    .insertInto('mark_pages')
    .values({
      page_id: at.page_id,
      mailbox_id: at.mailbox_id,
      mod_seq: at.mod_seq,
      unseen: at.unseen,
      deleted: at.deleted,
      marks: at.marks,
      keywords: at.keywords,
    })
    .onConflict((conflict) =>
      conflict.column('page_id').doUpdateSet((eb) => ({
        mod_seq: eb.ref('excluded.mod_seq'),
        unseen: eb.ref('excluded.unseen'),
        deleted: eb.ref('excluded.deleted'),
        marks: eb.ref('excluded.marks'),
        keywords: eb.ref('excluded.keywords'),
      })),
    ),
);

const dropPage = query((at: Markers<{ pageId: PageId }>) =>
  db.deleteFrom('mark_pages').where('page_id', '=', at.pageId),
);

const dropPages = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('mark_pages').where('mailbox_id', '=', at.mailboxId),
);

/** Ids of pages as a JSON array: a row for each would cost several times as much. */
const PAGE_IDS = raw<string>`json_group_array(page_id)`.as('pageIds');

const changedPages = query((at: Markers<{ mailboxId: MailboxId; since: ModSeq }>) =>
  db
    .selectFrom('mark_pages')
    .select(PAGE_IDS)
    .where('mailbox_id', '=', at.mailboxId)
    .where('mod_seq', '>', at.since),
);

const firstUnseen = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db
    .selectFrom('mark_pages')
    .select('page_id as pageId')
    .where('mailbox_id', '=', at.mailboxId)
    .where('unseen', '>', raw.lit(0))
    .orderBy('page_id')
    .limit(raw.lit(1)),
);

const deletedPages = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db
    .selectFrom('mark_pages')
    .select(PAGE_IDS)
    .where('mailbox_id', '=', at.mailboxId)
    .where('deleted', '>', raw.lit(0)),
);

/** Where marks are found. */
export interface MarkSource {
  page(mailboxId: MailboxId, number: PageNumber): MarkPage | undefined;
  /** UIDs of a mailbox, among them those of all messages flagged \Deleted. */
  spansWithDeleted(mailboxId: MailboxId): UidSet;
}

/** Marks as of the last committed turn. */
export class MarkPages implements MarkSource {
  readonly #sql: () => Sql;
  #young = new Map<PageId, MarkPage>();
  #old = new Map<PageId, MarkPage>();

  /** `sql` gives the connection, every time anew. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  page(mailboxId: MailboxId, number: PageNumber): MarkPage | undefined {
    const pageId = pageIdOf(mailboxId, number);
    const young = this.#young.get(pageId);
    if (young !== undefined) return young;
    const page = this.#old.get(pageId) ?? this.#read(pageId, number);
    if (page !== undefined) this.keep(pageId, page);
    return page;
  }

  spansWithDeleted(mailboxId: MailboxId): UidSet {
    return spansOf(pageIdsIn(deletedPages.get(this.#sql(), { mailboxId })));
  }

  /** UIDs of a mailbox, among them those of all messages with a modseq above `since`. */
  spansChanged(mailboxId: MailboxId, since: ModSeq): UidSet {
    return spansOf(pageIdsIn(changedPages.get(this.#sql(), { mailboxId, since })));
  }

  /** UIDs of a mailbox, among them that of the first unseen message; none when all are seen. */
  spanWithUnseen(mailboxId: MailboxId): UidSet {
    const page = firstUnseen.get(this.#sql(), { mailboxId });
    return page === undefined ? NO_UIDS : spansOf([page.pageId]);
  }

  /** The page is now as it is here. */
  keep(pageId: PageId, page: MarkPage): void {
    if (page.isEmpty) {
      this.#young.delete(pageId);
      this.#old.delete(pageId);
      return;
    }
    if (this.#young.size >= KEPT_PAGES_MAX / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(pageId, page);
  }

  /** Gives back memory, or forgets what is not true any more. */
  forget(): void {
    this.#young.clear();
    this.#old.clear();
  }

  #read(pageId: PageId, number: PageNumber): MarkPage | undefined {
    const row = onePage.get(this.#sql(), { pageId });
    return row && MarkPage.decoded(number, row.marks, row.keywords);
  }
}

/** Marks as a turn has left them so far. */
export class MarkDrafts implements MarkSource {
  readonly #pages: MarkPages;
  readonly #drafts = new Map<PageId, MarkPage>();

  constructor(pages: MarkPages) {
    this.#pages = pages;
  }

  page(mailboxId: MailboxId, number: PageNumber): MarkPage | undefined {
    return this.#drafts.get(pageIdOf(mailboxId, number)) ?? this.#pages.page(mailboxId, number);
  }

  spansWithDeleted(mailboxId: MailboxId): UidSet {
    const drafts = spansOf(this.#draftsOf(mailboxId));
    return unionOf(this.#pages.spansWithDeleted(mailboxId), drafts);
  }

  /** The page of a UID, to be changed. */
  draft(mailboxId: MailboxId, uid: Uid): MarkPage {
    const number = pageOf(uid);
    const pageId = pageIdOf(mailboxId, number);
    const known = this.#drafts.get(pageId);
    if (known !== undefined) return known;
    const draft = this.#pages.page(mailboxId, number)?.copy() ?? new MarkPage(number);
    this.#drafts.set(pageId, draft);
    return draft;
  }

  /** Takes out a mailbox with all its pages; its id is never given out again. */
  dropMailbox(write: Sql, mailboxId: MailboxId): void {
    for (const pageId of this.#draftsOf(mailboxId)) this.#drafts.delete(pageId);
    dropPages.run(write, { mailboxId });
  }

  /** To be called before the transaction is committed. */
  write(write: Sql): void {
    for (const [pageId, page] of this.#drafts) {
      if (page.isEmpty) {
        dropPage.run(write, { pageId });
        continue;
      }
      const { modSeq, unseen, deleted, marks, keywords } = page.encoded();
      putPage.run(write, {
        page_id: pageId,
        mailbox_id: mailboxOf(pageId),
        mod_seq: modSeq,
        unseen,
        deleted,
        marks,
        keywords,
      });
    }
  }

  /** The transaction was committed. */
  keep(): void {
    for (const [pageId, page] of this.#drafts) this.#pages.keep(pageId, page);
    this.#drafts.clear();
  }

  /** The transaction was rolled back. */
  drop(): void {
    this.#drafts.clear();
  }

  #draftsOf(mailboxId: MailboxId): readonly PageId[] {
    return [...this.#drafts.keys()].filter((pageId) => mailboxOf(pageId) === mailboxId);
  }
}

function pageIdOf(mailboxId: MailboxId, number: PageNumber): PageId {
  return mailboxId * PAGE_NUMBERS + number;
}

function mailboxOf(pageId: PageId): MailboxId {
  return Math.floor(pageId / PAGE_NUMBERS);
}

function pageIdsIn(row: { readonly pageIds: string } | undefined): readonly PageId[] {
  return JSON.parse(row?.pageIds ?? '[]') as readonly PageId[];
}

/** The UIDs that the pages may have. */
function spansOf(pages: readonly PageId[]): UidSet {
  const spans = new UidSetBuilder();
  for (const pageId of Float64Array.from(pages).sort()) {
    const number = pageId % PAGE_NUMBERS;
    spans.addRange(firstUidOf(number), lastUidOf(number));
  }
  return spans.build();
}
