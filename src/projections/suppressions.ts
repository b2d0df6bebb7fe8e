/**
 * Read model of the addresses that an account does not write to, and of how often in a row mail to
 * others has failed.
 */

import type { AccountFact } from '#domain/log/streams';
import type { MessageRetired } from '#domain/queue/events';
import type { Suppression } from '#domain/suppression/state';
import type { Instant } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { queueItem } from './queue.ts';

export interface SuppressionTables {
  suppressions: {
    base_address: string;
    address: string;
    reason: string;
    manual: 0 | 1;
    at: Instant;
  };
  failures_in_row: { recipient: string; count: number };
}

const db = tables<SuppressionTables>();

/** Before `queue`: it looks up whom a message was for. */
export const suppressions: AccountModel = {
  name: 'suppressions',
  version: 1,
  ddl: [
    `CREATE TABLE suppressions (
      base_address TEXT PRIMARY KEY,
      address TEXT NOT NULL,
      reason TEXT NOT NULL,
      manual INTEGER NOT NULL,
      at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    `CREATE TABLE failures_in_row (
      recipient TEXT PRIMARY KEY,
      count INTEGER NOT NULL
    ) WITHOUT ROWID`,
  ],
  rows: [
    db.selectFrom('suppressions').selectAll().orderBy('base_address'),
    db.selectFrom('failures_in_row').selectAll().orderBy('recipient'),
  ],
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
type To = { recipient: string };

const dropSuppression = query((at: Markers<Base>) =>
  db.deleteFrom('suppressions').where('base_address', '=', at.baseAddress),
);

const countFailure = query((at: Markers<To>) =>
  db
    .insertInto('failures_in_row')
    .values({ recipient: at.recipient, count: 1 })
    .onConflict((conflict) =>
      conflict
        .column('recipient')
        .doUpdateSet((eb) => ({ count: eb('failures_in_row.count', '+', 1) })),
    ),
);

const endRow = query((at: Markers<To>) =>
  db.deleteFrom('failures_in_row').where('recipient', '=', at.recipient),
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
    case 'MessageRetired':
      return messageRetired(write, event);
    default:
      return;
  }
}

function messageRetired(write: Sql, { queueId, outcome }: MessageRetired): void {
  if (outcome !== 'delivered' && outcome !== 'failed') return;
  const recipient = queueItem(write, queueId)?.recipient;
  if (recipient === undefined) return;
  if (outcome === 'delivered') endRow.run(write, { recipient });
  else countFailure.run(write, { recipient });
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

const failures = query((at: Markers<To>) =>
  db.selectFrom('failures_in_row').select('count').where('recipient', '=', at.recipient),
);

export function suppression(sql: Sql, baseAddress: string): Suppression | undefined {
  const row = byBase.get(sql, { baseAddress });
  return row && { ...row, manual: row.manual === 1 };
}

/** By base address. */
export function suppressionsIn(sql: Sql): readonly Suppression[] {
  return all.all(sql, {}).map((row) => ({ ...row, manual: row.manual === 1 }));
}

export function failuresInRow(sql: Sql, recipient: string): number {
  return failures.get(sql, { recipient })?.count ?? 0;
}
