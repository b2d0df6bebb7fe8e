/**
 * Conditions that lists have in common: times, ids, and where a page begins.
 */

import { sql as raw, type Expression, type SqlBool } from 'kysely';
import type { Instant } from '#domain/values/ids';

export type Condition = Expression<SqlBool>;

/** Strictly before or after. */
export type TimeBound = { readonly before: Instant } | { readonly after: Instant };

export function isWithin(column: string, bound: TimeBound | undefined): Condition {
  if (bound === undefined) return raw<SqlBool>`TRUE`;
  return 'before' in bound
    ? raw<SqlBool>`${raw.ref(column)} < ${bound.before}`
    : raw<SqlBool>`${raw.ref(column)} > ${bound.after}`;
}

export function isAmong(column: string, ids: readonly number[]): Condition {
  return raw<SqlBool>`${raw.ref(column)} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}

/** Behind the last row of the page before: by a column, and where that is the same, by id. */
export function isBehind(
  [column, idColumn]: readonly [string, string],
  ascending: boolean,
  behind: { readonly value: Instant; readonly id: number } | undefined,
): Condition {
  if (behind === undefined) return raw<SqlBool>`TRUE`;
  const row = raw`(${raw.ref(column)}, ${raw.ref(idColumn)})`;
  const last = raw`(${behind.value}, ${behind.id})`;
  return ascending ? raw<SqlBool>`${row} > ${last}` : raw<SqlBool>`${row} < ${last}`;
}
