/**
 * Read model of the server: what became of each request of a webhook, and that somebody canceled
 * it; kept while the webhook waits or is shown among those that ended.
 */

import type { WebhookAttemptEnded, WebhookRetired } from '#domain/webhook/events';
import type { AccountId, HookId, Instant, Revision } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { RetiredWebhookTables } from './retired-webhooks.ts';

type HookResultKind = 'attempt' | 'interrupted' | 'canceled';

interface WebhookResultTables {
  webhook_results: {
    hook_id: HookId;
    /** Of the fact that began it. */
    revision: Revision;
    kind: HookResultKind;
    start_at: Instant;
    /** Null while the request is under way. */
    duration_ms: number | null;
    success: 0 | 1;
    code: number;
    error: string;
    response: string;
    /** Who canceled it; else ''. */
    actor: string;
  };
}

const db = tables<WebhookResultTables & RetiredWebhookTables>();

/** Before `retiredWebhooks`: it looks up what is about to be forgotten. */
export const webhookResults: ServerModel = {
  name: 'webhook-results',
  version: 1,
  ddl: [
    `CREATE TABLE webhook_results (
      hook_id INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      kind TEXT NOT NULL,
      start_at INTEGER NOT NULL,
      duration_ms INTEGER,
      success INTEGER NOT NULL,
      code INTEGER NOT NULL,
      error TEXT NOT NULL,
      response TEXT NOT NULL,
      actor TEXT NOT NULL,
      PRIMARY KEY (hook_id, revision)
    ) WITHOUT ROWID`,
  ],
  rows: [db.selectFrom('webhook_results').selectAll().orderBy('hook_id').orderBy('revision')],
  apply,
};

type Row = WebhookResultTables['webhook_results'];
type Hook = { hookId: HookId };

const add = query((at: Markers<Row>) =>
  db.insertInto('webhook_results').values({
    hook_id: at.hook_id,
    revision: at.revision,
    kind: at.kind,
    start_at: at.start_at,
    duration_ms: at.duration_ms,
    success: at.success,
    code: at.code,
    error: at.error,
    response: at.response,
    actor: at.actor,
  }),
);

type End = Hook &
  Pick<Row, 'kind' | 'success' | 'code' | 'error' | 'response'> & {
    durationMs: number;
  };

const endAttempt = query((at: Markers<End>) =>
  db
    .updateTable('webhook_results')
    .set({
      kind: at.kind,
      duration_ms: at.durationMs,
      success: at.success,
      code: at.code,
      error: at.error,
      response: at.response,
    })
    .where('hook_id', '=', at.hookId)
    .where('duration_ms', 'is', null),
);

const dropAll = query((at: Markers<Hook>) =>
  db.deleteFrom('webhook_results').where('hook_id', '=', at.hookId),
);

const dropForgotten = query((at: Markers<{ accountId: AccountId; upTo: Instant }>) =>
  db
    .deleteFrom('webhook_results')
    .where('hook_id', 'in', (eb) =>
      eb
        .selectFrom('retired_webhooks')
        .select('hook_id')
        .where('account_id', '=', at.accountId)
        .where('keep_until', '<', at.upTo),
    ),
);

const outcomeOf = query((at: Markers<Hook>) =>
  db.selectFrom('retired_webhooks').select('outcome').where('hook_id', '=', at.hookId),
);

const NO_RESULT = {
  kind: 'attempt',
  duration_ms: null,
  success: 0,
  code: 0,
  error: '',
  response: '',
  actor: '',
} as const;

function apply({ accountId, fact }: ServerFact, write: Sql): void {
  const { event, at, revision } = fact;
  switch (event.type) {
    case 'WebhookAttemptStarted':
      add.run(write, { ...NO_RESULT, hook_id: event.hookId, revision, start_at: at });
      return;
    case 'WebhookAttemptEnded':
      return attemptEnded(write, event);
    case 'WebhookAttemptInterrupted': {
      const end = { ...NO_RESULT, kind: 'interrupted', error: 'interrupted by shutdown' } as const;
      endAttempt.run(write, { ...end, hookId: event.hookId, durationMs: 0 });
      return;
    }
    case 'WebhookRetired':
      return webhookRetired(write, event, fact);
    case 'RetiredForgotten':
      dropForgotten.run(write, { accountId, upTo: event.upTo });
      return;
    default:
      return;
  }
}

function attemptEnded(write: Sql, event: WebhookAttemptEnded): void {
  const { hookId, code, error, response, durationMs } = event;
  const outcome = outcomeOf.get(write, { hookId })?.outcome;
  // What was ended meanwhile stays so, whatever the answer is.
  const texts = [error, outcome === undefined ? '' : `(${outcome})`].filter((text) => text !== '');
  const success = event.success ? 1 : 0;
  const end = { kind: 'attempt', success, code, response, durationMs } as const;
  endAttempt.run(write, { ...end, hookId, error: texts.join(' ') });
}

function webhookRetired(
  write: Sql,
  { hookId, outcome, keepUntil }: WebhookRetired,
  { at, revision, cause }: ServerFact['fact'],
): void {
  if (keepUntil === undefined) {
    dropAll.run(write, { hookId });
    return;
  }
  if (outcome !== 'canceled') return;
  add.run(write, {
    ...NO_RESULT,
    hook_id: hookId,
    revision,
    kind: 'canceled',
    start_at: at,
    duration_ms: 0,
    error: 'canceled by admin',
    actor: cause.actor,
  });
}

/** What became of one request, or that there will be none. */
export interface HookResult {
  readonly kind: HookResultKind;
  readonly startAt: Instant;
  /** Null while the request is under way. */
  readonly durationMs: number | null;
  readonly success: boolean;
  /** HTTP status; 0 when there was no answer. */
  readonly code: number;
  readonly error: string;
  readonly response: string;
  /** Who canceled it; else ''. */
  readonly actor: string;
}

const resultsBy = query((at: Markers<Hook>) =>
  db
    .selectFrom('webhook_results')
    .select(['kind', 'start_at as startAt', 'duration_ms as durationMs', 'success', 'code'])
    .select(['error', 'response', 'actor'])
    .where('hook_id', '=', at.hookId)
    .orderBy('revision'),
);

/** In the order in which they began. */
export function webhookResultsOf(sql: Sql, hookId: HookId): readonly HookResult[] {
  return resultsBy
    .all(sql, { hookId })
    .map(({ success, ...result }) => ({ ...result, success: success === 1 }));
}
