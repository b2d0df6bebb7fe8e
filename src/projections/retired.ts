/**
 * Read model of the server: outgoing mail that has left the queue, for as long as it is to be
 * shown; and when there is something to forget about which account.
 *
 * Invariants: how long an item is shown was settled when it left; mail that comes back about it
 * moves its last activity and nothing else.
 */

import { sql as raw } from 'kysely';
import type { MessageRetired, RetiredOutcome } from '#domain/queue/events';
import { forgetSentAt } from '#domain/queue/state';
import type { AccountId, Instant, QueueId } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { ServerQueueTables } from './server-queue.ts';

type QueueColumns = ServerQueueTables['server_queue'];

export interface RetiredTables {
  retired_items: Pick<
    QueueColumns,
    | 'queue_id'
    | 'account_id'
    | 'mail_from'
    | 'recipient'
    | 'size_bytes'
    | 'queued_at'
    | 'last_attempt_at'
    | 'attempts'
    | 'transport'
    | 'require_tls'
    | 'details'
  > & {
    outcome: RetiredOutcome;
    success: 0 | 1;
    last_activity_at: Instant;
    keep_until: Instant;
  };
  /** At the end of which hours something of an account is to be forgotten, webhooks too. */
  forget_hours: { account_id: AccountId; due_at: Instant };
}

const db = tables<RetiredTables & ServerQueueTables>();

/** Before `serverQueue`: it takes the rows that are about to go. */
export const retired: ServerModel = {
  name: 'retired',
  version: 1,
  ddl: [
    `CREATE TABLE retired_items (
      queue_id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL,
      mail_from TEXT NOT NULL,
      recipient TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      queued_at INTEGER NOT NULL,
      last_attempt_at INTEGER,
      attempts INTEGER NOT NULL,
      transport TEXT NOT NULL,
      require_tls INTEGER,
      details TEXT NOT NULL,
      outcome TEXT NOT NULL,
      success INTEGER NOT NULL,
      last_activity_at INTEGER NOT NULL,
      keep_until INTEGER NOT NULL
    )`,
    'CREATE INDEX retired_items_active ON retired_items (last_activity_at, queue_id)',
    'CREATE INDEX retired_items_queued ON retired_items (queued_at, queue_id)',
    `CREATE INDEX retired_items_account_active
      ON retired_items (account_id, last_activity_at, queue_id)`,
    'CREATE INDEX retired_items_account_queued ON retired_items (account_id, queued_at, queue_id)',
    'CREATE INDEX retired_items_keep ON retired_items (account_id, keep_until)',
    `CREATE TABLE forget_hours (
      account_id INTEGER NOT NULL,
      due_at INTEGER NOT NULL,
      PRIMARY KEY (due_at, account_id)
    ) WITHOUT ROWID`,
  ],
  rows: [
    db.selectFrom('retired_items').selectAll().orderBy('queue_id'),
    db.selectFrom('forget_hours').selectAll().orderBy('due_at').orderBy('account_id'),
  ],
  apply,
};

type Retire = {
  queueId: QueueId;
  outcome: RetiredOutcome;
  success: 0 | 1;
  at: Instant;
  keepUntil: Instant;
};

const retire = query((at: Markers<Retire>) =>
  db
    .insertInto('retired_items')
    .columns([
      ...(['queue_id', 'account_id', 'mail_from', 'recipient', 'size_bytes', 'queued_at'] as const),
      ...(['last_attempt_at', 'attempts', 'transport', 'require_tls', 'details'] as const),
      ...(['outcome', 'success', 'last_activity_at', 'keep_until'] as const),
    ])
    .expression((eb) =>
      eb
        .selectFrom('server_queue')
        .select(['queue_id', 'account_id', 'mail_from', 'recipient', 'size_bytes', 'queued_at'])
        // What an administrator ends before its first attempt was tried then.
        .select(eb.fn.coalesce('last_attempt_at', at.at).as('last_attempt_at'))
        .select(['attempts', 'transport', 'require_tls', 'details'])
        .select([
          at.outcome.as('outcome'),
          at.success.as('success'),
          at.at.as('last_activity_at'),
          at.keepUntil.as('keep_until'),
        ])
        .where('queue_id', '=', at.queueId),
    ),
);

const touch = query((at: Markers<{ queueId: QueueId; at: Instant }>) =>
  db
    .updateTable('retired_items')
    .set({ last_activity_at: at.at })
    .where('queue_id', '=', at.queueId),
);

type Due = { accountId: AccountId; dueAt: Instant };

const addHour = query((at: Markers<Due>) =>
  db.replaceInto('forget_hours').values({ account_id: at.accountId, due_at: at.dueAt }),
);

const dropHours = query((at: Markers<Due>) =>
  db
    .deleteFrom('forget_hours')
    .where('account_id', '=', at.accountId)
    .where('due_at', '<=', at.dueAt),
);

const forget = query((at: Markers<{ accountId: AccountId; upTo: Instant }>) =>
  db
    .deleteFrom('retired_items')
    .where('account_id', '=', at.accountId)
    .where('keep_until', '<', at.upTo),
);

/** True for facts about items that no other model of the queue heeds. */
export function touchesRetired({ fact: { event } }: ServerFact): boolean {
  switch (event.type) {
    case 'DeliveryCanceled':
    case 'BounceRelated':
    case 'RetiredForgotten':
      return true;
    default:
      return false;
  }
}

function apply({ accountId, fact: { event, at } }: ServerFact, write: Sql): void {
  switch (event.type) {
    case 'MessageRetired':
      return messageRetired(write, accountId, event, at);
    case 'WebhookRetired':
      if (event.keepUntil === undefined) return;
      addHour.run(write, { accountId, dueAt: hourAfter(event.keepUntil) });
      return;
    case 'BounceRelated':
      touch.run(write, { queueId: event.queueId, at });
      return;
    case 'RetiredForgotten': {
      const { upTo } = event;
      forget.run(write, { accountId, upTo });
      dropHours.run(write, { accountId, dueAt: upTo });
      return;
    }
    default:
      return;
  }
}

function messageRetired(
  write: Sql,
  accountId: AccountId,
  { queueId, outcome, keepUntil }: MessageRetired,
  at: Instant,
): void {
  const success = outcome === 'delivered' ? 1 : 0;
  if (keepUntil !== undefined) {
    retire.run(write, { queueId, outcome, success, at, keepUntil });
    addHour.run(write, { accountId, dueAt: hourAfter(keepUntil) });
  }
  addHour.run(write, { accountId, dueAt: hourAfter(forgetSentAt(at, keepUntil)) });
}

const HOUR_MS = 3_600_000;

/** The end of the hour: whatever lies in it is over then. */
function hourAfter(at: Instant): Instant {
  return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS;
}

const due = query((at: Markers<{ now: Instant }>) =>
  db
    .selectFrom('forget_hours')
    .select('account_id as accountId')
    .distinct()
    .where('due_at', '<=', at.now)
    .orderBy('account_id'),
);

const anyOf = query((at: Markers<{ accountId: AccountId }>) =>
  db
    .selectFrom('retired_items')
    .select('queue_id')
    .where('account_id', '=', at.accountId)
    .limit(raw.lit(1)),
);

/** True while mail of the account that has left the queue is to be shown. */
export function remembersMail(sql: Sql, accountId: AccountId): boolean {
  return anyOf.get(sql, { accountId }) !== undefined;
}

/** Accounts with finished items whose time is over. */
export function accountsToForget(sql: Sql, now: Instant): readonly AccountId[] {
  return due.all(sql, { now }).map(({ accountId }) => accountId);
}
