/**
 * Pages of lists: in the order of a column and, where that is the same, of the id. A page costs
 * what it holds, wherever it begins, and however many rows have the same value.
 */

import { sql as raw, type SelectQueryBuilder } from 'kysely';
import type { Instant } from '#domain/values/ids';
import { rowsOf, type Sql } from './query.ts';

export interface ListPage<Sort extends string> {
  readonly sort: Sort;
  readonly ascending: boolean;
  /** The last row of the page before. */
  readonly behind?: { readonly value: Instant; readonly id: number };
  readonly limit: number;
}

/** What waits is sorted by when it is due, what has ended by when something last happened. */
export type WaitingSort = 'nextAttempt' | 'queued';
export type EndedSort = 'lastActivity' | 'queued';

export const WAITING_COLUMNS: Readonly<Record<WaitingSort, string>> = {
  nextAttempt: 'next_attempt_at',
  queued: 'queued_at',
};
export const ENDED_COLUMNS: Readonly<Record<EndedSort, string>> = {
  lastActivity: 'last_activity_at',
  queued: 'queued_at',
};

/** The columns that a list is sorted by. */
interface SortColumns<Sort extends string> {
  readonly of: Readonly<Record<Sort, string>>;
  readonly id: string;
}

export function pageOf<Tables, Names extends keyof Tables, Row, Sort extends string>(
  sql: Sql,
  list: SelectQueryBuilder<Tables, Names, Row>,
  { sort, ascending, behind, limit }: ListPage<Sort>,
  columns: SortColumns<Sort>,
): readonly Row[] {
  const column = raw.ref(columns.of[sort]);
  const idColumn = raw.ref(columns.id);
  const order = ascending ? 'asc' : 'desc';
  const beyond = raw.raw(ascending ? '>' : '<');
  const first = (part: SelectQueryBuilder<Tables, Names, Row>, count: number): readonly Row[] => {
    const sorted = part.orderBy(column, order).orderBy(idColumn, order);
    return rowsOf(sql, sorted.limit(count));
  };
  if (behind === undefined) return first(list, limit);
  // SQLite looks for `(value, id) > (?, ?)` by the value alone: two questions are asked instead.
  const { value, id } = behind;
  const same = list
    .where(raw<boolean>`${column} = ${value}`)
    .where(raw<boolean>`${idColumn} ${beyond} ${id}`);
  const rows = first(same, limit);
  if (rows.length === limit) return rows;
  const others = list.where(raw<boolean>`${column} ${beyond} ${value}`);
  return [...rows, ...first(others, limit - rows.length)];
}
