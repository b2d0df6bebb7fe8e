/**
 * What is changed by id, so many of one account at a time.
 */

import type { AccountId } from '#domain/values/ids';

export interface AccountPortion<Row> {
  readonly accountId: AccountId;
  readonly rows: readonly Row[];
}

/** `rowsBehind` gives the next rows by id, and none at the end; `limit` are taken at most. */
export function* accountPortions<Row extends { readonly accountId: AccountId }>(
  rowsBehind: (behind: number, count: number) => readonly Row[],
  idOf: (row: Row) => number,
  { portion, limit = Infinity }: { readonly portion: number; readonly limit?: number | undefined },
): Generator<AccountPortion<Row>> {
  let behind = 0;
  let left = limit;
  while (left > 0) {
    const found = rowsBehind(behind, Math.min(portion, left));
    const last = found.at(-1);
    if (last === undefined) return;
    behind = idOf(last);
    left -= found.length;
    for (const [accountId, rows] of Map.groupBy(found, (row) => row.accountId)) {
      yield { accountId, rows };
    }
  }
}
