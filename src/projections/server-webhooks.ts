/**
 * Read model of the server: the webhooks of all accounts that wait, and which URL is to be called
 * when (asked by `due-webhooks.ts`).
 *
 * A URL is called by one request at a time: when its next one is due stands in a table of its own,
 * so that a URL with a lot to hear costs no more than one with a little.
 */

import { sql as raw } from 'kysely';
import type { AccountEvent } from '#domain/log/streams';
import type { OutgoingEvent, WebhookQueued } from '#domain/webhook/events';
import { changedWebhooks } from '#domain/webhook/state';
import type { AccountId, HookId, Instant, QueueId, SecretRef } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

/** What a webhook tells, as filters name it. */
export type ToldEvent = OutgoingEvent | 'incoming';

export interface ServerWebhookTables {
  server_webhooks: {
    hook_id: HookId;
    account_id: AccountId;
    /** Null for mail that came in. */
    queue_id: QueueId | null;
    event: ToldEvent;
    url: string;
    has_authorization: 0 | 1;
    /** Null for none. */
    authorization: SecretRef | null;
    queued_at: Instant;
    next_attempt_at: Instant;
    last_attempt_at: Instant | null;
    attempts: number;
    in_flight: 0 | 1;
    /** HookOccasion in JSON. */
    occasion: string;
  };
  /** Where something waits that is not under way, and when the first is due. */
  webhook_urls: { url: string; next_at: Instant };
  /** Attempts that have begun and not ended, also of webhooks that wait no more. */
  webhook_attempts: { hook_id: HookId; account_id: AccountId };
}

const db = tables<ServerWebhookTables>();

export const serverWebhooks: ServerModel = {
  name: 'server-webhooks',
  version: 1,
  ddl: [
    `CREATE TABLE server_webhooks (
      hook_id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL,
      queue_id INTEGER,
      event TEXT NOT NULL,
      url TEXT NOT NULL,
      has_authorization INTEGER NOT NULL,
      authorization TEXT,
      queued_at INTEGER NOT NULL,
      next_attempt_at INTEGER NOT NULL,
      last_attempt_at INTEGER,
      attempts INTEGER NOT NULL,
      in_flight INTEGER NOT NULL,
      occasion TEXT NOT NULL
    )`,
    `CREATE INDEX server_webhooks_waiting ON server_webhooks (url, next_attempt_at, hook_id)
      WHERE in_flight = 0`,
    'CREATE INDEX server_webhooks_due ON server_webhooks (next_attempt_at, hook_id)',
    'CREATE INDEX server_webhooks_queued ON server_webhooks (queued_at, hook_id)',
    `CREATE INDEX server_webhooks_account_due
      ON server_webhooks (account_id, next_attempt_at, hook_id)`,
    `CREATE INDEX server_webhooks_account_queued
      ON server_webhooks (account_id, queued_at, hook_id)`,
    'CREATE TABLE webhook_urls (url TEXT PRIMARY KEY, next_at INTEGER NOT NULL) WITHOUT ROWID',
    'CREATE INDEX webhook_urls_next ON webhook_urls (next_at, url)',
    'CREATE TABLE webhook_attempts (hook_id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL)',
  ],
  rows: [
    db.selectFrom('server_webhooks').selectAll().orderBy('hook_id'),
    db.selectFrom('webhook_urls').selectAll().orderBy('url'),
    db.selectFrom('webhook_attempts').selectAll().orderBy('hook_id'),
  ],
  apply,
};

type Hook = { hookId: HookId };
type Url = { url: string };

const add = query((at: Markers<ServerWebhookTables['server_webhooks']>) =>
  db.insertInto('server_webhooks').values({
    hook_id: at.hook_id,
    account_id: at.account_id,
    queue_id: at.queue_id,
    event: at.event,
    url: at.url,
    has_authorization: at.has_authorization,
    authorization: at.authorization,
    queued_at: at.queued_at,
    next_attempt_at: at.next_attempt_at,
    last_attempt_at: at.last_attempt_at,
    attempts: at.attempts,
    in_flight: at.in_flight,
    occasion: at.occasion,
  }),
);

const urlOf = query((at: Markers<Hook>) =>
  db.selectFrom('server_webhooks').select('url').where('hook_id', '=', at.hookId),
);

type Start = Hook & { attempt: number; at: Instant; nextAttemptAt: Instant };

const startAttempt = query((at: Markers<Start>) =>
  db
    .updateTable('server_webhooks')
    .set({
      attempts: at.attempt,
      last_attempt_at: at.at,
      next_attempt_at: at.nextAttemptAt,
      in_flight: 1,
    })
    .where('hook_id', '=', at.hookId),
);

