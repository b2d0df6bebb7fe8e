/** Lists of outgoing mail: filters and pages. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { started, SUBMISSION } from '../../support/queued.ts';
import { emptyServerViews, type PostedServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { QueueId } from '#domain/values/ids';
import type { ListPage, WaitingSort } from '#projections/list-pages';
import {
  queuedById,
  queuedItems,
  queueLength,
  retiredItems,
  type QueueFilter,
  type RetiredFilter,
} from '#projections/queue-lists';

const BASE = 7 * 2 ** 32;

function queued(
  n: number,
  mailFrom: string,
  recipient: string,
  nextAttemptAt = 1000,
): AccountEvent {
  const items = [{ queueId: BASE + n, recipient }];
  return { type: 'MessageQueued', items, ...SUBMISSION, mailFrom, nextAttemptAt };
}

function sixItems(): PostedServerViews {
  const views = emptyServerViews();
  views.happen(10, queued(1, 'me+a@localhost', 'You@held.example', 1000));
  views.happen(20, queued(2, 'me+b@localhost', 'you@other.example', 3000));
  views.happen(30, queued(3, 'Me@localhost', 'you@held.example', 2000));
  views.happen(40, queued(4, '', 'x@xn--bcher-kva.example', 1000));
  views.happen(
    50,
    { type: 'MessagesHeld', queueIds: [BASE + 2] },
    { type: 'TransportForced', queueIds: [BASE + 3], transport: 'smarthost' },
    { type: 'TlsRequirementSet', queueIds: [BASE + 3], requireTls: false },
  );
  return views;
}

const PAGE: ListPage<WaitingSort> = { sort: 'nextAttempt', ascending: true, limit: 100 };

describe('the list of what waits', () => {
  const found = (filter: QueueFilter, page = PAGE): readonly number[] => {
    using views = sixItems();
    return queuedItems(views.db, filter, page).map(({ queueId }) => queueId - BASE);
  };

  it('is sorted by the next attempt, or by the time of queueing, either way', () => {
    assert.deepEqual(found({}), [1, 4, 3, 2]);
    assert.deepEqual(found({}, { ...PAGE, ascending: false }), [2, 3, 4, 1]);
    assert.deepEqual(found({}, { ...PAGE, sort: 'queued' }), [1, 2, 3, 4]);
    assert.deepEqual(found({}, { ...PAGE, limit: 2 }), [1, 4]);
  });

  it('has all about an item', () => {
    using views = sixItems();
    views.happen(60, started(1, BASE + 3));
    const [item] = queuedItems(views.db, { queueIds: [BASE + 3] }, PAGE);
    assert.partialDeepStrictEqual(item, {
      queueId: BASE + 3,
      accountId: 7,
      lastAttemptAt: 60,
      attempts: 1,
      inAttempt: true,
      isHeld: false,
      transport: 'smarthost',
      requireTls: false,
      details: { mailFrom: 'Me@localhost', recipient: 'you@held.example', sizeBytes: 10 },
    });
    assert.equal(queueLength(views.db), 4);
  });

  it('keeps those that meet all conditions (queue 27)', () => {
    assert.deepEqual(found({ from: 'me+', to: 'held.example' }), [1]);
    assert.deepEqual(found({ from: 'me+' }), [1, 2]);
    assert.deepEqual(found({ to: '@Held.EXAMPLE' }), [1, 3]);
    assert.deepEqual(found({ to: 'you@held.example' }), [3]);
    assert.deepEqual(found({ to: 'HELD' }), [1, 3]);
    assert.deepEqual(found({ to: 'xn--bcher-kva' }), [4]);
    assert.deepEqual(found({ isHeld: true }), [2]);
    assert.deepEqual(found({ isHeld: false, to: 'you' }), [3]);
    assert.deepEqual(found({ transport: '' }), [1, 4, 2]);
    assert.deepEqual(found({ transport: 'smarthost' }), [3]);
    assert.deepEqual(found({ queued: { before: 30 } }), [1, 2]);
    assert.deepEqual(found({ nextAttempt: { after: 1000 } }), [3, 2]);
    assert.deepEqual(found({ queueIds: [BASE + 999] }), []);
    assert.deepEqual(found({ queueIds: [] }), []);
    assert.deepEqual(found({ accountId: 7, queueIds: [BASE + 2, BASE + 1] }), [1, 2]);
    assert.deepEqual(found({ accountId: 8 }), []);
  });

  it('for changes goes by id', () => {
    using views = sixItems();
    const ids = (filter: QueueFilter, behind: QueueId, limit: number): readonly number[] =>
      queuedById(views.db, filter, behind, limit).map(({ queueId }) => queueId - BASE);
    assert.deepEqual(ids({ to: 'you' }, 0, 2), [2, 3]);
    assert.deepEqual(ids({}, BASE + 2, 9), [3, 4]);
  });
});

describe('pages', () => {
  it('of items that are due at the same time have each once, both ways (queue 28)', () => {
    using views = emptyServerViews();
    const all = Array.from({ length: 250 }, (_, i) => i + 1);
    views.happen(1, ...all.map((n) => queued(n, 'me@localhost', 'you@example.org')));
    for (const ascending of [true, false]) {
      const met: QueueId[] = [];
      let behind: ListPage<WaitingSort>['behind'];
      const sizes: number[] = [];
      for (;;) {
        const page = { ...PAGE, ascending, ...(behind === undefined ? {} : { behind }) };
        const items = queuedItems(views.db, {}, page);
        sizes.push(items.length);
        const last = items.at(-1);
        if (last === undefined) break;
        met.push(...items.map(({ queueId }) => queueId - BASE));
        behind = { value: last.nextAttemptAt, id: last.queueId };
      }
      assert.deepEqual(sizes, [100, 100, 50, 0]);
      assert.deepEqual(met, ascending ? all : all.toReversed());
    }
  });

  it('are read from an index, also for one account (queue 39)', () => {
    using views = sixItems();
    const behind = { value: 1000, id: BASE + 1 };
    for (const filter of [{}, { accountId: 7 }]) {
      for (const sort of ['nextAttempt', 'queued'] as const) {
        const texts: string[] = [];
        const spy = {
          statement: (text: string) => views.db.statement(text),
          passing(text: string) {
            texts.push(text);
            return views.db.passing(text);
          },
        };
        queuedItems(spy, filter, { ...PAGE, sort, behind });
        const values = 'accountId' in filter ? [7, 1000, BASE, 10] : [1000, BASE, 10];
        const plan = views.db.passing(`EXPLAIN QUERY PLAN ${texts[0] ?? ''}`).all(values);
        const steps = plan.map((step) => (step as { detail: string }).detail);
        assert.match(steps.join(), /^SEARCH server_queue USING INDEX /);
        assert.doesNotMatch(steps.join(), /TEMP B-TREE/);
      }
    }
  });
});

describe('the list of what has left', () => {
  function retired(): PostedServerViews {
    const views = sixItems();
    const ends = [
      [1, 'delivered'],
      [2, 'failed'],
      [3, 'canceled'],
      [4, 'suppressed'],
    ] as const;
    for (const [n, outcome] of ends) {
      const queueId = BASE + n;
      views.happen(100 * n, { type: 'MessageRetired', queueId, outcome, keepUntil: 9999 });
    }
    return views;
  }

  const found = (filter: RetiredFilter, ascending = true): readonly number[] => {
    using views = retired();
    const page = { sort: 'lastActivity', ascending, limit: 100 } as const;
    return retiredItems(views.db, filter, page).map(({ queueId }) => queueId - BASE);
  };

  it('is sorted by the last activity, and keeps what meets all conditions (queue 29)', () => {
    assert.deepEqual(found({}), [1, 2, 3, 4]);
    assert.deepEqual(found({}, false), [4, 3, 2, 1]);
    assert.deepEqual(found({ success: true }), [1]);
    assert.deepEqual(found({ success: false, from: 'me+', lastActivity: { before: 250 } }), [2]);
    assert.deepEqual(found({ lastActivity: { after: 250 } }), [3, 4]);
    assert.deepEqual(found({ transport: 'smarthost', to: 'held' }), [3]);
    assert.deepEqual(found({ from: 'someone' }), []);
  });

  it('goes on behind the last item of a page', () => {
    using views = retired();
    const behind = { value: 200, id: BASE + 2 };
    const page = { sort: 'lastActivity', ascending: true, behind, limit: 1 } as const;
    assert.deepEqual(
      retiredItems(views.db, {}, page).map(({ queueId }) => queueId - BASE),
      [3],
    );
  });
});
