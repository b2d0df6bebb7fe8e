/**
 * Read model of the addresses that an account does not write to.
 */

import type { AccountFact } from '#domain/log/streams';
import type { Suppression } from '#domain/suppression/state';
import type { Instant } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface SuppressionTables {
  suppressions: {
    base_address: string;
    address: string;
    reason: string;
    manual: 0 | 1;
    at: Instant;
  };
}

const db = tables<SuppressionTables>();

export const suppressions: AccountModel = {
  name: 'suppressions',
  version: 2,
  ddl: [
    `CREATE TABLE suppressions (
      base_address TEXT PRIMARY KEY,
      address TEXT NOT NULL,
      reason TEXT NOT NULL,
      manual INTEGER NOT NULL,
      at INTEGER NOT NULL
    ) WITHOUT ROWID`,
  ],
  rows: [db.selectFrom('suppressions').selectAll().orderBy('base_address')],
  apply,
};

const addSuppression = query((at: Markers<SuppressionTables['suppressions']>) =>
  db.replaceInto('suppressions').values({
    base_address: at.base_address,
    address: at.address,
    reason: at.reason,
    manual: at.manual,
    at: at.at,
  }),
);

type Base = { baseAddress: string };

const dropSuppression = query((at: Markers<Base>) =>
  db.deleteFrom('suppressions').where('base_address', '=', at.baseAddress),
);

function apply({ event, at }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'AddressSuppressed': {
      const { baseAddress, address, reason, manual } = event;
      addSuppression.run(write, {
        base_address: baseAddress,
        address,
        reason,
        manual: manual ? 1 : 0,
        at,
      });
      return;
    }
    case 'AddressUnsuppressed':
      dropSuppression.run(write, { baseAddress: event.baseAddress });
      return;
    default:
      return;
  }
}

const byBase = query((at: Markers<Base>) =>
  db
    .selectFrom('suppressions')
    .select(['base_address as baseAddress', 'address', 'reason', 'manual', 'at'])
    .where('base_address', '=', at.baseAddress),
);

const all = query(() =>
  db
    .selectFrom('suppressions')
    .select(['base_address as baseAddress', 'address', 'reason', 'manual', 'at'])
    .orderBy('base_address'),
);

export function suppression(sql: Sql, baseAddress: string): Suppression | undefined {
  const row = byBase.get(sql, { baseAddress });
  return row && { ...row, manual: row.manual === 1 };
}

/** By base address. */
export function suppressionsIn(sql: Sql): readonly Suppression[] {
  return all.all(sql, {}).map((row) => ({ ...row, manual: row.manual === 1 }));
}
