/**
 * What the server keeps about outgoing mail is what the facts say, whatever has happened, and the
 * same when it is posted again.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryQueueHistory } from '../support/arbitrary.ts';
import { emptyServerViews } from '../support/server-views.ts';
import { resultsOf } from '#projections/attempt-results';
import { queueCounts } from '#projections/queue-counts';
import { queuedItems, retiredItems } from '#projections/queue-lists';
import { accountsInAttempt, dueDestinations, dueItems } from '#projections/due-items';
import { suppressionsOfAll } from '#projections/server-suppressions';

const RUNS = { numRuns: 60, seed: 20_261_102 };
const END = 2_000_000_000_000;
const ALL = { ascending: true, limit: 1000 } as const;

describe('the books of the server', () => {
  it('have the items that wait, as far as they have come', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), ({ state, facts }) => {
        using views = emptyServerViews();
        views.post(7, facts);
        const items = [...state.queueRecords.items.values()];
        const rows = queuedItems(views.db, {}, { ...ALL, sort: 'queued' });
        assert.equal(rows.length, items.length);
        for (const item of items) {
          const {
            details,
            lastAnswer: _,
            accountId: __,
            ...row
          } = rows.find(({ queueId }) => queueId === item.queueId) ?? {
            details: {},
            lastAnswer: '',
            accountId: 0,
          };
          assert.partialDeepStrictEqual(item, { ...details, ...row });
        }
        const free = items.filter(({ isHeld, inAttempt }) => !isHeld && !inAttempt);
        const due = dueDestinations(views.db, END, 100).flatMap((destination) =>
          dueItems(views.db, destination, END, 100).map(({ queueId }) => queueId),
        );
        assert.deepEqual(
          due.toSorted((a, b) => a - b),
          free.map(({ queueId }) => queueId),
        );
        assert.equal(accountsInAttempt(views.db).length > 0, state.openAttempts().length > 0);
        assert.equal(
          suppressionsOfAll(views.db, undefined).length,
          state.suppressionRecords.suppressions.size,
        );
      }),
      RUNS,
    );
  });

  it('keep the numbers that counting gives', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), ({ state, facts }) => {
        using views = emptyServerViews();
        views.post(7, facts);
        const items = [...state.queueRecords.items.values()];
        const free = items.filter(({ isHeld, inAttempt }) => !isHeld && !inAttempt);
        const times = items.flatMap(({ nextAttemptAt: at }) => [at - 1, at, at + 999, at + 60_000]);
        for (const now of [...times, 0, END]) {
          const dueAt = free.map(({ nextAttemptAt }) => nextAttemptAt);
          const second = Math.floor(now / 1000) * 1000;
          const oldest = Math.min(...dueAt.filter((at) => at <= now));
          assert.deepEqual(queueCounts(views.db, now), {
            length: items.length,
            held: items.filter(({ isHeld, inAttempt }) => isHeld && !inAttempt).length,
            due: dueAt.filter((at) => at <= second).length,
            oldestDueAt: oldest === Infinity ? null : oldest,
          });
        }
      }),
      RUNS,
    );
  });

  it('show what has left and is still to be shown, with one result for each attempt', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), ({ state, facts }) => {
        using views = emptyServerViews();
        views.post(7, facts);
        const kept = [...state.queueRecords.sent.values()].filter(
          ({ keepUntil }) => keepUntil !== undefined,
        );
        const rows = retiredItems(views.db, {}, { ...ALL, sort: 'queued' });
        assert.deepEqual(
          rows.map(({ queueId, keepUntil }) => [queueId, keepUntil]),
          kept
            .map(({ queueId, keepUntil }) => [queueId, keepUntil])
            .toSorted(([a = 0], [b = 0]) => a - b),
        );
        for (const { queueId, attempts } of rows) {
          const results = resultsOf(views.db, queueId);
          const tried = results.filter(({ kind }) => kind === 'attempt' || kind === 'interrupted');
          assert.equal(tried.length, attempts);
          assert.ok(results.every(({ durationMs }) => durationMs !== null));
        }
      }),
      RUNS,
    );
  });

  it('are the same in two parts (queue 37, smtp 129)', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(60), fc.nat({ max: 60 }), ({ facts }, cut) => {
        using whole = emptyServerViews();
        whole.post(7, facts);
        using parts = emptyServerViews();
        parts.post(7, facts.slice(0, cut));
        parts.post(7, facts.slice(cut));
        assert.deepEqual(parts.digests(), whole.digests());
      }),
      { ...RUNS, numRuns: 20 },
    );
  });
});
