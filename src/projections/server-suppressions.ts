/**
 * Read model of the server: the addresses that accounts do not write to, of all accounts together.
 */

import type { Suppression } from '#domain/suppression/state';
import type { AccountId, Instant } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

interface ServerSuppressionTables {
  server_suppressions: {
    account_id: AccountId;
    base_address: string;
    address: string;
    reason: string;
    manual: 0 | 1;
    at: Instant;
  };
}

const db = tables<ServerSuppressionTables>();

export const serverSuppressions: ServerModel = {
  name: 'server-suppressions',
  version: 1,
  ddl: [
    `CREATE TABLE server_suppressions (
      account_id INTEGER NOT NULL,
      base_address TEXT NOT NULL,
      address TEXT NOT NULL,
      reason TEXT NOT NULL,
      manual INTEGER NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (account_id, base_address)
    ) WITHOUT ROWID`,
    'CREATE INDEX server_suppressions_base ON server_suppressions (base_address)',
  ],
  rows: [
    db.selectFrom('server_suppressions').selectAll().orderBy('account_id').orderBy('base_address'),
  ],
  apply,
};

type Columns = ServerSuppressionTables['server_suppressions'];
type Key = { accountId: AccountId; baseAddress: string };

const add = query((at: Markers<Columns>) =>
  db.replaceInto('server_suppressions').values({
    account_id: at.account_id,
    base_address: at.base_address,
    address: at.address,
    reason: at.reason,
    manual: at.manual,
    at: at.at,
  }),
);

const drop = query((at: Markers<Key>) =>
  db
    .deleteFrom('server_suppressions')
    .where('account_id', '=', at.accountId)
    .where('base_address', '=', at.baseAddress),
);

/** False for facts that leave these rows as they are. */
export function touchesSuppressions({ fact: { event } }: ServerFact): boolean {
  return event.type === 'AddressSuppressed' || event.type === 'AddressUnsuppressed';
}

function apply({ accountId, fact: { event, at } }: ServerFact, write: Sql): void {
  if (event.type === 'AddressSuppressed') {
    add.run(write, {
      account_id: accountId,
      base_address: event.baseAddress,
      address: event.address,
      reason: event.reason,
      manual: event.manual ? 1 : 0,
      at,
    });
  } else if (event.type === 'AddressUnsuppressed') {
    drop.run(write, { accountId, baseAddress: event.baseAddress });
  }
}

/** An address that one of the accounts does not write to. */
export interface AccountSuppression extends Suppression {
  readonly accountId: AccountId;
}

const SHOWN = [
  'account_id as accountId',
  'base_address as baseAddress',
  'address',
  'reason',
  'manual',
  'at',
] as const;

const all = query(() =>
  db.selectFrom('server_suppressions').select(SHOWN).orderBy('account_id').orderBy('base_address'),
);

const ofBase = query((at: Markers<{ baseAddress: string }>) =>
  db
    .selectFrom('server_suppressions')
    .select(SHOWN)
    .where('base_address', '=', at.baseAddress)
    .orderBy('account_id'),
);

/** By account and base address; those with one base address when it is given. */
export function suppressionsOfAll(
  sql: Sql,
  baseAddress: string | undefined,
): readonly AccountSuppression[] {
  const rows = baseAddress === undefined ? all.all(sql, {}) : ofBase.all(sql, { baseAddress });
  return rows.map((row) => ({ ...row, manual: row.manual === 1 }));
}
