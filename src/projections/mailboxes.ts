/**
 * Read model of mailboxes with what STATUS and SELECT tell of them, of subscriptions, and of the
 * numbers that the account hands out.
 *
 * Counts are kept per event, never counted. To know what a fact changes in them, this model looks
 * at messages and marks as they were before the fact: it stands before those in the catalog.
 *
 * RFC 7162 §3.1.1: HIGHESTMODSEQ is the last event that touched the mailbox or a message in it.
 */

import type { MailboxesCreated, NewMailbox, SpecialUse } from '#domain/mailbox/events';
import type { MessagesCopied, MessagesMoved, NewMessage } from '#domain/message/events';
import type { AccountFact } from '#domain/log/streams';
import { counterOfServerWideId, type MailboxId, type ModSeq } from '#domain/values/ids';
import { flagSetOf, type FlagEdit } from '#domain/values/flags';
import { parseUidSet, uidCount, uidRange, type UidSet } from '#domain/values/uid-set';
import { flagTerms, keywordsAfter, NO_EDIT } from './flag-edits.ts';
import { MAILBOX_DDL, type MailboxTables } from './mailbox-tables.ts';
import { tallyOf, tallyOfEdit } from './mailbox-tally.ts';
import { keywordsOf } from './mark-reads.ts';
import type { AccountModel, AccountWrite } from './model.ts';
import { query, tables, type Markers } from './query.ts';
import { NO_TALLY, tallyAfter, tallyNegated, tallyOfNew } from './tally.ts';

const db = tables<MailboxTables>();

export const mailboxes: AccountModel = {
  name: 'mailboxes',
  version: 4,
  ddl: MAILBOX_DDL,
  rows: [
    db.selectFrom('mailboxes').selectAll().orderBy('mailbox_id'),
    db.selectFrom('subscriptions').selectAll().orderBy('name'),
    db.selectFrom('counters').selectAll(),
  ],
  apply,
};

const addMailbox = query(
  (
    at: Markers<{
      mailboxId: MailboxId;
      name: string;
      uidValidity: number;
      specialUse: SpecialUse | null;
      modSeq: ModSeq;
    }>,
  ) =>
    db.insertInto('mailboxes').values({
      mailbox_id: at.mailboxId,
      name: at.name,
      uid_validity: at.uidValidity,
      uid_next: 1,
      special_use: at.specialUse,
      highest_mod_seq: at.modSeq,
      messages: 0,
      unseen: 0,
      deleted: 0,
      deleted_bytes: 0,
      size_bytes: 0,
      keywords: '',
    }),
);

type At = { mailboxId: MailboxId; modSeq: ModSeq };

const renameMailbox = query((at: Markers<At & { name: string }>) =>
  db
    .updateTable('mailboxes')
    .set({ name: at.name, highest_mod_seq: at.modSeq })
    .where('mailbox_id', '=', at.mailboxId),
);

const takeSpecialUse = query((at: Markers<At>) =>
  db
    .updateTable('mailboxes')
    .set({ special_use: null, highest_mod_seq: at.modSeq })
    .where('mailbox_id', '=', at.mailboxId),
);

const giveBackBytes = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.updateTable('counters').set((eb) => ({
    used_bytes: eb(
      'used_bytes',
      '-',
      db.selectFrom('mailboxes').select('size_bytes').where('mailbox_id', '=', at.mailboxId),
    ),
  })),
);

const dropMailbox = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('mailboxes').where('mailbox_id', '=', at.mailboxId),
);

const subscribe = query((at: Markers<{ name: string }>) =>
  db.insertInto('subscriptions').orIgnore().values({ name: at.name }),
);

const unsubscribe = query((at: Markers<{ name: string }>) =>
  db.deleteFrom('subscriptions').where('name', '=', at.name),
);

const renumber = query((at: Markers<{ modSeq: ModSeq; raise: number }>) =>
  db.updateTable('mailboxes').set((eb) => ({
    uid_validity: eb('uid_validity', '+', at.raise),
    highest_mod_seq: at.modSeq,
  })),
);

const raiseNumbers = query((at: Markers<{ uidValidity: number; others: number }>) =>
  db.updateTable('counters').set((eb) => ({
    next_uid_validity: eb('next_uid_validity', '+', at.uidValidity),
    next_mailbox_id: eb('next_mailbox_id', '+', at.others),
    next_message_id: eb('next_message_id', '+', at.others),
    next_queue_id: eb('next_queue_id', '+', at.others),
  })),
);

