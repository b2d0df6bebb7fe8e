/**
 * Tables of mailboxes, subscriptions, the numbers that the account hands out, and what it uses.
 */

import type { SpecialUse } from '#domain/mailbox/events';
import type { MailboxId, MessageId, ModSeq, Uid } from '#domain/values/ids';

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
    /** Octets of all messages. */
    used_bytes: number;
  };
}

export const MAILBOX_DDL: readonly string[] = [
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
      next_queue_id INTEGER NOT NULL,
      used_bytes INTEGER NOT NULL
    )`,
  'INSERT INTO counters VALUES (1, 1, 0, 1, 0)',
];
