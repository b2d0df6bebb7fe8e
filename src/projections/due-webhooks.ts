/**
 * What of the webhooks of the server is due, at which URLs, and when something is the next time.
 */

import { sql as raw, type RawBuilder, type SqlBool } from 'kysely';
import type { AccountId, HookId, Instant } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { ServerWebhookTables } from './server-webhooks.ts';

const db = tables<ServerWebhookTables>();

type Url = { url: string };
type Due = { now: Instant; resting: string };

/** `resting` are accounts in JSON. */
const isAwake = (at: Markers<Due>): RawBuilder<SqlBool> =>
  raw<SqlBool>`account_id NOT IN (SELECT value FROM json_each(${at.resting}))`;

const dueUrls = query((at: Markers<Due & { busy: string; limit: number }>) =>
  db
    .selectFrom('webhook_urls as waiting')
    .select('url')
    .where('next_at', '<=', at.now)
    .where(raw<SqlBool>`url NOT IN (SELECT value FROM json_each(${at.busy}))`)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('server_webhooks')
          .select('hook_id')
          .where('in_flight', '=', raw.lit(0))
          .whereRef('server_webhooks.url', '=', 'waiting.url')
          .where('next_attempt_at', '<=', at.now)
          .where(isAwake(at)),
      ),
    )
    .orderBy('next_at')
    .orderBy('url')
    .limit(at.limit),
);

const dueAt = query((at: Markers<Due & Url>) =>
  db
    .selectFrom('server_webhooks')
    .select(['hook_id as hookId', 'account_id as accountId', 'url', 'attempts'])
    .where('in_flight', '=', raw.lit(0))
    .where('url', '=', at.url)
    .where(isAwake(at))
    .orderBy('next_attempt_at')
    .orderBy('hook_id')
    .limit(raw.lit(1)),
);

const earliest = query((at: Markers<{ after: Instant }>) =>
  db
    .selectFrom('webhook_urls')
    .select('next_at as dueAt')
    .where('next_at', '>', at.after)
    .orderBy('next_at')
    .limit(raw.lit(1)),
);

const accountsOpen = query(() =>
  db
    .selectFrom('webhook_attempts')
    .select('account_id as accountId')
    .distinct()
    .orderBy('account_id'),
);

export interface DueWebhook {
  readonly accountId: AccountId;
  readonly hookId: HookId;
  readonly url: string;
  /** Attempts begun so far. */
  readonly attempts: number;
}

const NOBODY: ReadonlySet<AccountId> = new Set();

/**
 * The one that is due for the longest time at each URL but the busy ones; the first of these.
 * Nothing of accounts that rest.
 */
export function dueWebhooks(
  sql: Sql,
  now: Instant,
  busyUrls: ReadonlySet<string>,
  limit: number,
  restingAccounts: ReadonlySet<AccountId> = NOBODY,
): readonly DueWebhook[] {
  const resting = JSON.stringify([...restingAccounts]);
  const busy = JSON.stringify([...busyUrls]);
  return dueUrls.all(sql, { now, resting, busy, limit }).map(({ url }) => {
    const first = dueAt.get(sql, { now, resting, url });
    if (first === undefined) throw new Error(`nothing waits for ${url}`);
    return first;
  });
}

/** When the next URL that is not due at `after` is. */
export function nextWebhookDueAfter(sql: Sql, after: Instant): Instant | undefined {
  return earliest.get(sql, { after })?.dueAt;
}

/** Accounts with attempts that have begun and not ended. */
export function accountsInWebhookAttempt(sql: Sql): readonly AccountId[] {
  return accountsOpen.all(sql, {}).map(({ accountId }) => accountId);
}
