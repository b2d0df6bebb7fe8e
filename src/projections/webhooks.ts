/**
 * Read model of an account's webhooks: those that wait or are under way, and until when others are
 * remembered.
 *
 * Everything about one is written as the domain has it; columns of their own have what is looked
 * for.
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import {
  changedWebhooks,
  toldOf,
  webhookAfter,
  webhookQueued,
  type Webhook,
} from '#domain/webhook/state';
import { counterOfServerWideId, type HookId, type Instant, type QueueId } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

interface WebhookTables {
  webhooks: {
    hook_id: HookId;
    /** Null for mail that came in, and for what is retired. */
    told_of: QueueId | null;
    in_flight: 0 | 1;
    /** Webhook in JSON. */
    webhook: string;
  };
  webhook_keeps: { hook_id: HookId; keep_until: Instant };
  webhook_number: { id: 1; next: number };
}

const db = tables<WebhookTables>();

export const webhooks: AccountModel = {
  name: 'webhooks',
  version: 2,
  ddl: [
    `CREATE TABLE webhooks (
      hook_id INTEGER PRIMARY KEY,
      told_of INTEGER,
      in_flight INTEGER NOT NULL,
      webhook TEXT NOT NULL
    )`,
    'CREATE INDEX webhooks_told ON webhooks (told_of) WHERE told_of IS NOT NULL',
    'CREATE INDEX webhooks_open ON webhooks (hook_id) WHERE in_flight = 1',
    'CREATE TABLE webhook_keeps (hook_id INTEGER PRIMARY KEY, keep_until INTEGER NOT NULL)',
    'CREATE INDEX webhook_keeps_until ON webhook_keeps (keep_until)',
    'CREATE TABLE webhook_number (id INTEGER PRIMARY KEY, next INTEGER NOT NULL)',
    'INSERT INTO webhook_number (id, next) VALUES (1, 1)',
  ],
  rows: [
    db.selectFrom('webhooks').selectAll().orderBy('hook_id'),
    db.selectFrom('webhook_keeps').selectAll().orderBy('hook_id'),
    db.selectFrom('webhook_number').selectAll(),
  ],
  apply,
};

const put = query((at: Markers<WebhookTables['webhooks']>) =>
  db.replaceInto('webhooks').values({
    hook_id: at.hook_id,
    told_of: at.told_of,
    in_flight: at.in_flight,
    webhook: at.webhook,
  }),
);

type Hook = { hookId: HookId };

const drop = query((at: Markers<Hook>) =>
  db.deleteFrom('webhooks').where('hook_id', '=', at.hookId),
);

const setNumber = query((at: Markers<{ next: number }>) =>
  db.updateTable('webhook_number').set({ next: at.next }),
);

const keep = query((at: Markers<Hook & { keepUntil: Instant }>) =>
  db.insertInto('webhook_keeps').values({ hook_id: at.hookId, keep_until: at.keepUntil }),
);

const forget = query((at: Markers<{ upTo: Instant }>) =>
  db.deleteFrom('webhook_keeps').where('keep_until', '<', at.upTo),
);

function apply({ event, at }: AccountFact, write: Sql): void {
  if (event.type === 'WebhookQueued') {
    putWebhook(write, webhookQueued(event, at));
    setNumber.run(write, { next: counterOfServerWideId(event.hookId) + 1 });
  } else if (event.type === 'MailboxesRenumbered') {
    setNumber.run(write, { next: nextHookNumber(write) + event.modSeqRaise });
  } else if (event.type === 'WebhookRetired' && event.keepUntil !== undefined) {
    keep.run(write, { hookId: event.hookId, keepUntil: event.keepUntil });
  } else if (event.type === 'RetiredForgotten') {
    forget.run(write, { upTo: event.upTo });
  }
  for (const hookId of changedWebhooks(event)) {
    const before = webhookIn(write, hookId);
    if (before === undefined) continue;
    const after = webhookAfter(before, event, at);
    if (after === undefined) drop.run(write, { hookId });
    else putWebhook(write, after);
  }
}

function putWebhook(write: Sql, webhook: Webhook): void {
  put.run(write, {
    hook_id: webhook.hookId,
    told_of: webhook.isRetired ? null : (toldOf(webhook) ?? null),
    in_flight: webhook.inFlight ? 1 : 0,
    webhook: JSON.stringify(webhook),
  });
}

const byId = query((at: Markers<Hook>) =>
  db.selectFrom('webhooks').select('webhook').where('hook_id', '=', at.hookId),
);

const byMessage = query((at: Markers<{ queueId: QueueId }>) =>
  db.selectFrom('webhooks').select('webhook').where('told_of', '=', at.queueId).orderBy('hook_id'),
);

const open = query(() =>
  db
    .selectFrom('webhooks')
    .select('webhook')
    .where('in_flight', '=', raw.lit(1))
    .orderBy('hook_id'),
);

const number = query(() => db.selectFrom('webhook_number').select('next'));

const remembered = query((at: Markers<{ upTo: Instant }>) =>
  db
    .selectFrom('webhook_keeps')
    .select('hook_id')
    .where('keep_until', '<', at.upTo)
    .limit(raw.lit(1)),
);

/** One that waits, or is under way for the last time. */
export function webhookIn(sql: Sql, hookId: HookId): Webhook | undefined {
  const row = byId.get(sql, { hookId });
  return row && webhookOf(row);
}

export function pendingWebhooksOf(sql: Sql, queueId: QueueId): readonly Webhook[] {
  return byMessage.all(sql, { queueId }).map(webhookOf);
}

/** Those whose attempt never ended. */
export function openWebhooks(sql: Sql): readonly Webhook[] {
  return open.all(sql, {}).map(webhookOf);
}

export function nextHookNumber(sql: Sql): number {
  return number.get(sql, {})?.next ?? 1;
}

export function remembersWebhooksUpTo(sql: Sql, upTo: Instant): boolean {
  return remembered.get(sql, { upTo }) !== undefined;
}

function webhookOf({ webhook }: { readonly webhook: string }): Webhook {
  return JSON.parse(webhook) as Webhook;
}