const endAttempt = query((at: Markers<Hook>) =>
  db.updateTable('server_webhooks').set({ in_flight: 0 }).where('hook_id', '=', at.hookId),
);

const setTime = query((at: Markers<Hook & { nextAttemptAt: Instant }>) =>
  db
    .updateTable('server_webhooks')
    .set({ next_attempt_at: at.nextAttemptAt })
    .where('hook_id', '=', at.hookId),
);

const drop = query((at: Markers<Hook>) =>
  db.deleteFrom('server_webhooks').where('hook_id', '=', at.hookId),
);

const openAttempt = query((at: Markers<Hook & { accountId: AccountId }>) =>
  db.insertInto('webhook_attempts').values({ hook_id: at.hookId, account_id: at.accountId }),
);

const closeAttempt = query((at: Markers<Hook>) =>
  db.deleteFrom('webhook_attempts').where('hook_id', '=', at.hookId),
);

const firstOf = query((at: Markers<Url>) =>
  db
    .selectFrom('server_webhooks')
    .select('next_attempt_at as nextAt')
    .where('in_flight', '=', raw.lit(0))
    .where('url', '=', at.url)
    .orderBy('next_attempt_at')
    .orderBy('hook_id')
    .limit(raw.lit(1)),
);

const putUrl = query((at: Markers<Url & { nextAt: Instant }>) =>
  db.replaceInto('webhook_urls').values({ url: at.url, next_at: at.nextAt }),
);

const dropUrl = query((at: Markers<Url>) =>
  db.deleteFrom('webhook_urls').where('url', '=', at.url),
);

/** False for facts that leave the webhooks as they are. */
export function touchesWebhooks({ fact: { event } }: ServerFact): boolean {
  return event.type === 'WebhookQueued' || changedWebhooks(event).length > 0;
}

function apply({ accountId, fact: { event, at } }: ServerFact, write: Sql): void {
  const touched = new Set<string>();
  if (event.type === 'WebhookQueued') {
    webhookQueued(write, accountId, event, at);
    touched.add(event.url);
  }
  for (const hookId of changedWebhooks(event)) {
    const row = urlOf.get(write, { hookId });
    if (row !== undefined) touched.add(row.url);
    change(write, accountId, hookId, event, at);
  }
  for (const url of touched) {
    const first = firstOf.get(write, { url });
    if (first === undefined) dropUrl.run(write, { url });
    else putUrl.run(write, { url, nextAt: first.nextAt });
  }
}

function webhookQueued(
  write: Sql,
  accountId: AccountId,
  { hookId, url, authorization, occasion }: WebhookQueued,
  at: Instant,
): void {
  add.run(write, {
    hook_id: hookId,
    account_id: accountId,
    queue_id: occasion.type === 'outgoing' ? occasion.queueId : null,
    event: occasion.type === 'outgoing' ? occasion.event : 'incoming',
    url,
    has_authorization: authorization === undefined ? 0 : 1,
    authorization: authorization ?? null,
    queued_at: at,
    next_attempt_at: at,
    last_attempt_at: null,
    attempts: 0,
    in_flight: 0,
    occasion: JSON.stringify(occasion),
  });
}

function change(
  write: Sql,
  accountId: AccountId,
  hookId: HookId,
  event: AccountEvent,
  at: Instant,
): void {
  switch (event.type) {
    case 'WebhookAttemptStarted': {
      const { attempt, nextAttemptAt } = event;
      startAttempt.run(write, { hookId, attempt, at, nextAttemptAt });
      openAttempt.run(write, { hookId, accountId });
      return;
    }
    case 'WebhookAttemptEnded':
    case 'WebhookAttemptInterrupted':
      endAttempt.run(write, { hookId });
      closeAttempt.run(write, { hookId });
      return;
    case 'WebhooksRescheduled': {
      const moved = event.hooks.find((hook) => hook.hookId === hookId);
      if (moved !== undefined) setTime.run(write, moved);
      return;
    }
    case 'WebhookRetired':
      drop.run(write, { hookId });
      return;
    default:
      return;
  }
}

const authorizations = query(() =>
  db
    .selectFrom('server_webhooks')
    .select((eb) => eb.ref('authorization').$notNull().as('authorization'))
    .where('authorization', 'is not', null)
    .distinct(),
);

/** The Authorizations that webhooks wait with. */
export function authorizationsInUse(sql: Sql): ReadonlySet<SecretRef> {
  return new Set(authorizations.all(sql, {}).map(({ authorization }) => authorization));
}
