/**
 * Webhooks, whatever happens in whatever order: each is tried by one attempt at a time and ends
 * once, the newest about a message is the one that waits, and the server's books say the same.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryQueueHistory } from '../support/arbitrary.ts';
import { emptyServerViews } from '../support/server-views.ts';
import { mayBeForged, toldOf } from '#domain/webhook/state';
import type { HookId, Instant, QueueId } from '#domain/values/ids';
import {
  accountsInWebhookAttempt,
  dueWebhooks,
  nextWebhookDueAfter,
} from '#projections/due-webhooks';
import {
  listedRetiredWebhooks,
  listedWebhooks,
  webhookCount,
  webhookIds,
} from '#projections/webhook-lists';
import { webhookResultsOf } from '#projections/webhook-results';

const RUNS = { numRuns: 80, seed: 20_261_106 };
const END = 2_000_000_000_000;
const ALL = { sort: 'queued', ascending: true, limit: 1000 } as const;
const NONE: ReadonlySet<string> = new Set();

describe('whatever happens to webhooks', () => {
  it('each ends once at the most, and is tried by one attempt after the other', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(80), ({ facts }) => {
        const open = new Map<HookId, number>();
        const tried = new Map<HookId, number>();
        const ended = new Set<HookId>();
        for (const { event } of facts) {
          if (event.type === 'WebhookAttemptStarted') {
            const { hookId, attempt } = event;
            assert.ok(!open.has(hookId) && !ended.has(hookId));
            assert.equal(attempt, (tried.get(hookId) ?? 0) + 1);
            open.set(hookId, attempt);
            tried.set(hookId, attempt);
          } else if (
            event.type === 'WebhookAttemptEnded' ||
            event.type === 'WebhookAttemptInterrupted'
          ) {
            assert.equal(open.get(event.hookId), event.attempt);
            open.delete(event.hookId);
          } else if (event.type === 'WebhookRetired') {
            assert.ok(!ended.has(event.hookId));
            ended.add(event.hookId);
          }
        }
      }),
      RUNS,
    );
  });

  it('of one message the newest of what we know waits, and the newest of the rest', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(80), ({ state, facts }) => {
        const known = new Map<QueueId, HookId>();
        const newest = new Map<QueueId, HookId>();
        for (const { event } of facts) {
          const queueId = event.type === 'WebhookQueued' ? toldOf(event) : undefined;
          if (event.type !== 'WebhookQueued' || queueId === undefined) continue;
          newest.set(queueId, event.hookId);
          if (!mayBeForged(event)) known.set(queueId, event.hookId);
        }
        const waiting = [...state.webhookRecords.hooks.values()].filter((hook) => !hook.isRetired);
        for (const hook of waiting) {
          const queueId = toldOf(hook);
          if (queueId === undefined) continue;
          const expected = mayBeForged(hook) ? newest : known;
          assert.equal(expected.get(queueId), hook.hookId);
        }
      }),
      RUNS,
    );
  });
});

describe('the books of the server', () => {
  it('have the webhooks that wait, as far as they have come', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), ({ state, facts }) => {
        using views = emptyServerViews();
        views.post(7, facts);
        const all = [...state.webhookRecords.hooks.values()];
        const waiting = all.filter(({ isRetired }) => !isRetired);
        const rows = listedWebhooks(views.db, {}, ALL);
        assert.equal(rows.length, waiting.length);
        assert.equal(webhookCount(views.db), waiting.length);
        for (const [i, { authorization, isRetired: _, ...webhook }] of waiting.entries()) {
          assert.partialDeepStrictEqual(rows[i], {
            ...webhook,
            accountId: 7,
            hasAuthorization: authorization !== undefined,
          });
          const results = webhookResultsOf(views.db, webhook.hookId);
          assert.equal(results.length, webhook.attempts);
          const isOpen = results.at(-1)?.durationMs === null;
          assert.equal(isOpen, webhook.inFlight);
        }
        assert.deepEqual(
          webhookIds(views.db, {}, 0, 1000).map(({ hookId }) => hookId),
          waiting.map(({ hookId }) => hookId).toSorted((a, b) => a - b),
        );
        const isTrying = all.some(({ inFlight }) => inFlight);
        assert.deepEqual(accountsInWebhookAttempt(views.db), isTrying ? [7] : []);
      }),
      RUNS,
    );
  });

  it('say which is due at each URL, and when the next one is', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), fc.nat({ max: 60 }), ({ state, facts }, minutes) => {
        using views = emptyServerViews();
        views.post(7, facts);
        const now = 1_000_000_000 + minutes * 60_000;
        const firsts = new Map<string, { hookId: HookId; nextAttemptAt: Instant }>();
        for (const hook of state.webhookRecords.hooks.values()) {
          if (hook.inFlight || hook.isRetired) continue;
          const first = firsts.get(hook.url);
          const isSooner =
            first === undefined ||
            hook.nextAttemptAt < first.nextAttemptAt ||
            (hook.nextAttemptAt === first.nextAttemptAt && hook.hookId < first.hookId);
          if (isSooner) firsts.set(hook.url, hook);
        }
        const times = [...firsts.values()].map(({ nextAttemptAt }) => nextAttemptAt);
        const due = [...firsts].filter(([, { nextAttemptAt }]) => nextAttemptAt <= now);
        const expected = new Map(due.map(([url, { hookId }]) => [url, hookId]));
        const found = dueWebhooks(views.db, now, NONE, 10);
        assert.equal(found.length, due.length);
        assert.deepEqual(new Map(found.map(({ url, hookId }) => [url, hookId])), expected);
        const busy = new Set(due.slice(0, 1).map(([url]) => url));
        assert.equal(dueWebhooks(views.db, now, busy, 10).length, due.length - busy.size);
        const later = times.filter((at) => at > now);
        const next = later.length === 0 ? undefined : Math.min(...later);
        assert.equal(nextWebhookDueAfter(views.db, now), next);
      }),
      RUNS,
    );
  });

  it('show those that ended and are still to be shown, with their results', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), ({ state, facts }) => {
        using views = emptyServerViews();
        views.post(7, facts);
        const rows = listedRetiredWebhooks(views.db, {}, ALL);
        const { keepUntil, hooks } = state.webhookRecords;
        assert.deepEqual(
          new Map(rows.map((row) => [row.hookId, row.keepUntil])),
          new Map([...keepUntil].toSorted(([a], [b]) => a - b)),
        );
        for (const { hookId, attempts, outcome } of rows) {
          const results = webhookResultsOf(views.db, hookId);
          assert.equal(results.length, attempts + (outcome === 'canceled' ? 1 : 0));
          const open = results.filter(({ durationMs }) => durationMs === null);
          assert.equal(open.length, hooks.get(hookId)?.inFlight === true ? 1 : 0);
        }
      }),
      RUNS,
    );
  });

  it('come to nothing when everything is over and forgotten', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(40), ({ facts }) => {
        using views = emptyServerViews();
        views.post(7, facts);
        views.post(7, [
          {
            revision: facts.length,
            modSeq: facts.length + 1,
            at: END,
            cause: { actor: 'test' },
            event: { type: 'RetiredForgotten', upTo: END },
          },
        ]);
        assert.deepEqual(listedRetiredWebhooks(views.db, {}, ALL), []);
      }),
      { ...RUNS, numRuns: 20 },
    );
  });
});
