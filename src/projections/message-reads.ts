/**
 * Reads of what stays the same about messages: one statement for any set of UIDs, whose runs
 * travel as JSON.
 *
 * A run costs about a microsecond, a row a third of one; a query per run would cost three.
 */

import { sql as raw } from 'kysely';
import type { MailboxId, Uid } from '#domain/values/ids';
import { isEmptyUidSet, type UidRange, type UidSet } from '#domain/values/uid-set';
import type { MessageRow, MessageWire, WireItem } from './account-views.ts';
import type { MessageTables } from './message-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

const db = tables<MessageTables>();

type Spans = { mailboxId: MailboxId; spans: string };

const ROW = [
  'messages.uid',
  'messages.message_id as messageId',
  'contents.body',
  'contents.prefix',
  'messages.size_bytes as sizeBytes',
  'messages.received_at as receivedAt',
  'messages.zone_minutes as zoneMinutes',
  'messages.saved_at as savedAt',
  'messages.create_seq as createSeq',
] as const;

const anyOrphan = query(() => db.selectFrom('orphans').select('content_id').limit(raw.lit(1)));

/** True when contents may have lost their last message. */
export function hasOrphans(sql: Sql): boolean {
  return anyOrphan.get(sql, {}) !== undefined;
}

/** The messages of a mailbox whose UIDs lie in the spans, in the order of the spans. */
const inSpans = (at: Markers<Spans>) =>
  db
    .selectFrom(raw<{ value: string }>`json_each(${at.spans})`.as('span'))
    .crossJoin('messages')
    .where('messages.mailbox_id', '=', at.mailboxId)
    .where('messages.uid', '>=', raw<Uid>`span.value ->> 0`)
    .where('messages.uid', '<=', raw<Uid>`span.value ->> 1`);

type Span = { mailboxId: MailboxId; from: Uid; to: Uid };

/** The same for one run: a set of one message is what is asked most. */
const inSpan = (at: Markers<Span>) =>
  db
    .selectFrom('messages')
    .where('messages.mailbox_id', '=', at.mailboxId)
    .where('messages.uid', '>=', at.from)
    .where('messages.uid', '<=', at.to);

const rowsIn = query((at: Markers<Spans>) =>
  inSpans(at)
    .crossJoin('contents')
    .whereRef('contents.content_id', '=', 'messages.content_id')
    .select(ROW),
);

const rowsInRun = query((at: Markers<Span>) =>
  inSpan(at)
    .crossJoin('contents')
    .whereRef('contents.content_id', '=', 'messages.content_id')
    .select(ROW),
);

const withWires = (at: Markers<Spans>) =>
  inSpans(at)
    .crossJoin('wires')
    .whereRef('wires.content_id', '=', 'messages.content_id')
    .select('messages.uid');

const wiresIn = {
  envelope: query((at: Markers<Spans>) => withWires(at).select('wires.envelope as text')),
  body: query((at: Markers<Spans>) => withWires(at).select('wires.body as text')),
  bodyStructure: query((at: Markers<Spans>) =>
    withWires(at).select('wires.body_structure as text'),
  ),
};

/** A message without what commands change about it. */
export type StoredRow = Omit<MessageRow, 'bits' | 'keywords' | 'modSeq'>;

export function storedRowsOf(sql: Sql, mailboxId: MailboxId, uids: UidSet): readonly StoredRow[] {
  const run = onlyRun(uids);
  if (run !== undefined) return rowsInRun.all(sql, { mailboxId, from: run[0], to: run[1] });
  return rowsIn.all(sql, { mailboxId, spans: JSON.stringify(uids) });
}

export function wiresOf(
  sql: Sql,
  mailboxId: MailboxId,
  uids: UidSet,
  item: WireItem,
): readonly MessageWire[] {
  if (isEmptyUidSet(uids)) return [];
  return wiresIn[item].all(sql, { mailboxId, spans: JSON.stringify(uids) });
}

function onlyRun(uids: UidSet): UidRange | undefined {
  return uids.length === 1 ? uids[0] : undefined;
}
