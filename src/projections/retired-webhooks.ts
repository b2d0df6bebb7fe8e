/**
 * Read model of the server: webhooks that wait no more, for as long as they are to be shown.
 *
 * Invariants: how long one is shown was settled when it ended; of the text of its Authorization
 * nothing is left but that there was one.
 */

import type { RetiredHookOutcome, WebhookRetired } from '#domain/webhook/events';
import type { AccountId, HookId, Instant } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { ServerWebhookTables } from './server-webhooks.ts';

export interface RetiredWebhookTables {
  retired_webhooks: Omit<
    ServerWebhookTables['server_webhooks'],
    'next_attempt_at' | 'in_flight' | 'authorization'
  > & {
    outcome: RetiredHookOutcome;
    /** 0 for none. */
    superseded_by: HookId | 0;
    /** When its last attempt began, or when something else ended it. */
    last_activity_at: Instant;
    keep_until: Instant;
  };
}

const db = tables<RetiredWebhookTables & ServerWebhookTables>();

/** Before `serverWebhooks`: it takes the rows that are about to go. */
export const retiredWebhooks: ServerModel = {
  name: 'retired-webhooks',
  version: 1,
  ddl: [
    `CREATE TABLE retired_webhooks (
      hook_id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL,
      queue_id INTEGER,
      event TEXT NOT NULL,
      url TEXT NOT NULL,
      has_authorization INTEGER NOT NULL,
      queued_at INTEGER NOT NULL,
      last_attempt_at INTEGER,
      attempts INTEGER NOT NULL,
      occasion TEXT NOT NULL,
      outcome TEXT NOT NULL,
      superseded_by INTEGER NOT NULL,
      last_activity_at INTEGER NOT NULL,
      keep_until INTEGER NOT NULL
    )`,
    'CREATE INDEX retired_webhooks_active ON retired_webhooks (last_activity_at, hook_id)',
    'CREATE INDEX retired_webhooks_queued ON retired_webhooks (queued_at, hook_id)',
    `CREATE INDEX retired_webhooks_account_active
      ON retired_webhooks (account_id, last_activity_at, hook_id)`,
    `CREATE INDEX retired_webhooks_account_queued
      ON retired_webhooks (account_id, queued_at, hook_id)`,
    'CREATE INDEX retired_webhooks_keep ON retired_webhooks (account_id, keep_until)',
  ],
  rows: [db.selectFrom('retired_webhooks').selectAll().orderBy('hook_id')],
  apply,
};

type Retire = {
  hookId: HookId;
  outcome: RetiredHookOutcome;
  supersededBy: HookId | 0;
  at: Instant;
  keepUntil: Instant;
};

const SAME = [
  ...(['hook_id', 'account_id', 'queue_id', 'event', 'url', 'has_authorization'] as const),
  ...(['queued_at', 'last_attempt_at', 'attempts', 'occasion'] as const),
] as const;

const retire = query((at: Markers<Retire>) =>
  db
    .insertInto('retired_webhooks')
    .columns([...SAME, 'outcome', 'superseded_by', 'last_activity_at', 'keep_until'])
    .expression((eb) =>
      eb
        .selectFrom('server_webhooks')
        .select(SAME)
        .select([
          at.outcome.as('outcome'),
          at.supersededBy.as('superseded_by'),
          at.at.as('last_activity_at'),
          at.keepUntil.as('keep_until'),
        ])
        .where('hook_id', '=', at.hookId),
    ),
);

const lastAttempt = query((at: Markers<{ hookId: HookId }>) =>
  db.selectFrom('server_webhooks').select('last_attempt_at as at').where('hook_id', '=', at.hookId),
);

const forget = query((at: Markers<{ accountId: AccountId; upTo: Instant }>) =>
  db
    .deleteFrom('retired_webhooks')
    .where('account_id', '=', at.accountId)
    .where('keep_until', '<', at.upTo),
);

function apply({ accountId, fact: { event, at } }: ServerFact, write: Sql): void {
  if (event.type === 'WebhookRetired') webhookRetired(write, event, at);
  if (event.type === 'RetiredForgotten') forget.run(write, { accountId, upTo: event.upTo });
}

function webhookRetired(write: Sql, event: WebhookRetired, at: Instant): void {
  const { hookId, outcome, supersededBy = 0, keepUntil } = event;
  if (keepUntil === undefined) return;
  const wasTried = outcome === 'delivered' || outcome === 'failed';
  const activeAt = wasTried ? (lastAttempt.get(write, { hookId })?.at ?? at) : at;
  retire.run(write, { hookId, outcome, supersededBy, at: activeAt, keepUntil });
}
