/** Lists of webhooks: filters and pages. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARRIVAL, INBOX_ID, stored } from '../../support/given.ts';
import { hookEnded, hookId, hookQueued, hookStarted, URL_IN } from '../../support/hooks.ts';
import { FIRST } from '../../support/queued.ts';
import { emptyServerViews, type PostedServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { ListPage, WaitingSort } from '#projections/list-pages';
import {
  listedRetiredWebhooks,
  listedWebhooks,
  webhookCount,
  webhookIds,
  type RetiredWebhookFilter,
  type WebhookFilter,
} from '#projections/webhook-lists';

const BASE = hookId(0);

function incoming(n: number): AccountEvent {
  const { body, prefix, sizeBytes, receivedAt } = stored();
  const where = { messageId: n, mailboxId: INBOX_ID, mailbox: 'Inbox', arrival: ARRIVAL };
  const occasion = { type: 'incoming', ...where, receivedAt, body, prefix, sizeBytes } as const;
  return { type: 'WebhookQueued', hookId: hookId(n), url: URL_IN, occasion };
}

/** Three that wait, due at 1000, 3000 and 30. */
function threeHooks(): PostedServerViews {
  const views = emptyServerViews();
  views.happen(10, hookQueued(1), hookStarted(1, 1, 1000), hookEnded(1, 1));
  views.happen(20, hookQueued(2, { event: 'failed', queueId: FIRST + 1 }));
  views.happen(25, hookStarted(2, 1, 3000));
  views.happen(30, incoming(3));
  return views;
}

const PAGE: ListPage<WaitingSort> = { sort: 'nextAttempt', ascending: true, limit: 100 };

describe('the list of webhooks that wait', () => {
  const found = (filter: WebhookFilter, page = PAGE): readonly number[] => {
    using views = threeHooks();
    return listedWebhooks(views.db, filter, page).map((hook) => hook.hookId - BASE);
  };

  it('is sorted by the next attempt, or by the time of queueing, either way (queue 30)', () => {
    assert.deepEqual(found({}), [3, 1, 2]);
    assert.deepEqual(found({}, { ...PAGE, ascending: false }), [2, 1, 3]);
    assert.deepEqual(found({}, { ...PAGE, sort: 'queued' }), [1, 2, 3]);
    assert.deepEqual(found({}, { ...PAGE, limit: 2 }), [3, 1]);
  });

  it('keeps those that meet all conditions (queue 30)', () => {
    assert.deepEqual(found({ event: 'incoming' }), [3]);
    assert.deepEqual(found({ event: 'delayed' }), [1]);
    assert.deepEqual(found({ event: 'canceled' }), []);
    assert.deepEqual(found({ queued: { after: 10 } }), [3, 2]);
    assert.deepEqual(found({ nextAttempt: { before: 1000 } }), [3]);
    assert.deepEqual(found({ hookIds: [BASE + 2, BASE + 1, BASE + 9] }), [1, 2]);
    assert.deepEqual(found({ hookIds: [] }), []);
    assert.deepEqual(found({ accountId: 7, event: 'failed' }), [2]);
    assert.deepEqual(found({ accountId: 8 }), []);
  });

  it('has all about one', () => {
    using views = threeHooks();
    const [hook] = listedWebhooks(views.db, { hookIds: [BASE + 2] }, PAGE);
    const { url, occasion } = hookQueued(2, { event: 'failed', queueId: FIRST + 1 });
    assert.partialDeepStrictEqual(hook, {
      hookId: BASE + 2,
      accountId: 7,
      url,
      hasAuthorization: true,
      occasion,
      queuedAt: 20,
      lastAttemptAt: 25,
      nextAttemptAt: 3000,
      attempts: 1,
      inFlight: true,
    });
    assert.equal(webhookCount(views.db), 3);
  });

  it('for changes goes by id', () => {
    using views = threeHooks();
    const ids = (filter: WebhookFilter, behind: number, limit: number): readonly number[] =>
      webhookIds(views.db, filter, behind, limit).map((hook) => hook.hookId - BASE);
    assert.deepEqual(ids({}, 0, 2), [1, 2]);
    assert.deepEqual(ids({ accountId: 7 }, 0, 2), [1, 2]);
    assert.deepEqual(ids({ accountId: 7 }, BASE + 2, 2), [3]);
    assert.deepEqual(ids({ accountId: 6 }, 0, 2), []);
    assert.deepEqual(ids({ accountId: 8 }, 0, 2), []);
    assert.deepEqual(ids({}, BASE + 1, 9), [2, 3]);
    assert.deepEqual(ids({ event: 'incoming' }, 0, 9), [3]);
  });
});

