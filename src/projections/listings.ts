/**
 * Read model of what lists of messages are ordered by: sort keys, and the thread that a message
 * belongs to.
 *
 * A row is written once per content, as in `contents`, and shared by copies. Threads are found in
 * the order of the log: a message joins the thread of the first id that is known, its own before
 * those of its ancestors, the nearest first; else the thread is named after the oldest ancestor.
 * Links only ever grow, so that a thread that was told stays (RFC 8474 §5.2), and the name is that
 * of an id, so that it mostly stays too when bodies are gone before everything is posted again.
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { NewMessage } from '#domain/message/events';
import type { Instant, MessageId } from '#domain/values/ids';
import type { MessageTables } from './message-tables.ts';
import type { AccountModel, FactsOf } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

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

const DDL: readonly string[] = [
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

const db = tables<MessageTables & ListingTables>();

const NOTHING_SWEPT = raw<boolean>`(SELECT bodies = 0 FROM swept)`;

export const listings: AccountModel = {
  name: 'listings',
  version: 1,
  ddl: DDL,
  // As with contents: rows without messages are gone but for their removal. Once bodies are swept,
  // a replay does not read any more which threads they joined.
  rows: [
    db
      .selectFrom('listings')
      .select([
        'content_id',
        'sent_at',
        'is_reply',
        'subject',
        'from',
        'to',
        'cc',
        'display_from',
        'display_to',
        'thread_key',
        'thread_references',
        raw<string>`CASE WHEN ${NOTHING_SWEPT} THEN thread END`.as('thread'),
      ])
      .where('content_id', 'in', db.selectFrom('messages').select('messages.content_id'))
      .orderBy('content_id'),
    db.selectFrom('thread_links').selectAll().where(NOTHING_SWEPT).orderBy('key'),
  ],
  apply,
};

const addListing = query((at: Markers<ListingTables['listings']>) =>
  db.insertInto('listings').values({
    content_id: at.content_id,
    sent_at: at.sent_at,
    is_reply: at.is_reply,
    thread: at.thread,
    subject: at.subject,
    from: at.from,
    to: at.to,
    cc: at.cc,
    display_from: at.display_from,
    display_to: at.display_to,
    thread_key: at.thread_key,
    thread_references: at.thread_references,
  }),
);

const threadOfKey = query((at: Markers<{ key: string }>) =>
  db.selectFrom('thread_links').select('thread').where('key', '=', at.key),
);

const addLink = query((at: Markers<{ key: string; thread: string }>) =>
  db.insertInto('thread_links').orIgnore().values({ key: at.key, thread: at.thread }),
);

function apply({ event }: AccountFact, write: Sql, facts: FactsOf): void {
  switch (event.type) {
    case 'MessageDelivered':
    case 'MessageReplaced':
      return arrive(write, event.message, facts);
    case 'MessagesAppended':
      for (const message of event.messages) arrive(write, message, facts);
      return;
    default:
      return;
  }
}

function arrive(write: Sql, { messageId, body }: NewMessage, facts: FactsOf): void {
  const said = facts(body);
  const key = said?.threadKey ?? '';
  const references = said?.threadReferences ?? '';
  addListing.run(write, {
    content_id: messageId,
    sent_at: said?.sentAt ?? null,
    is_reply: said?.isReply === true ? 1 : 0,
    thread: threadOf(write, messageId, key, references),
    subject: said?.sortSubject ?? '',
    from: said?.sortFrom ?? '',
    to: said?.sortTo ?? '',
    cc: said?.sortCc ?? '',
    display_from: said?.displayFrom ?? '',
    display_to: said?.displayTo ?? '',
    thread_key: key,
    thread_references: references,
  });
}

function threadOf(write: Sql, messageId: MessageId, key: string, references: string): string {
  const ancestors = references === '' ? [] : references.split(' ');
  const root = ancestors[0] ?? key;
  // Without any id, the message is a thread of its own; a number is never the key of an id.
  if (root === '') return String(messageId);
  const keys = key === '' ? ancestors : [...ancestors, key];
  const thread = knownThread(write, keys) ?? root;
  if (ancestors.length > 0) for (const each of keys) addLink.run(write, { key: each, thread });
  return thread;
}

/** The thread of the last of these keys that has one. */
function knownThread(write: Sql, keys: readonly string[]): string | undefined {
  for (let i = keys.length - 1; i >= 0; i--) {
    const known = threadOfKey.get(write, { key: keys[i] as string });
    if (known !== undefined) return known.thread;
  }
  return undefined;
}
