/** Which webhooks are to be called when, as the books of the server say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Subject } from 'rxjs';
import { recorded } from '../../support/given.ts';
import { hookEnded, hookId, hookQueued, hookStarted } from '../../support/hooks.ts';
import { emptyServerViews, type PostedServerViews } from '../../support/server-views.ts';
import type { WebhookEvent } from '#domain/webhook/events';
import { waitingWebhooks } from '#infra/waiting-webhooks';
import type { WaitingWebhooks } from '#protocols/ports-webhook';

const NOTHING = { urls: new Set<string>(), accounts: new Set<number>() };

function waitingIn({ db }: PostedServerViews): WaitingWebhooks {
  return waitingWebhooks({ read: (question) => question(db), webhookChanges: new Subject() });
}

/** The n-th webhook of the account, about a message of its own. */
function queued(n: number, url: string): WebhookEvent {
  return { ...hookQueued(n, { queueId: n }), url };
}

test('webapi 39: of each URL the longest due, the longest due first', () => {
  using views = emptyServerViews();
  const waiting = waitingIn(views);
  views.happen(1000, queued(1, 'http://b/'), queued(2, 'http://b/'));
  views.happen(2000, queued(3, 'http://a/'));
  const due = (now: number, without = NOTHING, limit = 10): readonly number[] =>
    waiting.due(now, without, limit).map((hook) => hook.hookId - hookId(0));
  assert.deepEqual(due(999), []);
  assert.deepEqual(due(1000), [1]);
  assert.deepEqual(due(2000), [1, 3]);
  assert.deepEqual(due(2000, NOTHING, 1), [1]);
  assert.deepEqual(due(2000, { ...NOTHING, urls: new Set(['http://b/']) }), [3]);
  assert.deepEqual(due(2000, { ...NOTHING, accounts: new Set([7]) }), []);
  assert.equal(waiting.nextDueAfter(1000), 2000);
  assert.equal(waiting.nextDueAfter(2000), undefined);
  views.happen(2000, hookStarted(1, 1, 60_000));
  assert.deepEqual(due(2000), [2, 3]);
  assert.deepEqual(waiting.accountsInAttempt(), [7]);
  views.happen(2001, hookEnded(1, 1));
  assert.deepEqual(waiting.accountsInAttempt(), []);
  assert.equal(waiting.due(60_000, NOTHING, 10)[0]?.attempts, 0);
  views.happen(2002, hookStarted(2, 1, 70_000), hookEnded(2, 1));
  assert.deepEqual(waiting.due(60_000, NOTHING, 10)[1], {
    accountId: 7,
    hookId: hookId(1),
    url: 'http://b/',
    attempts: 1,
  });
});

test('an account that rests does not keep others from the same URL', () => {
  using views = emptyServerViews();
  const waiting = waitingIn(views);
  views.happen(1000, queued(1, 'http://a/'));
  const other = { ...hookQueued(1), hookId: 8 * 2 ** 32 + 1, url: 'http://a/' };
  views.post(8, recorded([other], 0, 2000));
  const accounts = new Set([7]);
  assert.deepEqual(waiting.due(1999, { ...NOTHING, accounts }, 10), []);
  assert.partialDeepStrictEqual(waiting.due(2000, { ...NOTHING, accounts }, 10), [
    { accountId: 8 },
  ]);
});
