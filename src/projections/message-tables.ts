/**
 * Tables of the live messages: a narrow row per message, and apart from it what its body says. None
 * of it ever changes; flags and modseqs stand apart, in `mark_pages`.
 *
 * `contents` (for SEARCH and BODY[]) and `wires` (FETCH ENVELOPE, BODYSTRUCTURE) are
 * written once per body that came in and shared by its copies; the content of a message is named by
 * the message id it first had.
 */

import type { BodyHash, Instant, MailboxId, MessageId, ModSeq, Uid } from '#domain/values/ids';

export interface MessageTables {
  messages: {
    mailbox_id: MailboxId;
    uid: Uid;
    create_seq: ModSeq;
    message_id: MessageId;
    content_id: MessageId;
    size_bytes: number;
    received_at: Instant;
    zone_minutes: number;
    saved_at: Instant;
  };
  contents: {
    content_id: MessageId;
    body: BodyHash;
    prefix: string;
    sent_day: number | null;
    subject: string;
    from: string;
    to: string;
    cc: string;
    bcc: string;
  };
  wires: { content_id: MessageId; envelope: string; body: string; body_structure: string };
  /** Contents of which a message was removed, and when the last one was. */
  orphans: { content_id: MessageId; at: Instant };
}

export const MESSAGE_DDL: readonly string[] = [
  `CREATE TABLE messages (
      mailbox_id INTEGER NOT NULL,
      uid INTEGER NOT NULL,
      create_seq INTEGER NOT NULL,
      message_id INTEGER NOT NULL,
      content_id INTEGER NOT NULL,
      size_bytes INTEGER NOT NULL,
      received_at INTEGER NOT NULL,
      zone_minutes INTEGER NOT NULL,
      saved_at INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, uid)
    ) WITHOUT ROWID`,
  'CREATE INDEX messages_content ON messages (content_id)',
  `CREATE TABLE contents (
      content_id INTEGER PRIMARY KEY,
      body TEXT NOT NULL,
      prefix TEXT NOT NULL,
      sent_day INTEGER,
      subject TEXT NOT NULL,
      "from" TEXT NOT NULL,
      "to" TEXT NOT NULL,
      cc TEXT NOT NULL,
      bcc TEXT NOT NULL
    )`,
  `CREATE TABLE wires (
      content_id INTEGER PRIMARY KEY,
      envelope TEXT NOT NULL,
      body TEXT NOT NULL,
      body_structure TEXT NOT NULL
    )`,
  'CREATE TABLE orphans (content_id INTEGER PRIMARY KEY, at INTEGER NOT NULL)',
];
