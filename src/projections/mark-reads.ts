/**
 * Reads of marks: what a set of UIDs has for flags and modseqs.
 */

import type { MessageMark } from '#domain/message/state';
import { DELETED, SEEN } from '#domain/values/flags';
import type { MailboxId, ModSeq, Uid } from '#domain/values/ids';
import { intersectionOf, UidSetBuilder, type UidSet } from '#domain/values/uid-set';
import { lastUidOf, pageOf, type MarkVisitor } from './mark-page.ts';
import type { MarkPages, MarkSource } from './mark-pages.ts';

/** What is asked of one message. */
export type MarkTest = (bits: number, keywords: string, modSeq: ModSeq) => boolean;

/** Shows those of `uids` that exist, ascending. The cost follows what `uids` spans. */
export function eachMark(
  source: MarkSource,
  mailboxId: MailboxId,
  uids: UidSet,
  visit: MarkVisitor,
): void {
  eachMarkSince(source, mailboxId, 0, uids, visit);
}

function eachMarkSince(
  source: MarkSource,
  mailboxId: MailboxId,
  since: ModSeq,
  uids: UidSet,
  visit: MarkVisitor,
): void {
  let number = -1;
  let page = undefined;
  for (const [first, last] of uids) {
    for (let from = first; from <= last; from = lastUidOf(number) + 1) {
      // A set of many runs has many of them in one page.
      if (pageOf(from) !== number) page = source.page(mailboxId, (number = pageOf(from)));
      page?.each(from, last, since, visit);
    }
  }
}

/** Those of `uids` that exist, ascending. */
export function marksOf(
  source: MarkSource,
  mailboxId: MailboxId,
  uids: UidSet,
): readonly MessageMark[] {
  const marks: MessageMark[] = [];
  eachMark(source, mailboxId, uids, (uid, bits, keywords, modSeq) => {
    marks.push({ uid, bits, keywords, modSeq });
  });
  return marks;
}

/** Those of `uids` that exist and pass the test. */
export function uidsWhere(
  source: MarkSource,
  mailboxId: MailboxId,
  uids: UidSet,
  test: MarkTest,
): UidSet {
  const found = new UidSetBuilder();
  eachMark(source, mailboxId, uids, (uid, bits, keywords, modSeq) => {
    if (test(bits, keywords, modSeq)) found.add(uid);
  });
  return found.build();
}

/** Those of `uids` that are flagged \Deleted. */
export function deletedOf(source: MarkSource, mailboxId: MailboxId, uids: UidSet): UidSet {
  const asked = intersectionOf(uids, source.spansWithDeleted(mailboxId));
  return uidsWhere(source, mailboxId, asked, (bits) => (bits & DELETED) !== 0);
}

/** Those of `uids` that have a modseq above `since`, ascending. */
export function marksSince(
  pages: MarkPages,
  mailboxId: MailboxId,
  since: ModSeq,
  uids: UidSet,
): readonly MessageMark[] {
  const marks: MessageMark[] = [];
  const asked = intersectionOf(uids, pages.spansChanged(mailboxId, since));
  eachMarkSince(pages, mailboxId, since, asked, (uid, bits, keywords, modSeq) => {
    marks.push({ uid, bits, keywords, modSeq });
  });
  return marks;
}

export function firstUnseen(pages: MarkPages, mailboxId: MailboxId): Uid | undefined {
  const span = pages.spanWithUnseen(mailboxId);
  return uidsWhere(pages, mailboxId, span, (bits) => (bits & SEEN) === 0)[0]?.[0];
}

/** The different sets of keywords that messages of `uids` have. */
export function keywordsOf(
  source: MarkSource,
  mailboxId: MailboxId,
  uids: UidSet,
): ReadonlySet<string> {
  const sets = new Set<string>();
  eachMark(source, mailboxId, uids, (_uid, _bits, keywords) => sets.add(keywords));
  return sets;
}
