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
import { counterOfServerWideId } from '#domain/values/ids';
import { editedKeywords, flagSetOf, type FlagEdit } from '#domain/values/flags';
import type { MailboxId, MessageId, ModSeq, Uid } from '#domain/values/ids';
import { parseUidSet, uidCount, uidRange, type UidSet } from '#domain/values/uid-set';
import { flagTerms, keywordsAfter, NO_EDIT } from './flag-edits.ts';
import {
  tallyAfter,
  tallyNegated,
  tallyOf,
  tallyOfEdit,
  tallyOfNew,
  type Tally,
} from './mailbox-tally.ts';
import { keywordsOf } from './mark-reads.ts';
import type { AccountModel, AccountWrite } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface MailboxTables {
  mailboxes: {
    mailbox_id: MailboxId;
    name: string;
    uid_validity: number;
    uid_next: Uid;
    special_use: SpecialUse | null;
    highest_mod_seq: ModSeq;
    messages: number;
    unseen: number;
    deleted: number;
    deleted_bytes: number;
    size_bytes: number;
    keywords: string;
  };
  subscriptions: { name: string };
  counters: {
    next_mailbox_id: MailboxId;
    next_message_id: MessageId;
    next_uid_validity: number;
    next_queue_id: number;
  };
}

const db = tables<MailboxTables>();

export const mailboxes: AccountModel = {
  name: 'mailboxes',
  version: 1,
  ddl: [
    `CREATE TABLE mailboxes (
      mailbox_id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      uid_validity INTEGER NOT NULL,
      uid_next INTEGER NOT NULL,
      special_use TEXT,
      highest_mod_seq INTEGER NOT NULL,
      messages INTEGER NOT NULL,
      unseen INTEGER NOT NULL,
      deleted INTEGER NOT NULL,
      deleted_bytes INTEGER NOT NULL,
      size_bytes INTEGER NOT NULL,
      keywords TEXT NOT NULL
    )`,
    // Not unique: a tree may be renamed over names that are about to change in the same fact.
    'CREATE INDEX mailboxes_name ON mailboxes (name)',
    'CREATE TABLE subscriptions (name TEXT PRIMARY KEY) WITHOUT ROWID',
    `CREATE TABLE counters (
      next_mailbox_id INTEGER NOT NULL,
      next_message_id INTEGER NOT NULL,
      next_uid_validity INTEGER NOT NULL,
      next_queue_id INTEGER NOT NULL
    )`,
    'INSERT INTO counters VALUES (1, 1, 0, 1)',
  ],
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

const dropMailbox = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('mailboxes').where('mailbox_id', '=', at.mailboxId),
);

const subscribe = query((at: Markers<{ name: string }>) =>
  db.insertInto('subscriptions').orIgnore().values({ name: at.name }),
);

const unsubscribe = query((at: Markers<{ name: string }>) =>
  db.deleteFrom('subscriptions').where('name', '=', at.name),
);

const touch = query((at: Markers<At & { uidNext: Uid } & Tally>) =>
  db
    .updateTable('mailboxes')
    .set((eb) => ({
      uid_next: eb.fn<Uid>('max', ['uid_next', at.uidNext]),
      highest_mod_seq: at.modSeq,
      messages: eb('messages', '+', at.messages),
      unseen: eb('unseen', '+', at.unseen),
      deleted: eb('deleted', '+', at.deleted),
      deleted_bytes: eb('deleted_bytes', '+', at.deletedBytes),
      size_bytes: eb('size_bytes', '+', at.sizeBytes),
    }))
    .where('mailbox_id', '=', at.mailboxId),
);

const keywordsKnown = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.selectFrom('mailboxes').select('keywords').where('mailbox_id', '=', at.mailboxId),
);

const setKeywords = query((at: Markers<{ mailboxId: MailboxId; keywords: string }>) =>
  db.updateTable('mailboxes').set({ keywords: at.keywords }).where('mailbox_id', '=', at.mailboxId),
);

type Numbers = { mailboxId: MailboxId; messageId: MessageId; uidValidity: number; queueId: number };

