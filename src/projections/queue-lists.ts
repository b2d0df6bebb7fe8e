/**
 * Lists of outgoing mail for administrators and for the accounts themselves: what waits, and what
 * has left, by any filter, page by page.
 *
 * Invariants: conditions are all to be met; a page begins behind a value of the sorted column and
 * an id, so that it costs no more the further back it lies, and no row is met twice.
 */

import { sql as raw, type SelectQueryBuilder, type SqlBool } from 'kysely';
import type { RetiredOutcome } from '#domain/queue/events';
import type { QueuedMessage } from '#domain/queue/state';
import type { AccountId, Instant, QueueId } from '#domain/values/ids';
import {
  commonConditions,
  isIdBehind,
  isWithin,
  type CommonFilter,
  type Condition,
  type TimeBound,
} from './list-conditions.ts';
import {
  ENDED_COLUMNS,
  pageOf,
  WAITING_COLUMNS,
  type EndedSort,
  type ListPage,
  type WaitingSort,
} from './list-pages.ts';
import { rowsOf, tables, type Sql } from './query.ts';
import type { RetiredTables } from './retired.ts';
import type { ServerQueueTables } from './server-queue.ts';

/** A piece of an address; domains are compared in lower-case A-labels. */
interface ItemFilter extends CommonFilter {
  readonly queueIds?: readonly QueueId[];
  readonly from?: string;
  readonly to?: string;
  /** The same pieces as a part of a domain, where that is written in other letters. */
  readonly fromDomain?: string;
  readonly toDomain?: string;
  /** '' for those that no transport is forced upon. */
  readonly transport?: string;
}

export interface QueueFilter extends ItemFilter {
  readonly isHeld?: boolean;
  readonly nextAttempt?: TimeBound;
}

export interface RetiredFilter extends ItemFilter {
  readonly success?: boolean;
  readonly lastActivity?: TimeBound;
}

/** What never changes about an item. */
export type ItemDetails = Omit<QueuedMessage, 'prefix'>;

interface ListedItem {
  readonly queueId: QueueId;
  readonly accountId: AccountId;
  readonly details: ItemDetails;
  readonly lastAttemptAt: Instant | null;
  readonly attempts: number;
  readonly transport: string;
  readonly requireTls: boolean | null;
}

export interface QueuedItem extends ListedItem {
  readonly nextAttemptAt: Instant;
  readonly inAttempt: boolean;
  readonly isHeld: boolean;
  readonly lastAnswer: string;
}

export interface RetiredItem extends ListedItem {
  readonly outcome: RetiredOutcome;
  readonly lastActivityAt: Instant;
  readonly keepUntil: Instant;
}

const db = tables<ServerQueueTables & RetiredTables>();

const COMMON = [
  'queue_id as queueId',
  'account_id as accountId',
  'details',
  'last_attempt_at as lastAttemptAt',
  'attempts',
  'transport',
  'require_tls as requireTls',
] as const;

export function queuedItems(
  sql: Sql,
  filter: QueueFilter,
  page: ListPage<WaitingSort>,
): readonly QueuedItem[] {
  const rows = pageOf(
    sql,
    matchingQueued(filter)
      .select(COMMON)
      .select(['next_attempt_at as nextAttemptAt', 'in_attempt as inAttempt'])
      .select(['is_held as isHeld', 'last_answer as lastAnswer']),
    page,
    { of: WAITING_COLUMNS, id: 'queue_id' },
  );
  return rows.map((row) => ({
    ...row,
    ...commonOf(row),
    inAttempt: row.inAttempt === 1,
    isHeld: row.isHeld === 1,
  }));
}

