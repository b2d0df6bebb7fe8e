/**
 * How the queue of the server stands, counted.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CONTEXT, recorded } from '../../support/given.ts';
import { failed, FIRST, LATER, QUEUED, SECOND, started } from '../../support/queued.ts';
import { emptyServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import { queueCounts, type QueueCounts } from '#projections/queue-counts';

function countsAfter(now: number, ...events: readonly AccountEvent[]): QueueCounts {
  using views = emptyServerViews();
  views.post(7, recorded(events));
  return queueCounts(views.db, now);
}

it('queue 8: what waits, what is due and what is held are counted', () => {
  const dueAt = CONTEXT.at;
  const none = { due: 0, held: 0, oldestDueAt: null };
  assert.deepEqual(countsAfter(dueAt), { length: 0, ...none });
  assert.deepEqual(countsAfter(dueAt - 1, QUEUED), { length: 2, ...none });
  const both = { length: 2, due: 2, held: 0, oldestDueAt: dueAt };
  assert.deepEqual(countsAfter(dueAt, QUEUED), both);
  const held = { type: 'MessagesHeld', queueIds: [SECOND] } as const;
  const one = { length: 2, due: 1, held: 1, oldestDueAt: dueAt };
  assert.deepEqual(countsAfter(dueAt, QUEUED, held), one);
  const busy = { length: 2, due: 1, held: 0, oldestDueAt: dueAt };
  assert.deepEqual(countsAfter(dueAt, QUEUED, started(1, FIRST)), busy);
  const tried = [QUEUED, started(1, FIRST), failed(1, FIRST), held] as const;
  assert.deepEqual(countsAfter(dueAt, ...tried), { length: 2, due: 0, held: 1, oldestDueAt: null });
  const later = { length: 2, due: 1, held: 1, oldestDueAt: LATER };
  assert.deepEqual(countsAfter(LATER, ...tried), later);
});
