/**
 * Lists of webhooks for administrators and for the accounts themselves: those that wait, and those
 * that ended, by any filter, page by page, as in `queue-lists.ts`.
 */

import { sql as raw, type SelectQueryBuilder } from 'kysely';
import type { HookOccasion, RetiredHookOutcome } from '#domain/webhook/events';
import type { AccountId, HookId, Instant } from '#domain/values/ids';
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
import type { RetiredWebhookTables } from './retired-webhooks.ts';
import type { ServerWebhookTables, ToldEvent } from './server-webhooks.ts';

interface HookFilter extends CommonFilter {
  readonly hookIds?: readonly HookId[];
  readonly event?: ToldEvent;
}

export interface WebhookFilter extends HookFilter {
  readonly nextAttempt?: TimeBound;
}

export interface RetiredWebhookFilter extends HookFilter {
  readonly lastActivity?: TimeBound;
}

interface ListedWebhook {
  readonly hookId: HookId;
  readonly accountId: AccountId;
  readonly url: string;
  readonly hasAuthorization: boolean;
  readonly occasion: HookOccasion;
  readonly queuedAt: Instant;
  readonly lastAttemptAt: Instant | null;
  readonly attempts: number;
}

export interface PendingWebhook extends ListedWebhook {
  readonly nextAttemptAt: Instant;
  readonly inFlight: boolean;
}

export interface RetiredWebhook extends ListedWebhook {
  readonly outcome: RetiredHookOutcome;
  /** 0 for none. */
  readonly supersededBy: HookId | 0;
  readonly lastActivityAt: Instant;
  readonly keepUntil: Instant;
}

const db = tables<ServerWebhookTables & RetiredWebhookTables>();

const COMMON = [
  'hook_id as hookId',
  'account_id as accountId',
  'url',
  'has_authorization as hasAuthorization',
  'occasion',
  'queued_at as queuedAt',
  'last_attempt_at as lastAttemptAt',
  'attempts',
] as const;

export function listedWebhooks(
  sql: Sql,
  filter: WebhookFilter,
  page: ListPage<WaitingSort>,
): readonly PendingWebhook[] {
  const rows = pageOf(
    sql,
    matchingPending(filter)
      .select(COMMON)
      .select(['next_attempt_at as nextAttemptAt', 'in_flight as inFlight']),
    page,
    { of: WAITING_COLUMNS, id: 'hook_id' },
  );
  return rows.map((row) => ({ ...row, ...commonOf(row), inFlight: row.inFlight === 1 }));
}

export function listedRetiredWebhooks(
  sql: Sql,
  filter: RetiredWebhookFilter,
  page: ListPage<EndedSort>,
): readonly RetiredWebhook[] {
  const { lastActivity } = filter;
  const rows = pageOf(
    sql,
    db
      .selectFrom('retired_webhooks')
      .where((eb) => eb.and(conditionsOf(filter)))
      .$if(lastActivity !== undefined, (list) =>
        list.where(isWithin('last_activity_at', lastActivity)),
      )
      .select(COMMON)
      .select(['outcome', 'superseded_by as supersededBy'])
      .select(['last_activity_at as lastActivityAt', 'keep_until as keepUntil']),
    page,
    { of: ENDED_COLUMNS, id: 'hook_id' },
  );
  return rows.map((row) => ({ ...row, ...commonOf(row) }));
}

/** Those that wait by id, so that those of one account stand together. */
export function webhookIds(
  sql: Sql,
  { accountId, ...filter }: WebhookFilter,
  behind: HookId,
  limit: number,
): readonly { readonly hookId: HookId; readonly accountId: AccountId }[] {
  const list = matchingPending(filter)
    .select(['hook_id as hookId', 'account_id as accountId'])
    .where(isIdBehind('hook_id', behind, accountId))
    .orderBy('hook_id')
    .limit(limit);
  return rowsOf(sql, list);
}

/** True while webhooks of the account that wait no more are to be shown. */
export function remembersWebhooks(sql: Sql, accountId: AccountId): boolean {
  const any = db
    .selectFrom('retired_webhooks')
    .select('hook_id')
    .where('account_id', '=', accountId)
    .limit(1);
  return rowsOf(sql, any).length > 0;
}

/** How many wait. */
export function webhookCount(sql: Sql): number {
  const counted = db
    .selectFrom('server_webhooks')
    .select((eb) => eb.fn.countAll<number>().as('count'));
  return rowsOf(sql, counted)[0]?.count ?? 0;
}

function matchingPending(
  filter: WebhookFilter,
): SelectQueryBuilder<ServerWebhookTables & RetiredWebhookTables, 'server_webhooks', object> {
  const { nextAttempt } = filter;
  return db
    .selectFrom('server_webhooks')
    .where((eb) => eb.and(conditionsOf(filter)))
    .$if(nextAttempt !== undefined, (list) => list.where(isWithin('next_attempt_at', nextAttempt)));
}

function conditionsOf(filter: HookFilter): readonly Condition[] {
  const { hookIds, event } = filter;
  const conditions = commonConditions('hook_id', hookIds, filter);
  if (event !== undefined) conditions.push(raw`event = ${event}`);
  return conditions;
}

function commonOf(row: { readonly occasion: string; readonly hasAuthorization: 0 | 1 }): {
  readonly occasion: HookOccasion;
  readonly hasAuthorization: boolean;
} {
  return {
    occasion: JSON.parse(row.occasion) as HookOccasion,
    hasAuthorization: row.hasAuthorization === 1,
  };
}
