/**
 * Conditions that lists have in common: ids, accounts and times.
 */

import { sql as raw, type Expression, type SqlBool } from 'kysely';
import { serverWideId, type AccountId, type Instant } from '#domain/values/ids';

export type Condition = Expression<SqlBool>;

/** Strictly before or after. */
export type TimeBound = { readonly before: Instant } | { readonly after: Instant };

/** What can be asked of every list. */
export interface CommonFilter {
  readonly accountId?: AccountId;
  readonly queued?: TimeBound;
}

export function commonConditions(
  idColumn: string,
  ids: readonly number[] | undefined,
  { accountId, queued }: CommonFilter,
): Condition[] {
  const conditions: Condition[] = [];
  if (ids !== undefined) conditions.push(isAmong(idColumn, ids));
  if (accountId !== undefined) conditions.push(raw<SqlBool>`account_id = ${accountId}`);
  if (queued !== undefined) conditions.push(isWithin('queued_at', queued));
  return conditions;
}

export function isWithin(column: string, bound: TimeBound | undefined): Condition {
  if (bound === undefined) return raw<SqlBool>`TRUE`;
  return 'before' in bound
    ? raw<SqlBool>`${raw.ref(column)} < ${bound.before}`
    : raw<SqlBool>`${raw.ref(column)} > ${bound.after}`;
}

function isAmong(column: string, ids: readonly number[]): Condition {
  return raw<SqlBool>`${raw.ref(column)} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}

/**
 * Ids of the whole server behind one of them, of one account or of all: those of an account stand
 * together, and are found by nothing else.
 */
export function isIdBehind(
  column: string,
  behind: number,
  accountId: AccountId | undefined,
): Condition {
  const id = raw.ref(column);
  if (accountId === undefined) return raw<SqlBool>`${id} > ${behind}`;
  const after = Math.max(behind, serverWideId(accountId, 0));
  return raw<SqlBool>`(${id} > ${after} AND ${id} < ${serverWideId(accountId + 1, 0)})`;
}