export function retiredItems(
  sql: Sql,
  filter: RetiredFilter,
  page: ListPage<EndedSort>,
): readonly RetiredItem[] {
  const { success, lastActivity } = filter;
  const rows = pageOf(
    sql,
    db
      .selectFrom('retired_items')
      .where((eb) => eb.and(conditionsOf(filter)))
      .$if(success !== undefined, (list) => list.where('success', '=', success === true ? 1 : 0))
      .$if(lastActivity !== undefined, (list) =>
        list.where(isWithin('last_activity_at', lastActivity)),
      )
      .select(COMMON)
      .select(['outcome', 'last_activity_at as lastActivityAt', 'keep_until as keepUntil']),
    page,
    { of: ENDED_COLUMNS, id: 'queue_id' },
  );
  return rows.map((row) => ({ ...row, ...commonOf(row) }));
}

/** Between whom an item goes. */
export interface QueuedAddresses {
  readonly queueId: QueueId;
  readonly accountId: AccountId;
  readonly mailFrom: string;
  readonly recipient: string;
}

/** What waits by id, so that items of one account stand together. */
export function queuedById(
  sql: Sql,
  { accountId, ...filter }: QueueFilter,
  behind: QueueId,
  limit: number,
): readonly QueuedAddresses[] {
  const list = matchingQueued(filter)
    .select(['queue_id as queueId', 'account_id as accountId'])
    .select(['mail_from as mailFrom', 'recipient'])
    .where(isIdBehind('queue_id', behind, accountId))
    .orderBy('queue_id')
    .limit(limit);
  return rowsOf(sql, list);
}

/** The reverse-paths of an account's mail that waits, each once. */
export function sendersOf(sql: Sql, accountId: AccountId): readonly string[] {
  const senders = db
    .selectFrom('server_queue')
    .select('mail_from as mailFrom')
    .distinct()
    .where('account_id', '=', accountId)
    .where('mail_from', '<>', '');
  return rowsOf(sql, senders).map(({ mailFrom }) => mailFrom);
}

/** How many items wait. */
export function queueLength(sql: Sql): number {
  const counted = db
    .selectFrom('server_queue')
    .select((eb) => eb.fn.countAll<number>().as('count'));
  return rowsOf(sql, counted)[0]?.count ?? 0;
}

function matchingQueued(
  filter: QueueFilter,
): SelectQueryBuilder<ServerQueueTables & RetiredTables, 'server_queue', object> {
  const { isHeld, nextAttempt } = filter;
  return db
    .selectFrom('server_queue')
    .where((eb) => eb.and(conditionsOf(filter)))
    .$if(isHeld !== undefined, (list) => list.where('is_held', '=', isHeld === true ? 1 : 0))
    .$if(nextAttempt !== undefined, (list) => list.where(isWithin('next_attempt_at', nextAttempt)));
}

function conditionsOf(filter: ItemFilter): readonly Condition[] {
  const { queueIds, from, to, transport } = filter;
  const conditions = commonConditions('queue_id', queueIds, filter);
  if (from !== undefined) conditions.push(contains('mail_from', from, filter.fromDomain));
  if (to !== undefined) conditions.push(contains('recipient', to, filter.toDomain));
  if (transport !== undefined) conditions.push(raw<SqlBool>`transport = ${transport}`);
  return conditions;
}

/** The piece is in the address as it stands, or whatever its case in the domain. */
function contains(
  column: 'mail_from' | 'recipient',
  piece: string,
  inDomain: string = piece.toLowerCase(),
): Condition {
  const address = raw.ref(column);
  const at = piece.lastIndexOf('@');
  const exact = piece.slice(0, at + 1) + piece.slice(at + 1).toLowerCase();
  if (at >= 0) return raw<SqlBool>`instr(${address}, ${exact}) > 0`;
  const domain = raw`substr(${address}, instr(${address}, '@'))`;
  return raw<SqlBool>`(instr(${address}, ${piece}) > 0 OR instr(${domain}, ${inDomain}) > 0)`;
}

function commonOf(row: { readonly details: string; readonly requireTls: 0 | 1 | null }): {
  readonly details: ItemDetails;
  readonly requireTls: boolean | null;
} {
  return {
    details: JSON.parse(row.details) as ItemDetails,
    requireTls: row.requireTls === null ? null : row.requireTls === 1,
  };
}
