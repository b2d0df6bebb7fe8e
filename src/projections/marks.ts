/**
 * Read model of what commands change about messages: flags, keywords and modseqs, in pages of up to
 * 256 messages.
 *
 * A change of many messages rewrites few rows, a page knows the highest modseq in it, and nothing
 * is kept twice: STORE, FETCH FLAGS, SEARCH by flags, CHANGEDSINCE and QRESYNC all come from here.
 */

import type { MessagesCopied, MessagesMoved, NewMessage } from '#domain/message/events';
import type { AccountFact } from '#domain/log/streams';
import { flagSetOf } from '#domain/values/flags';
import type { MailboxId, ModSeq } from '#domain/values/ids';
import { parseUidSet, uidRange, type UidSet } from '#domain/values/uid-set';
import { bitsAfter, flagTerms, keywordsAfter, NO_EDIT, type FlagTerms } from './flag-edits.ts';
import { lastUidOf, pageOf, type MarkPage } from './mark-page.ts';
import { MARK_DDL, type MarkTables } from './mark-pages.ts';
import { eachMark } from './mark-reads.ts';
import type { AccountModel, AccountWrite } from './model.ts';
import { tables } from './query.ts';
import { legsOf } from './uid-changes.ts';

const db = tables<MarkTables>();

export const marks: AccountModel = {
  name: 'marks',
  version: 1,
  ddl: MARK_DDL,
  rows: [db.selectFrom('mark_pages').selectAll().orderBy('page_id')],
  apply,
};

function apply({ event, modSeq }: AccountFact, write: AccountWrite): void {
  switch (event.type) {
    case 'MessageDelivered':
      return arrive(write, event.mailboxId, [event.message], modSeq);
    case 'MessagesAppended':
      return arrive(write, event.mailboxId, event.messages, modSeq);
    case 'MessagesCopied':
    case 'MessagesMoved':
      return transfer(write, event, modSeq);
    case 'FlagsChanged':
      return edit(write, event.mailboxId, parseUidSet(event.uids), flagTerms(event.edit), modSeq);
    case 'MessageReplaced':
      arrive(write, event.target, [event.message], modSeq);
      return remove(write, event.mailboxId, uidRange(event.uid, event.uid));
    case 'MessagesExpunged':
      return remove(write, event.mailboxId, parseUidSet(event.uids));
    case 'MailboxDeleted':
      return write.marks.dropMailbox(write, event.mailboxId);
    default:
      return;
  }
}

function arrive(
  { marks: drafts }: AccountWrite,
  mailboxId: MailboxId,
  messages: readonly NewMessage[],
  modSeq: ModSeq,
): void {
  for (const { uid, flags } of messages) {
    drafts.draft(mailboxId, uid).put({ uid, ...flagSetOf(flags), modSeq });
  }
}

function transfer(
  write: AccountWrite,
  event: MessagesCopied | MessagesMoved,
  modSeq: ModSeq,
): void {
  const { source, target } = event;
  const uids = parseUidSet(event.uids);
  const terms = flagTerms(event.edit ?? NO_EDIT);
  for (const { from, to, uidShift } of legsOf(event.firstUid, uids)) {
    eachMark(write.marks, source, [[from, to]], (uid, bits, keywords) => {
      const there = uid + uidShift;
      write.marks.draft(target, there).put({
        uid: there,
        bits: bitsAfter(bits, terms),
        keywords: keywordsAfter(keywords, terms),
        modSeq,
      });
    });
  }
  if (event.type === 'MessagesMoved') remove(write, source, uids);
}

function edit(
  write: AccountWrite,
  mailboxId: MailboxId,
  uids: UidSet,
  terms: FlagTerms,
  modSeq: ModSeq,
): void {
  eachDraft(write, mailboxId, uids, (page, from, to) => page.edit(from, to, terms, modSeq));
}

function remove(write: AccountWrite, mailboxId: MailboxId, uids: UidSet): void {
  eachDraft(write, mailboxId, uids, (page, from, to) => page.remove(from, to));
}

/** Every page that has a part of `uids`, to be changed; UIDs in facts exist. */
function eachDraft(
  { marks: drafts }: AccountWrite,
  mailboxId: MailboxId,
  uids: UidSet,
  change: (page: MarkPage, from: number, to: number) => void,
): void {
  for (const [first, last] of uids) {
    for (let from = first; from <= last; from = lastUidOf(pageOf(from)) + 1) {
      change(drafts.draft(mailboxId, from), from, last);
    }
  }
}
