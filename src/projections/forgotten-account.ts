/**
 * Takes everything about one account out of the database of the server, as if its stream had never
 * been: what a replay without it gives.
 *
 * Invariants: a table of the server's models says whose its rows are in one of the columns below,
 * or holds nothing of an account without mail or webhooks that wait.
 */

import { accountStream } from '#domain/log/streams';
import type { AccountId } from '#domain/values/ids';
import { SERVER_MODELS } from './catalog.ts';
import { dropCheckpoint } from './checkpoints.ts';
import type { Sql } from './query.ts';

/** An id of the whole server carries the number of the account: see QueueId. */
const IDS_OF_ACCOUNT: number = 2 ** 32;
const ID_COLUMNS = ['queue_id', 'hook_id'] as const;

export function forgetAccount(write: Sql, accountId: AccountId): void {
  for (const table of SERVER_MODELS.flatMap(({ ddl }) => ddl.flatMap(tableIn))) {
    const columns = new Set(
      write.passing(`SELECT name FROM pragma_table_info('${table}')`).all([]).map(nameOf),
    );
    const id = ID_COLUMNS.find((column) => columns.has(column));
    if (columns.has('account_id')) {
      write.passing(`DELETE FROM ${table} WHERE account_id = ?`).run([accountId]);
    } else if (id !== undefined) {
      const first = accountId * IDS_OF_ACCOUNT;
      write
        .passing(`DELETE FROM ${table} WHERE ${id} BETWEEN ? AND ?`)
        .run([first, first + IDS_OF_ACCOUNT - 1]);
    }
  }
  dropCheckpoint(write, accountStream(accountId));
}

/** The table that a statement makes; none for an index. */
function tableIn(statement: string): readonly string[] {
  const name = /^CREATE TABLE (\w+)/.exec(statement)?.[1];
  return name === undefined ? [] : [name];
}

function nameOf(row: unknown): string {
  return typeof row === 'object' && row !== null && 'name' in row ? String(row.name) : '';
}
