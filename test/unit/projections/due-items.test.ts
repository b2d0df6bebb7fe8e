/** What is due: for which destinations, and in which order it goes. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { started, SUBMISSION } from '../../support/queued.ts';
import { emptyServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import { dueDestinations, dueItems, nextDueAfter } from '#projections/due-items';

const BASE = 7 * 2 ** 32;

function queued(n: number, domain: string, nextAttemptAt: number): AccountEvent {
  const items = [{ queueId: BASE + n, recipient: `you@${domain}` }];
  return { type: 'MessageQueued', items, ...SUBMISSION, nextAttemptAt };
}

it('goes with the longest due first, then in the order of queueing', () => {
  using views = emptyServerViews();
  const times = [3000, 1000, 2000, 1000, 9000];
  views.happen(1, ...times.map((at, i) => queued(i + 1, 'a.example', at)));
  const due = (now: number, limit = 9): readonly number[] =>
    dueItems(views.db, 'a.example', now, limit).map(({ queueId }) => queueId - BASE);
  assert.deepEqual(due(3000), [2, 4, 3, 1]);
  assert.deepEqual(due(3000, 2), [2, 4]);
  assert.deepEqual(due(999), []);
});

it('is not what is held, or in an attempt', () => {
  using views = emptyServerViews();
  views.happen(1, ...[1, 2, 3].map((n) => queued(n, 'a.example', 1000)));
  views.happen(2, { type: 'MessagesHeld', queueIds: [BASE + 1] }, started(1, BASE + 2));
  assert.deepEqual(dueItems(views.db, 'a.example', 1000, 9), [{ accountId: 7, queueId: BASE + 3 }]);
  views.happen(3, { type: 'MessagesHeld', queueIds: [BASE + 3] });
  assert.deepEqual(dueDestinations(views.db, 1000, 9), []);
});

it('is told of each destination once, the longest due first', () => {
  using views = emptyServerViews();
  views.happen(
    1,
    queued(1, 'c.example', 3000),
    queued(2, 'b.example', 1000),
    queued(3, 'a.example', 2000),
    queued(4, 'c.example', 500),
    queued(5, 'd.example', 8000),
  );
  assert.deepEqual(dueDestinations(views.db, 3000, 9), ['c.example', 'b.example', 'a.example']);
  assert.deepEqual(dueDestinations(views.db, 3000, 1), ['c.example']);
  assert.equal(nextDueAfter(views.db, 3000), 8000);
  assert.equal(nextDueAfter(views.db, 8000), undefined);
});
