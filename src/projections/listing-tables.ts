/**
 * Tables of what lists of messages are ordered by: a row per content, and the threads that ids of
 * messages belong to.
 */

import type { Instant, MessageId } from '#domain/values/ids';

export interface ListingTables {
  listings: {
    content_id: MessageId;
    /** NULL for a message without a readable Date field. */
    sent_at: Instant | null;
    is_reply: number;
    thread: string;
    subject: string;
    from: string;
    to: string;
    cc: string;
    display_from: string;
    display_to: string;
    /** Key of the Message-ID, '' without one, and those of the ancestors. */
    thread_key: string;
    thread_references: string;
  };
  /** Ids that stand in a message with ancestors, and the thread that they belong to. */
  thread_links: { key: string; thread: string };
}

export const LISTING_DDL: readonly string[] = [
  `CREATE TABLE listings (
      content_id INTEGER PRIMARY KEY,
      sent_at INTEGER,
      is_reply INTEGER NOT NULL,
      thread TEXT NOT NULL,
      subject TEXT NOT NULL,
      "from" TEXT NOT NULL,
      "to" TEXT NOT NULL,
      cc TEXT NOT NULL,
      display_from TEXT NOT NULL,
      display_to TEXT NOT NULL,
      thread_key TEXT NOT NULL,
      thread_references TEXT NOT NULL
    )`,
  'CREATE TABLE thread_links (key TEXT PRIMARY KEY, thread TEXT NOT NULL) WITHOUT ROWID',
];
