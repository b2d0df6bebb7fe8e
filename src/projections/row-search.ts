/**
 * Search conditions that only the rows of messages can answer, as SQL.
 */

import { sql as raw, type RawBuilder } from 'kysely';
import { unreachable } from '#domain/values/decision';
import type { BodyHash, Instant, MailboxId, MessageId, Uid } from '#domain/values/ids';
import { intersectionOf, uidCount, uidSetOf, uidsOf, type UidSet } from '#domain/values/uid-set';
import type { MessageTables } from './message-tables.ts';
import { rowsOf, tables, type Sql } from './query.ts';

/**
 * What rows answer. Texts are lower-case and match as substrings. Days are `YYYYMMDD` as a number,
 * in the zone of the message (RFC 9051 §6.4.4).
 */
export type RowLeaf =
  | { readonly type: 'larger'; readonly bytes: number }
  | { readonly type: 'smaller'; readonly bytes: number }
  | { readonly type: 'received-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'sent-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'saved-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'received-at'; readonly compare: '<=' | '>='; readonly at: Instant }
  /** As in MessageIdentity. */
  | { readonly type: 'content'; readonly body: BodyHash; readonly arrival: MessageId | 0 }
  | { readonly type: 'thread'; readonly thread: string }
  | {
      readonly type: 'field';
      readonly field: 'subject' | 'from' | 'to' | 'cc' | 'bcc';
      readonly text: string;
    };

/** A condition that asks nothing but rows. */
export type RowCondition =
  | RowLeaf
  | { readonly type: 'and'; readonly all: readonly RowCondition[] }
  | { readonly type: 'or'; readonly any: readonly RowCondition[] }
  | { readonly type: 'not'; readonly condition: RowCondition };

/** Where rows are looked for. */
export interface RowPlace {
  readonly sql: Sql;
  readonly mailboxId: MailboxId;
  /** All messages of the mailbox. */
  readonly existing: UidSet;
}

const db = tables<MessageTables>();

/** A condition in SQL; true or false, never NULL. */
type Test = RawBuilder<boolean>;

const DAY_MS = 86_400_000;

/** Those of `among`, which exist, for which the condition is true. */
export function searchRows(condition: RowCondition, place: RowPlace, among: UidSet): UidSet {
  const { sql, mailboxId, existing } = place;
  const rows = db.selectFrom('messages').where('messages.mailbox_id', '=', mailboxId);
  // To look rows up one by one costs more than to pass over a few that nobody asked for.
  const isFew = uidCount(among) * 4 < uidCount(existing);
  const asked = isFew ? rows.where(isIn(among)) : rows;
  const matching = asksContents(condition)
    ? asked
        .crossJoin('contents')
        .whereRef('contents.content_id', '=', 'messages.content_id')
        .where(testOf(condition))
        .select('messages.uid')
    : asked.where(testOf(condition)).select('messages.uid');
  const found = rowsOf<{ uid: Uid }>(sql, matching.orderBy('messages.uid'));
  return intersectionOf(uidSetOf(found.map(({ uid }) => uid)), among);
}

function isIn(uids: UidSet): Test {
  return raw`messages.uid IN (SELECT value FROM json_each(${JSON.stringify([...uidsOf(uids)])}))`;
}

const CONTENT_LEAVES: ReadonlySet<string> = new Set(['field', 'sent-day', 'content']);

/** True when a leaf needs what stands in `contents`. */
function asksContents(condition: RowCondition): boolean {
  switch (condition.type) {
    case 'and':
      return condition.all.some(asksContents);
    case 'or':
      return condition.any.some(asksContents);
    case 'not':
      return asksContents(condition.condition);
    default:
      return CONTENT_LEAVES.has(condition.type);
  }
}

function testOf(condition: RowCondition): Test {
  switch (condition.type) {
    case 'and':
      return joined(condition.all, 'AND');
    case 'or':
      return joined(condition.any, 'OR');
    case 'not':
      return raw`NOT (${testOf(condition.condition)})`;
    default:
      return leafTest(condition);
  }
}

/** In a balanced tree: SQLite bounds the depth of an expression. */
function joined(parts: readonly RowCondition[], word: 'AND' | 'OR'): Test {
  const [first] = parts;
  if (first === undefined) throw new Error('a condition without parts asks no rows');
  if (parts.length === 1) return testOf(first);
  const middle = parts.length >> 1;
  const left = joined(parts.slice(0, middle), word);
  const right = joined(parts.slice(middle), word);
  return raw`(${left} ${raw.raw(word)} ${right})`;
}

function leafTest(leaf: RowLeaf): Test {
  switch (leaf.type) {
    case 'larger':
      return raw`messages.size_bytes > ${leaf.bytes}`;
    case 'smaller':
      return raw`messages.size_bytes < ${leaf.bytes}`;
    case 'received-day':
      return dayTest(raw`messages.received_at`, leaf.compare, leaf.day);
    case 'saved-day':
      return dayTest(raw`messages.saved_at`, leaf.compare, leaf.day);
    case 'sent-day':
      // A message without a readable Date field was sent on no day.
      return raw`ifnull(contents.sent_day ${raw.raw(leaf.compare)} ${leaf.day}, 0)`;
    case 'received-at':
      return raw`messages.received_at ${raw.raw(leaf.compare)} ${leaf.at}`;
    case 'content': {
      const arrival = raw`iif(contents.prefix = '', 0, contents.content_id)`;
      return raw`(contents.body = ${leaf.body} AND ${arrival} = ${leaf.arrival})`;
    }
    case 'thread':
      return raw`EXISTS (SELECT 1 FROM listings
        WHERE listings.content_id = messages.content_id AND listings.thread = ${leaf.thread})`;
    case 'field':
      return raw`instr(${raw.ref(`contents.${leaf.field}`)}, ${leaf.text}) > 0`;
    default:
      return unreachable(leaf);
  }
}

/** RFC 9051 §6.4.4: days are compared disregarding time and zone: in the zone of the message. */
function dayTest(instant: RawBuilder<Instant>, compare: '<' | '=' | '>=', day: number): Test {
  const start = startOfDay(day);
  const local = raw<Instant>`(${instant} + messages.zone_minutes * 60000)`;
  if (compare !== '=') return raw`${local} ${raw.raw(compare)} ${start}`;
  return raw`${local} BETWEEN ${start} AND ${start + DAY_MS - 1}`;
}

/** Milliseconds of `YYYYMMDD` in UTC; a day that the month does not have runs into the next. */
function startOfDay(day: number): Instant {
  // Date.UTC takes years below 100 for 19xx: count from 400 years later, a whole cycle.
  const cycleDays = 146_097;
  const later = Date.UTC(
    Math.floor(day / 10_000) + 400,
    (Math.floor(day / 100) % 100) - 1,
    day % 100,
  );
  return later - cycleDays * DAY_MS;
}
