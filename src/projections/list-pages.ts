/**
 * Pages of lists: in the order of a column and, where that is the same, of the id. A page costs
 * what it holds, wherever it begins, and however many rows have the same value.
 */

import { sql as raw, type SelectQueryBuilder } from 'kysely';
import type { Instant } from '#domain/values/ids';
import { rowsOf, type Sql } from './query.ts';

export interface PageOfList {
  readonly column: string;
  readonly idColumn: string;
  readonly ascending: boolean;
  /** The last row of the page before. */
  readonly behind: { readonly value: Instant; readonly id: number } | undefined;
  readonly limit: number;
}

export function pageOf<Tables, Names extends keyof Tables, Row>(
  sql: Sql,
  list: SelectQueryBuilder<Tables, Names, Row>,
  { column, idColumn, ascending, behind, limit }: PageOfList,
): readonly Row[] {
  const order = ascending ? 'asc' : 'desc';
  const beyond = raw.raw(ascending ? '>' : '<');
  const first = (part: SelectQueryBuilder<Tables, Names, Row>, count: number): readonly Row[] => {
    const sorted = part.orderBy(raw.ref(column), order).orderBy(raw.ref(idColumn), order);
    return rowsOf(sql, sorted.limit(count));
  };
  if (behind === undefined) return first(list, limit);
  // SQLite looks for `(value, id) > (?, ?)` by the value alone: two questions are asked instead.
  const { value, id } = behind;
  const same = list
    .where(raw<boolean>`${raw.ref(column)} = ${value}`)
    .where(raw<boolean>`${raw.ref(idColumn)} ${beyond} ${id}`);
  const rows = first(same, limit);
  if (rows.length === limit) return rows;
  const others = list.where(raw<boolean>`${raw.ref(column)} ${beyond} ${value}`);
  return [...rows, ...first(others, limit - rows.length)];
}