describe('the list of webhooks that ended', () => {
  const found = (
    filter: RetiredWebhookFilter,
    sort: 'lastActivity' | 'queued',
  ): readonly number[] => {
    using views = threeHooks();
    const keepUntil = 10_000;
    views.happen(
      40,
      { type: 'WebhookRetired', hookId: hookId(1), outcome: 'canceled', keepUntil },
      hookEnded(2, 1),
      { type: 'WebhookRetired', hookId: hookId(2), outcome: 'failed', keepUntil },
      { type: 'WebhookRetired', hookId: hookId(3), outcome: 'canceled' },
    );
    const page = { sort, ascending: true, limit: 100 };
    return listedRetiredWebhooks(views.db, filter, page).map((hook) => hook.hookId - BASE);
  };

  it('is sorted by the last activity, or by the time of queueing', () => {
    assert.deepEqual(found({}, 'lastActivity'), [2, 1]);
    assert.deepEqual(found({}, 'queued'), [1, 2]);
  });

  it('keeps those that meet all conditions', () => {
    assert.deepEqual(found({ event: 'failed' }, 'queued'), [2]);
    assert.deepEqual(found({ lastActivity: { after: 25 } }, 'queued'), [1]);
    assert.deepEqual(found({ lastActivity: { before: 40 }, accountId: 7 }, 'queued'), [2]);
    assert.deepEqual(found({ hookIds: [BASE + 3] }, 'queued'), []);
  });
});

describe('pages of webhooks', () => {
  it('have each once, both ways, also where times are the same (queue 28)', () => {
    using views = emptyServerViews();
    const all = Array.from({ length: 25 }, (_, i) => i + 1);
    views.happen(1, ...all.map((n) => hookQueued(n, { queueId: n })));
    for (const ascending of [true, false]) {
      const met: number[] = [];
      let behind: ListPage<WaitingSort>['behind'];
      for (;;) {
        const page = { ...PAGE, limit: 10, ascending, ...(behind === undefined ? {} : { behind }) };
        const hooks = listedWebhooks(views.db, {}, page);
        const last = hooks.at(-1);
        if (last === undefined) break;
        met.push(...hooks.map((hook) => hook.hookId - BASE));
        behind = { value: last.nextAttemptAt, id: last.hookId };
      }
      assert.deepEqual(met, ascending ? all : all.toReversed());
    }
  });

  it('are read from an index, also for one account (queue 39)', () => {
    using views = threeHooks();
    const behind = { value: 1000, id: BASE + 1 };
    const texts: string[] = [];
    const spy = {
      statement: (text: string) => views.db.statement(text),
      passing(text: string) {
        texts.push(text);
        return views.db.passing(text);
      },
    };
    for (const filter of [{}, { accountId: 7 }]) {
      for (const sort of ['nextAttempt', 'queued'] as const) {
        listedWebhooks(spy, filter, { ...PAGE, sort, behind });
      }
      for (const sort of ['lastActivity', 'queued'] as const) {
        listedRetiredWebhooks(spy, filter, { ...PAGE, sort, behind });
      }
    }
    // Rows at the time of the last one, and rows at others.
    assert.equal(texts.length, 16);
    for (const text of texts) {
      const values = text
        .split('?')
        .slice(1)
        .map(() => 7);
      const plan = JSON.stringify(views.db.passing(`EXPLAIN QUERY PLAN ${text}`).all(values));
      assert.match(plan, /"SEARCH \w+ USING INDEX \w+ \([^)]*(?:hook_id|_at)[<>]\?\)"/, text);
      assert.doesNotMatch(plan, /USE TEMP B-TREE/, text);
    }
  });
});