function apply(fact: AccountFact, write: AccountWrite): void {
  const { event, modSeq } = fact;
  switch (event.type) {
    case 'MailboxesCreated':
      return mailboxesCreated(write, event, modSeq);
    case 'MailboxesRenamed':
      for (const { mailboxId, to } of event.renames) {
        renameMailbox.run(write.settled(), { mailboxId, modSeq, name: to });
      }
      return create(write, event.created, modSeq);
    case 'MailboxDeleted':
      giveBackBytes.run(write.settled(), { mailboxId: event.mailboxId });
      dropMailbox.run(write.settled(), { mailboxId: event.mailboxId });
      return;
    case 'MailboxSubscribed':
      subscribe.run(write, { name: event.name });
      return;
    case 'MailboxUnsubscribed':
      unsubscribe.run(write, { name: event.name });
      return;
    case 'MailboxesRenumbered':
      renumber.run(write.settled(), { modSeq, raise: event.uidValidityRaise });
      raiseNumbers.run(write, {
        uidValidity: event.uidValidityRaise,
        others: event.modSeqRaise,
      });
      return;
    case 'MessageDelivered':
      return arrive(write, event.mailboxId, [event.message], modSeq);
    case 'MessagesAppended':
      return arrive(write, event.mailboxId, event.messages, modSeq);
    case 'MessagesCopied':
    case 'MessagesMoved':
      return transfer(write, event, modSeq);
    case 'FlagsChanged':
      return flagsChanged(write, event.mailboxId, event.uids, event.edit, modSeq);
    case 'MessageReplaced':
      leave(write, event.mailboxId, uidRange(event.uid, event.uid), modSeq);
      return arrive(write, event.target, [event.message], modSeq);
    case 'AnnotationsSet':
      if (event.mailboxId !== undefined) {
        write.mailboxes.touch(event.mailboxId, modSeq, NO_TALLY);
      }
      return;
    case 'MessagesExpunged':
      return leave(write, event.mailboxId, parseUidSet(event.uids), modSeq);
    case 'MessageQueued': {
      const counters = event.items.map(({ queueId }) => counterOfServerWideId(queueId));
      return write.mailboxes.raise({ queueId: Math.max(...counters) + 1 });
    }
    default:
      return;
  }
}

function mailboxesCreated(write: AccountWrite, event: MailboxesCreated, modSeq: ModSeq): void {
  const mailboxId = event.specialUseTakenFrom;
  if (mailboxId !== undefined) takeSpecialUse.run(write.settled(), { mailboxId, modSeq });
  create(write, event.mailboxes, modSeq);
}

function create(write: AccountWrite, created: readonly NewMailbox[], modSeq: ModSeq): void {
  for (const { mailboxId, name, uidValidity, specialUse } of created) {
    const use = specialUse ?? null;
    addMailbox.run(write, { mailboxId, name, uidValidity, specialUse: use, modSeq });
    subscribe.run(write, { name });
    write.mailboxes.raise({ mailboxId: mailboxId + 1, uidValidity: uidValidity + 1 });
  }
}

function arrive(
  { mailboxes: drafts }: AccountWrite,
  mailboxId: MailboxId,
  messages: readonly NewMessage[],
  modSeq: ModSeq,
): void {
  const last = messages.at(-1);
  if (last === undefined) return;
  drafts.touch(mailboxId, modSeq, tallyOfNew(messages), last.uid + 1);
  for (const { flags } of messages) {
    drafts.learn(mailboxId, flagSetOf(flags).keywords);
  }
  drafts.raise({ messageId: Math.max(...messages.map(({ messageId }) => messageId)) + 1 });
}

function leave(write: AccountWrite, mailboxId: MailboxId, uids: UidSet, modSeq: ModSeq): void {
  const tally = tallyOf(write, mailboxId, uids);
  write.mailboxes.touch(mailboxId, modSeq, tallyNegated(tally));
}

function transfer(
  write: AccountWrite,
  event: MessagesCopied | MessagesMoved,
  modSeq: ModSeq,
): void {
  const { source, target, firstUid } = event;
  const uids = parseUidSet(event.uids);
  const terms = flagTerms(event.edit ?? NO_EDIT);
  const there = tallyOf(write, source, uids);
  const uidNext = firstUid + uidCount(uids);
  write.mailboxes.touch(target, modSeq, tallyAfter(there, terms), uidNext);
  for (const keywords of keywordsOf(write.marks, source, uids)) {
    write.mailboxes.learn(target, keywordsAfter(keywords, terms));
  }
  if (event.type === 'MessagesCopied') {
    return write.mailboxes.raise({ messageId: event.firstMessageId + uidCount(uids) });
  }
  write.mailboxes.touch(source, modSeq, tallyNegated(there));
}

function flagsChanged(
  write: AccountWrite,
  mailboxId: MailboxId,
  text: string,
  edit: FlagEdit,
  modSeq: ModSeq,
): void {
  const uids = parseUidSet(text);
  const terms = flagTerms(edit);
  write.mailboxes.touch(mailboxId, modSeq, tallyOfEdit(write, mailboxId, uids, terms));
  write.mailboxes.learn(mailboxId, terms.addKeywords);
}
