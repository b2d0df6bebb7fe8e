/** Webhooks that ended, and what became of their requests. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUSY, hookEnded, hookId, hookQueued, hookStarted, TAKEN } from '../../support/hooks.ts';
import { emptyServerViews, type PostedServerViews } from '../../support/server-views.ts';
import type { RetiredHookOutcome, WebhookRetired } from '#domain/webhook/events';
import type { HookId } from '#domain/values/ids';
import { accountsToForget } from '#projections/retired';
import { dueWebhooks } from '#projections/due-webhooks';
import { listedRetiredWebhooks, type RetiredWebhook } from '#projections/webhook-lists';
import { webhookResultsOf } from '#projections/webhook-results';

const HOUR = 3_600_000;

function retired(
  n: number,
  outcome: RetiredHookOutcome,
  changes: Partial<WebhookRetired> = { keepUntil: 5000 },
): WebhookRetired {
  return { type: 'WebhookRetired', hookId: hookId(n), outcome, ...changes };
}

function listed({ db }: PostedServerViews): readonly RetiredWebhook[] {
  return listedRetiredWebhooks(db, {}, { sort: 'queued', ascending: true, limit: 10 });
}

function errorsOf({ db }: PostedServerViews, id: HookId): readonly string[] {
  return webhookResultsOf(db, id).map(({ error }) => error);
}

describe('a webhook that ended', () => {
  it('is shown with its results, active when its last attempt began (webapi 36)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1), hookStarted(1, 1, 60));
    views.happen(20, hookEnded(1, 1));
    views.happen(60, hookStarted(1, 2, 180));
    views.happen(70, hookEnded(1, 2, TAKEN), retired(1, 'delivered'));
    const [hook, ...others] = listed(views);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(hook, {
      hookId: hookId(1),
      hasAuthorization: true,
      occasion: hookQueued(1).occasion,
      outcome: 'delivered',
      supersededBy: 0,
      attempts: 2,
      lastAttemptAt: 60,
      lastActivityAt: 60,
      keepUntil: 5000,
    });
    assert.partialDeepStrictEqual(webhookResultsOf(views.db, hookId(1)), [
      { kind: 'attempt', startAt: 10, success: false, ...BUSY },
      { kind: 'attempt', startAt: 60, success: true, ...TAKEN },
    ]);
    assert.deepEqual(dueWebhooks(views.db, 1000, new Set(), 10), []);
  });

  it('is shown with who canceled it, active by then (queue 30)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1));
    views.happen(30, retired(1, 'canceled'));
    assert.partialDeepStrictEqual(listed(views)[0], { outcome: 'canceled', lastActivityAt: 30 });
    const result = { kind: 'canceled', success: false, code: 0, error: 'canceled by admin' };
    assert.partialDeepStrictEqual(webhookResultsOf(views.db, hookId(1)), [
      { ...result, actor: 'test', startAt: 30 },
    ]);
  });

  it('by something newer says by what, and still hears its answer (webapi 38)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1), hookStarted(1, 1, 60), hookQueued(3), hookStarted(3, 1, 60));
    const supersededBy = hookId(2);
    views.happen(
      20,
      hookQueued(2),
      retired(1, 'superseded', { supersededBy, keepUntil: 5000 }),
      retired(3, 'superseded', { supersededBy, keepUntil: 5000 }),
    );
    const first = { hookId: hookId(1), outcome: 'superseded', supersededBy, lastActivityAt: 20 };
    assert.partialDeepStrictEqual(listed(views)[0], first);
    assert.equal(webhookResultsOf(views.db, hookId(1))[0]?.durationMs, null);
    views.happen(30, hookEnded(1, 1), hookEnded(3, 1, TAKEN));
    assert.deepEqual(errorsOf(views, hookId(1)), ['busy (superseded)']);
    assert.deepEqual(errorsOf(views, hookId(3)), ['(superseded)']);
    assert.partialDeepStrictEqual(listed(views)[0], first);
  });

  it('is not there where nothing is kept, whatever comes afterwards (queue 5)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1), hookStarted(1, 1, 60), hookQueued(2));
    views.happen(20, retired(1, 'superseded', { supersededBy: hookId(2) }));
    views.happen(30, hookEnded(1, 1));
    assert.deepEqual(listed(views), []);
    assert.deepEqual(webhookResultsOf(views.db, hookId(1)), []);
  });
});

describe('an interrupted request', () => {
  it('is a result of its own kind (queue 6)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1), hookStarted(1, 1, 60));
    views.happen(20, { type: 'WebhookAttemptInterrupted', hookId: hookId(1), attempt: 1 });
    assert.partialDeepStrictEqual(webhookResultsOf(views.db, hookId(1)), [
      { kind: 'interrupted', success: false, durationMs: 0, error: 'interrupted by shutdown' },
    ]);
    assert.equal(dueWebhooks(views.db, 59, new Set(), 10).length, 0);
    assert.equal(dueWebhooks(views.db, 60, new Set(), 10).length, 1);
  });
});

describe('forgetting webhooks', () => {
  it('takes what was kept until before then, with its results (queue 36)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1), hookStarted(1, 1, 60), hookQueued(2), hookStarted(2, 1, 60));
    views.happen(20, hookEnded(1, 1, TAKEN), retired(1, 'delivered', { keepUntil: 500 }));
    views.happen(20, hookEnded(2, 1, TAKEN), retired(2, 'delivered', { keepUntil: 501 }));
    views.happen(501, { type: 'RetiredForgotten', upTo: 501 });
    assert.deepEqual(
      listed(views).map((hook) => hook.hookId),
      [hookId(2)],
    );
    assert.deepEqual(webhookResultsOf(views.db, hookId(1)), []);
    assert.equal(webhookResultsOf(views.db, hookId(2)).length, 1);
  });

  it('is due at the end of the hour in which one is over (queue 36)', () => {
    using views = emptyServerViews();
    views.happen(10, hookQueued(1), retired(1, 'delivered', { keepUntil: HOUR + 1 }));
    assert.deepEqual(accountsToForget(views.db, 2 * HOUR - 1), []);
    assert.deepEqual(accountsToForget(views.db, 2 * HOUR), [7]);
    views.happen(2 * HOUR, { type: 'RetiredForgotten', upTo: 2 * HOUR });
    assert.deepEqual(accountsToForget(views.db, 9 * HOUR), []);
  });
});
