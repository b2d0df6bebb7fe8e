/**
 * Search conditions over the messages of one mailbox, as SQL.
 *
 * A leaf that only the message itself can answer is neither true nor false here. A condition is
 * therefore written in one of two readings: where it *may* be true (unknown leaves count as true)
 * and where it *must* be true (they count as false); NOT turns one into the other. The answer is
 * where the whole may be true: exactly right without such leaves, otherwise a superset.
 */

import { sql as raw, type RawBuilder } from 'kysely';
import { FLAG_BITS, type FixedFlag } from '#domain/values/flags';
import { unreachable } from '#domain/values/decision';
import type { Instant, MailboxId, ModSeq, Uid } from '#domain/values/ids';
import { intersectionOf, uidSetOf, uidsOf, type UidSet } from '#domain/values/uid-set';
import type { MessageTables } from './message-tables.ts';
import { rowsOf, tables, type Sql } from './query.ts';

/**
 * A condition on a message. Sequence numbers are UIDs already; texts are lower-case and match as
 * substrings. Days are `YYYYMMDD` as a number, in the zone of the message (RFC 9051 §6.4.4).
 */
export type SearchCondition =
  | { readonly type: 'all' }
  | { readonly type: 'none' }
  | { readonly type: 'and'; readonly all: readonly SearchCondition[] }
  | { readonly type: 'or'; readonly any: readonly SearchCondition[] }
  | { readonly type: 'not'; readonly condition: SearchCondition }
  | { readonly type: 'uids'; readonly uids: UidSet }
  | { readonly type: 'flag'; readonly flag: FixedFlag }
  | { readonly type: 'keyword'; readonly keyword: string }
  | { readonly type: 'larger'; readonly bytes: number }
  | { readonly type: 'smaller'; readonly bytes: number }
  | { readonly type: 'received-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'sent-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'saved-day'; readonly compare: '<' | '=' | '>='; readonly day: number }
  | { readonly type: 'received-at'; readonly compare: '<=' | '>='; readonly at: Instant }
  | { readonly type: 'mod-seq'; readonly atLeast: ModSeq }
  | {
      readonly type: 'field';
      readonly field: 'subject' | 'from' | 'to' | 'cc' | 'bcc';
      readonly text: string;
    }
  /** The three that only the message itself can answer. */
  | { readonly type: 'header'; readonly field: string; readonly text: string }
  | { readonly type: 'body-text'; readonly text: string }
  | { readonly type: 'any-text'; readonly text: string };

const db = tables<MessageTables>();

/** A condition in SQL; true or false, never NULL. */
type Test = RawBuilder<boolean>;
type Reading = 'may' | 'must';

const TRUE: Test = raw`1`;
const FALSE: Test = raw`0`;
const DAY_MS = 86_400_000;

/** How many ranges of UIDs are compared one by one; more are looked up in a list. */
const UID_RANGES_COMPARED = 16;

/** The UIDs, of those in `existing`, for which the condition may be true. */
export function searchMessages(
  sql: Sql,
  mailboxId: MailboxId,
  condition: SearchCondition,
  existing: UidSet,
): UidSet {
  const test = testOf(condition, 'may', existing);
  const rows = db.selectFrom('messages').where('messages.mailbox_id', '=', mailboxId);
  const found = asksContents(condition)
    ? rows
        .crossJoin('contents')
        .whereRef('contents.content_id', '=', 'messages.content_id')
        .where(test)
        .select('messages.uid')
        .orderBy('messages.uid')
    : rows.where(test).select('messages.uid').orderBy('messages.uid');
  return uidSetOf(rowsOf<{ uid: Uid }>(sql, found).map(({ uid }) => uid));
}

/** True when a leaf needs what was parsed from the body. */
function asksContents(condition: SearchCondition): boolean {
  switch (condition.type) {
    case 'and':
      return condition.all.some(asksContents);
    case 'or':
      return condition.any.some(asksContents);
    case 'not':
      return asksContents(condition.condition);
    default:
      return condition.type === 'field' || condition.type === 'sent-day';
  }
}

function testOf(condition: SearchCondition, reading: Reading, existing: UidSet): Test {
  switch (condition.type) {
    case 'all':
      return TRUE;
    case 'none':
      return FALSE;
    case 'and':
      return joined(condition.all, 'AND', TRUE, (part) => testOf(part, reading, existing));
    case 'or':
      return joined(condition.any, 'OR', FALSE, (part) => testOf(part, reading, existing));
    case 'not': {
      const opposite = reading === 'may' ? 'must' : 'may';
      return raw`NOT (${testOf(condition.condition, opposite, existing)})`;
    }
    case 'uids':
      return uidTest(intersectionOf(condition.uids, existing));
    case 'header':
    case 'body-text':
    case 'any-text':
      return reading === 'may' ? TRUE : FALSE;
    default:
      return leafTest(condition);
  }
}

/** In a balanced tree: SQLite bounds the depth of an expression. */
function joined(
  parts: readonly SearchCondition[],
  word: 'AND' | 'OR',
  whenEmpty: Test,
  test: (part: SearchCondition) => Test,
): Test {
  const [first] = parts;
  if (first === undefined) return whenEmpty;
  if (parts.length === 1) return test(first);
  const middle = parts.length >> 1;
  const left = joined(parts.slice(0, middle), word, whenEmpty, test);
  const right = joined(parts.slice(middle), word, whenEmpty, test);
  return raw`(${left} ${raw.raw(word)} ${right})`;
}

function uidTest(uids: UidSet): Test {
  if (uids.length === 0) return FALSE;
  if (uids.length > UID_RANGES_COMPARED) {
    const list = JSON.stringify([...uidsOf(uids)]);
    return raw`messages.uid IN (SELECT value FROM json_each(${list}))`;
  }
  const tests = uids.map(([from, to]): Test => raw`messages.uid BETWEEN ${from} AND ${to}`);
  return raw`(${raw.join(tests, raw` OR `)})`;
}

type Leaf = Exclude<
  SearchCondition,
  | { readonly type: 'all' | 'none' | 'and' | 'or' | 'not' | 'uids' | 'header' }
  | { readonly type: 'body-text' | 'any-text' }
>;

function leafTest(leaf: Leaf): Test {
  switch (leaf.type) {
    case 'flag':
      return raw`messages.bits & ${FLAG_BITS[leaf.flag]} <> 0`;
    case 'keyword':
      return raw`instr(' ' || messages.keywords || ' ', ${` ${leaf.keyword} `}) > 0`;
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
    case 'mod-seq':
      return raw`messages.mod_seq >= ${leaf.atLeast}`;
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
