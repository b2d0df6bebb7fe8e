/**
 * Reads of what lists of messages are ordered by. A sort is one statement; what a thread is made of
 * is read in portions, by whoever puts it together.
 */

import { sql as raw, type RawBuilder } from 'kysely';
import type { BodyHash, Instant, MailboxId, MessageId, Uid } from '#domain/values/ids';
import { isEmptyUidSet, type UidSet } from '#domain/values/uid-set';
import type { ListingTables } from './listing-tables.ts';
import type { MessageTables } from './message-tables.ts';
import { query, rowsOf, tables, type Markers, type Sql } from './query.ts';

/** RFC 5256 §3, RFC 5957 §4: what SORT can compare. */
export type SortField =
  'arrival' | 'cc' | 'date' | 'display-from' | 'display-to' | 'from' | 'size' | 'subject' | 'to';

export interface SortKey {
  readonly field: SortField;
  readonly reverse: boolean;
}

/** What THREAD asks of a message. */
export interface ThreadRow {
  readonly uid: Uid;
  /** RFC 5256 §2.2: from the Date field, else when it arrived. */
  readonly sentAt: Instant;
  /** Base subject, as it is compared. */
  readonly subject: string;
  readonly isReply: 0 | 1;
  /** Key of its Message-ID; '' without one. */
  readonly key: string;
}

/** A message with ancestors: their keys with a space between them, the oldest first. */
export interface ReferencesRow {
  readonly uid: Uid;
  readonly references: string;
}

/** RFC 8474: what makes a message the same one wherever it lies. */
export interface MessageIdentity {
  readonly uid: Uid;
  readonly body: BodyHash;
  /** Number of the content, where something was put in front of the body on arrival; else 0. */
  readonly arrival: MessageId | 0;
  readonly thread: string;
}

const db = tables<MessageTables & ListingTables>();

type Spans = { mailboxId: MailboxId; spans: string };

/** The messages of a mailbox whose UIDs lie in the spans, with their listings. */
const listed = (at: Markers<Spans>) =>
  db
    .selectFrom(raw<{ value: string }>`json_each(${at.spans})`.as('span'))
    .crossJoin('messages')
    .crossJoin('listings')
    .where('messages.mailbox_id', '=', at.mailboxId)
    .where('messages.uid', '>=', raw<Uid>`span.value ->> 0`)
    .where('messages.uid', '<=', raw<Uid>`span.value ->> 1`)
    .whereRef('listings.content_id', '=', 'messages.content_id');

const SENT_AT: RawBuilder<Instant> = raw<Instant>`ifnull(listings.sent_at, messages.received_at)`;

const threadRows = query((at: Markers<Spans>) =>
  listed(at).select([
    'messages.uid',
    SENT_AT.as('sentAt'),
    'listings.subject',
    raw<0 | 1>`listings.is_reply`.as('isReply'),
    'listings.thread_key as key',
  ]),
);

const referencesRows = query((at: Markers<Spans>) =>
  listed(at)
    .where('listings.thread_references', '<>', '')
    .select(['messages.uid', 'listings.thread_references as references']),
);

const identityRows = query((at: Markers<Spans>) =>
  listed(at)
    .crossJoin('contents')
    .whereRef('contents.content_id', '=', 'messages.content_id')
    .select([
      'messages.uid',
      'contents.body',
      raw<MessageId>`iif(contents.prefix = '', 0, contents.content_id)`.as('arrival'),
      'listings.thread',
    ]),
);

/** In the order of the UIDs. */
export function threadRowsOf(sql: Sql, mailboxId: MailboxId, uids: UidSet): readonly ThreadRow[] {
  return isEmptyUidSet(uids) ? [] : threadRows.all(sql, { mailboxId, spans: spansOf(uids) });
}

export function referencesOf(
  sql: Sql,
  mailboxId: MailboxId,
  uids: UidSet,
): readonly ReferencesRow[] {
  return isEmptyUidSet(uids) ? [] : referencesRows.all(sql, { mailboxId, spans: spansOf(uids) });
}

export function identitiesOf(
  sql: Sql,
  mailboxId: MailboxId,
  uids: UidSet,
): readonly MessageIdentity[] {
  return isEmptyUidSet(uids) ? [] : identityRows.all(sql, { mailboxId, spans: spansOf(uids) });
}

const SORT_VALUES: Readonly<Record<SortField, RawBuilder<unknown>>> = {
  arrival: raw`messages.received_at`,
  cc: raw`listings.cc`,
  date: SENT_AT,
  'display-from': raw`listings.display_from`,
  'display-to': raw`listings.display_to`,
  from: raw`listings."from"`,
  size: raw`messages.size_bytes`,
  subject: raw`listings.subject`,
  to: raw`listings."to"`,
};

/** RFC 5256 §3: by one key after the other, and then by the order of the mailbox. */
export function sortedUids(
  sql: Sql,
  mailboxId: MailboxId,
  uids: UidSet,
  keys: readonly SortKey[],
): readonly Uid[] {
  if (isEmptyUidSet(uids)) return [];
  const terms = keys.map(
    ({ field, reverse }) => raw`${SORT_VALUES[field]} ${raw.raw(reverse ? 'DESC' : 'ASC')}`,
  );
  const ordered = raw<{ uid: Uid }>`
    SELECT messages.uid
    FROM json_each(${spansOf(uids)}) AS span
      CROSS JOIN messages CROSS JOIN listings ON listings.content_id = messages.content_id
    WHERE messages.mailbox_id = ${mailboxId}
      AND messages.uid BETWEEN span.value ->> 0 AND span.value ->> 1
    ORDER BY ${raw.join([...terms, raw`messages.uid`])}`;
  return rowsOf(sql, { compile: () => ordered.compile(db) }).map(({ uid }) => uid);
}

function spansOf(uids: UidSet): string {
  return JSON.stringify(uids);
}