const raiseCounters = query((at: Markers<Numbers>) =>
  db.updateTable('counters').set((eb) => ({
    next_mailbox_id: eb.fn<number>('max', ['next_mailbox_id', at.mailboxId]),
    next_message_id: eb.fn<number>('max', ['next_message_id', at.messageId]),
    next_uid_validity: eb.fn<number>('max', ['next_uid_validity', at.uidValidity]),
    next_queue_id: eb.fn<number>('max', ['next_queue_id', at.queueId]),
  })),
);

function apply(fact: AccountFact, write: AccountWrite): void {
  const { event, modSeq } = fact;
  switch (event.type) {
    case 'MailboxesCreated':
      return mailboxesCreated(write, event, modSeq);
    case 'MailboxesRenamed':
      for (const { mailboxId, to } of event.renames) {
        renameMailbox.run(write, { mailboxId, modSeq, name: to });
      }
      return create(write, event.created, modSeq);
    case 'MailboxDeleted':
      dropMailbox.run(write, { mailboxId: event.mailboxId });
      return;
    case 'MailboxSubscribed':
      subscribe.run(write, { name: event.name });
      return;
    case 'MailboxUnsubscribed':
      unsubscribe.run(write, { name: event.name });
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
    case 'MessagesExpunged':
      return leave(write, event.mailboxId, parseUidSet(event.uids), modSeq);
    case 'MessageQueued': {
      const counters = event.items.map(({ queueId }) => counterOfServerWideId(queueId));
      return raise(write, { queueId: Math.max(...counters) + 1 });
    }
    default:
      return;
  }
}

function mailboxesCreated(write: Sql, event: MailboxesCreated, modSeq: ModSeq): void {
  const mailboxId = event.specialUseTakenFrom;
  if (mailboxId !== undefined) takeSpecialUse.run(write, { mailboxId, modSeq });
  create(write, event.mailboxes, modSeq);
}

function create(write: Sql, created: readonly NewMailbox[], modSeq: ModSeq): void {
  for (const { mailboxId, name, uidValidity, specialUse } of created) {
    const use = specialUse ?? null;
    addMailbox.run(write, { mailboxId, name, uidValidity, specialUse: use, modSeq });
    subscribe.run(write, { name });
    raise(write, { mailboxId: mailboxId + 1, uidValidity: uidValidity + 1 });
  }
}

function arrive(
  write: Sql,
  mailboxId: MailboxId,
  messages: readonly NewMessage[],
  modSeq: ModSeq,
): void {
  const last = messages.at(-1);
  if (last === undefined) return;
  touch.run(write, { mailboxId, modSeq, uidNext: last.uid + 1, ...tallyOfNew(messages) });
  for (const { flags } of messages) learnKeywords(write, mailboxId, flagSetOf(flags).keywords);
  raise(write, { messageId: Math.max(...messages.map(({ messageId }) => messageId)) + 1 });
}

function leave(write: AccountWrite, mailboxId: MailboxId, uids: UidSet, modSeq: ModSeq): void {
  const tally = tallyOf(write, mailboxId, uids);
  touch.run(write, { mailboxId, modSeq, uidNext: 0, ...tallyNegated(tally) });
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
  touch.run(write, { mailboxId: target, modSeq, uidNext, ...tallyAfter(there, terms) });
  for (const keywords of keywordsOf(write.marks, source, uids))
    learnKeywords(write, target, keywordsAfter(keywords, terms));
  if (event.type === 'MessagesCopied') {
    return raise(write, { messageId: event.firstMessageId + uidCount(uids) });
  }
  touch.run(write, { mailboxId: source, modSeq, uidNext: 0, ...tallyNegated(there) });
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
  touch.run(write, {
    mailboxId,
    modSeq,
    uidNext: 0,
    ...tallyOfEdit(write, mailboxId, uids, terms),
  });
  learnKeywords(write, mailboxId, terms.addKeywords);
}

function learnKeywords(write: Sql, mailboxId: MailboxId, keywords: string): void {
  if (keywords === '') return;
  const known = keywordsKnown.get(write, { mailboxId })?.keywords ?? '';
  const all = editedKeywords(known, keywords, '');
  if (all !== known) setKeywords.run(write, { mailboxId, keywords: all });
}

function raise(write: Sql, next: Partial<Numbers>): void {
  raiseCounters.run(write, { mailboxId: 0, messageId: 0, uidValidity: 0, queueId: 0, ...next });
}
