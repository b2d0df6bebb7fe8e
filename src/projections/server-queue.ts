/**
 * Read model of the server: when the outgoing mail of which account is due.
 */

import { sql as raw } from 'kysely';
import type { AccountId, Instant, QueueId } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface ServerQueueTables {
  due_items: {
    queue_id: QueueId;
    account_id: AccountId;
    next_attempt_at: Instant;
    in_attempt: 0 | 1;
  };
}

const db = tables<ServerQueueTables>();

export const serverQueue: ServerModel = {
  name: 'server-queue',
  version: 1,
  ddl: [
    `CREATE TABLE due_items (
      queue_id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL,
      next_attempt_at INTEGER NOT NULL,
      in_attempt INTEGER NOT NULL
    )`,
    `CREATE INDEX due_items_waiting ON due_items (next_attempt_at, queue_id)
      WHERE in_attempt = 0`,
    'CREATE INDEX due_items_open ON due_items (account_id) WHERE in_attempt = 1',
  ],
  rows: [db.selectFrom('due_items').selectAll().orderBy('queue_id')],
  apply,
};

const addItem = query(
  (at: Markers<{ queueId: QueueId; accountId: AccountId; nextAttemptAt: Instant }>) =>
    db.insertInto('due_items').values({
      queue_id: at.queueId,
      account_id: at.accountId,
      next_attempt_at: at.nextAttemptAt,
      in_attempt: 0,
    }),
);

const changeItem = query(
  (at: Markers<{ queueId: QueueId; nextAttemptAt: Instant | null; inAttempt: 0 | 1 }>) =>
    db
      .updateTable('due_items')
      .set((eb) => ({
        next_attempt_at: eb.fn.coalesce(at.nextAttemptAt, 'next_attempt_at'),
        in_attempt: at.inAttempt,
      }))
      .where('queue_id', '=', at.queueId),
);

const dropItem = query((at: Markers<{ queueId: QueueId }>) =>
  db.deleteFrom('due_items').where('queue_id', '=', at.queueId),
);

/** False for facts that leave the queue as it is. */
export function touchesQueue({ fact }: ServerFact): boolean {
  switch (fact.event.type) {
    case 'MessageQueued':
    case 'AttemptStarted':
    case 'AttemptSucceeded':
    case 'AttemptFailed':
    case 'AttemptInterrupted':
    case 'MessageRetired':
      return true;
    default:
      return false;
  }
}

function apply({ accountId, fact: { event } }: ServerFact, write: Sql): void {
  switch (event.type) {
    case 'MessageQueued':
      for (const { queueId } of event.items) {
        addItem.run(write, { queueId, accountId, nextAttemptAt: event.nextAttemptAt });
      }
      return;
    case 'AttemptStarted': {
      const { queueId, nextAttemptAt } = event;
      changeItem.run(write, { queueId, nextAttemptAt, inAttempt: 1 });
      return;
    }
    case 'AttemptFailed': {
      const nextAttemptAt = event.nextAttemptAt ?? null;
      changeItem.run(write, { queueId: event.queueId, nextAttemptAt, inAttempt: 0 });
      return;
    }
    case 'AttemptSucceeded':
    case 'AttemptInterrupted':
      changeItem.run(write, { queueId: event.queueId, nextAttemptAt: null, inAttempt: 0 });
      return;
    case 'MessageRetired':
      dropItem.run(write, { queueId: event.queueId });
      return;
    default:
      return;
  }
}

const dueBy = query((at: Markers<{ now: Instant; limit: number }>) =>
  db
    .selectFrom('due_items')
    .select(['account_id as accountId', 'queue_id as queueId'])
    .where('in_attempt', '=', raw.lit(0))
    .where('next_attempt_at', '<=', at.now)
    .orderBy('next_attempt_at')
    .orderBy('queue_id')
    .limit(at.limit),
);

const earliest = query(() =>
  db
    .selectFrom('due_items')
    .select('next_attempt_at as dueAt')
    .where('in_attempt', '=', raw.lit(0))
    .orderBy('next_attempt_at')
    .limit(raw.lit(1)),
);

const accountsOpen = query(() =>
  db
    .selectFrom('due_items')
    .select('account_id as accountId')
    .distinct()
    .where('in_attempt', '=', raw.lit(1))
    .orderBy('account_id'),
);

/** Items that are due and not in an attempt, the longest due first. */
export function dueItems(
  sql: Sql,
  now: Instant,
  limit: number,
): readonly { readonly accountId: AccountId; readonly queueId: QueueId }[] {
  return dueBy.all(sql, { now, limit });
}

export function nextDueAt(sql: Sql): Instant | undefined {
  return earliest.get(sql, {})?.dueAt;
}

/** Accounts with attempts that have begun and not ended. */
export function accountsInAttempt(sql: Sql): readonly AccountId[] {
  return accountsOpen.all(sql, {}).map(({ accountId }) => accountId);
}
