/** Outgoing mail that has left the queue. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIRST, QUEUED, REFUSAL, SECOND, started } from '../../support/queued.ts';
import { emptyServerViews, type PostedServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { RetiredOutcome } from '#domain/queue/events';
import { SENT_KEPT_MS } from '#domain/queue/state';
import type { Instant, QueueId } from '#domain/values/ids';
import { resultsOf } from '#projections/attempt-results';
import { retiredItems, type RetiredItem } from '#projections/queue-lists';
import { accountsToForget } from '#projections/retired';

const HOUR = 3_600_000;

function retiring(queueId: QueueId, outcome: RetiredOutcome, keepUntil?: Instant): AccountEvent {
  const kept = keepUntil === undefined ? {} : { keepUntil };
  return { type: 'MessageRetired', queueId, outcome, ...kept };
}

function listed({ db }: PostedServerViews): readonly RetiredItem[] {
  return retiredItems(db, {}, { sort: 'lastActivity', ascending: true, limit: 10 });
}

describe('an item that has left the queue', () => {
  it('is shown as it was, when it is to be remembered (queue 5, 29)', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1, FIRST));
    views.happen(20, retiring(FIRST, 'delivered', 500), retiring(SECOND, 'failed'));
    const [item, ...others] = listed(views);
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(item, {
      queueId: FIRST,
      accountId: 7,
      outcome: 'delivered',
      attempts: 1,
      lastAttemptAt: 10,
      lastActivityAt: 20,
      keepUntil: 500,
      requireTls: null,
      details: { mailFrom: 'daybook@localhost', recipient: 'a@example.org', queuedAt: 10 },
    });
  });

  it('counts as tried when somebody ended it before its first attempt (queue 24)', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED);
    views.happen(30, retiring(FIRST, 'canceled', 500));
    assert.partialDeepStrictEqual(listed(views)[0], { attempts: 0, lastAttemptAt: 30 });
  });

  it('is active again when mail comes back about it, and nothing else', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, retiring(FIRST, 'delivered', 500));
    const bounce = {
      type: 'BounceRelated',
      queueId: FIRST,
      action: 'failed',
      isDsn: true,
    } as const;
    views.happen(70, { ...bounce, ...REFUSAL, messageId: 1 });
    assert.partialDeepStrictEqual(listed(views)[0], {
      outcome: 'delivered',
      lastActivityAt: 70,
      keepUntil: 500,
    });
  });
});

describe('forgetting', () => {
  it('takes what was kept until before then, with its results (queue 36)', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1, FIRST, SECOND));
    views.happen(20, retiring(FIRST, 'delivered', 500), retiring(SECOND, 'delivered', 501));
    views.happen(501, { type: 'RetiredForgotten', upTo: 501 });
    assert.deepEqual(
      listed(views).map(({ queueId }) => queueId),
      [SECOND],
    );
    assert.deepEqual(resultsOf(views.db, FIRST), []);
    assert.equal(resultsOf(views.db, SECOND).length, 1);
  });

  it('is due at the end of the hour, for what is shown and for what is only known', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, retiring(FIRST, 'delivered', HOUR + 5));
    assert.deepEqual(accountsToForget(views.db, 2 * HOUR - 1), []);
    assert.deepEqual(accountsToForget(views.db, 2 * HOUR), [7]);
    views.happen(2 * HOUR, { type: 'RetiredForgotten', upTo: 2 * HOUR });
    assert.deepEqual(accountsToForget(views.db, SENT_KEPT_MS), []);
    assert.deepEqual(accountsToForget(views.db, SENT_KEPT_MS + HOUR), [7]);
    views.happen(SENT_KEPT_MS + HOUR, { type: 'RetiredForgotten', upTo: SENT_KEPT_MS + HOUR });
    assert.deepEqual(accountsToForget(views.db, 2 * SENT_KEPT_MS), []);
  });
});
