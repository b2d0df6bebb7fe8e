/**
 * What a full-text index asks of the views of an account, and what its answers mean for a mailbox.
 */

import { sql as raw } from 'kysely';
import type { BodyHash, MailboxId, MessageId, Uid } from '#domain/values/ids';
import { uidSetOf, type UidSet } from '#domain/values/uid-set';
import type { MessageTables } from './message-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

/** A content that can be indexed: the fields that were added to a body, and the body. */
export interface TextSource {
  readonly contentId: MessageId;
  readonly body: BodyHash;
  readonly prefix: string;
}

const db = tables<MessageTables>();

type Page = { after: MessageId; limit: number };

const someContents = query((at: Markers<Page>) =>
  db
    .selectFrom('contents')
    .select(['content_id as contentId', 'body', 'prefix'])
    .where('content_id', '>', at.after)
    .orderBy('content_id')
    .limit(at.limit),
);

const someLive = query((at: Markers<Page>) =>
  db
    .selectFrom('messages')
    .select('content_id as contentId')
    .distinct()
    .where('content_id', '>', at.after)
    .orderBy('content_id')
    .limit(at.limit),
);

/** The plus keeps SQLite from walking through the mailbox: the contents are the shorter way. */
const byContent = (at: Markers<{ mailboxId: MailboxId }>) =>
  db.selectFrom('messages').where(raw<boolean>`+messages.mailbox_id = ${at.mailboxId}`);

const uidsListed = query((at: Markers<{ mailboxId: MailboxId; contents: string }>) =>
  db
    .selectFrom(raw<{ value: MessageId }>`json_each(${at.contents})`.as('listed'))
    .crossJoin('messages')
    .select('messages.uid')
    .where(raw<boolean>`messages.content_id = listed.value`)
    .where(raw<boolean>`+messages.mailbox_id = ${at.mailboxId}`),
);

const uidsBehind = query((at: Markers<{ mailboxId: MailboxId; after: MessageId }>) =>
  byContent(at).select('messages.uid').where('content_id', '>', at.after),
);

/** Contents behind `after`, in the order in which they came. */
export function textSourcesAfter(sql: Sql, after: MessageId, limit: number): TextSource[] {
  return someContents.all(sql, { after, limit });
}

/** Ids of contents that some message has, behind `after`, ascending. */
export function liveContentsAfter(sql: Sql, after: MessageId, limit: number): MessageId[] {
  return someLive.all(sql, { after, limit }).map(({ contentId }) => contentId);
}

/** The messages of a mailbox that have one of these contents. */
export function uidsOfContents(sql: Sql, mailboxId: MailboxId, contents: Float64Array): UidSet {
  if (contents.length === 0) return [];
  const rows = uidsListed.all(sql, { mailboxId, contents: `[${contents.join(',')}]` });
  return uidSetOf(rows.map(({ uid }): Uid => uid));
}

/** The messages of a mailbox whose contents are behind `after`. */
export function uidsOfContentsAfter(sql: Sql, mailboxId: MailboxId, after: MessageId): UidSet {
  return uidSetOf(uidsBehind.all(sql, { mailboxId, after }).map(({ uid }): Uid => uid));
}
