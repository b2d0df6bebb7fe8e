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
import type { MessageId } from '#domain/values/ids';
import { LISTING_DDL, type ListingTables } from './listing-tables.ts';
import type { MessageTables } from './message-tables.ts';
import type { AccountModel, AccountWrite, FactsOf } from './model.ts';
import { tables } from './query.ts';

const db = tables<MessageTables & ListingTables>();

const NOTHING_SWEPT = raw<boolean>`(SELECT bodies = 0 FROM swept)`;

export const listings: AccountModel = {
  name: 'listings',
  version: 1,
  ddl: LISTING_DDL,
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

function apply({ event }: AccountFact, write: AccountWrite, facts: FactsOf): void {
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

function arrive(write: AccountWrite, { messageId, body }: NewMessage, facts: FactsOf): void {
  const said = facts(body);
  const key = said?.threadKey ?? '';
  const references = said?.threadReferences ?? '';
  write.arrivals.listings.add(write, {
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

function threadOf(
  write: AccountWrite,
  messageId: MessageId,
  key: string,
  references: string,
): string {
  const ancestors = references === '' ? [] : references.split(' ');
  const root = ancestors[0] ?? key;
  // Without any id, the message is a thread of its own; a number is never the key of an id.
  if (root === '') return String(messageId);
  const keys = key === '' ? ancestors : [...ancestors, key];
  const thread = knownThread(write, keys) ?? root;
  if (ancestors.length > 0) for (const each of keys) write.arrivals.link(write, each, thread);
  return thread;
}

/** The thread of the last of these keys that has one. */
function knownThread(write: AccountWrite, keys: readonly string[]): string | undefined {
  for (let i = keys.length - 1; i >= 0; i--) {
    const known = write.arrivals.threadOf(write, keys[i] as string);
    if (known !== undefined) return known;
  }
  return undefined;
}
