/** What became of attempts, as administrators see it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failed, FIRST, QUEUED, REFUSAL, REPLY, SECOND, started } from '../../support/queued.ts';
import { emptyServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import { resultsOf } from '#projections/attempt-results';

const NOTHING = {
  kind: 'attempt',
  durationMs: null,
  success: false,
  code: 0,
  enhancedCode: '',
  text: '',
  dialed: [],
  actor: '',
} as const;

const RETIRED: AccountEvent = {
  type: 'MessageRetired',
  queueId: FIRST,
  outcome: 'delivered',
  keepUntil: 9000,
};

describe('results of attempts', () => {
  it('say of one in progress that it is, for each item of the group', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1, FIRST, SECOND));
    for (const queueId of [FIRST, SECOND]) {
      assert.deepEqual(resultsOf(views.db, queueId), [
        { ...NOTHING, startAt: 10, text: 'delivering...' },
      ]);
    }
  });

  it('say what the remote said, who it was and how long it took (queue 4)', () => {
    using views = emptyServerViews();
    const remote = { host: 'mx.example.org', ip: '192.0.2.1' };
    views.happen(10, QUEUED, started(1));
    views.happen(35, { ...failed(1), remote, dialed: [remote] } as AccountEvent);
    assert.deepEqual(resultsOf(views.db, FIRST), [
      { ...NOTHING, startAt: 10, durationMs: 25, ...REPLY, remote, dialed: [remote] },
    ]);
  });

  it('say of a delivery its code and no error, and stay when it is shown (queue 5)', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1));
    const reply = { code: 250, enhancedCode: '2.1.0', text: 'taken' };
    views.happen(11, { type: 'AttemptSucceeded', queueId: FIRST, attempt: 1, ...reply }, RETIRED);
    assert.deepEqual(resultsOf(views.db, FIRST), [
      {
        ...NOTHING,
        startAt: 10,
        durationMs: 1,
        success: true,
        code: 250,
        enhancedCode: '2.1.0',
      },
    ]);
  });

  it('say of one that was cut short that it was (queue 6)', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1));
    views.happen(90, { type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 });
    views.happen(95, started(2));
    assert.deepEqual(
      resultsOf(views.db, FIRST).map(({ kind, text, durationMs }) => [kind, text, durationMs]),
      [
        ['interrupted', 'interrupted by shutdown', 80],
        ['attempt', 'delivering...', null],
      ],
    );
  });

  it('say who ended the item (queue 24)', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED);
    views.happen(
      20,
      { type: 'DeliveryCanceled', queueId: FIRST, how: 'fail' },
      {
        ...RETIRED,
        outcome: 'canceled',
      },
    );
    assert.deepEqual(resultsOf(views.db, FIRST), [
      {
        ...NOTHING,
        kind: 'canceled',
        startAt: 20,
        durationMs: 0,
        text: 'delivery canceled by admin',
        actor: 'test',
      },
    ]);
  });

  it('say who wanted an attempt to be the last, unless it delivered (queue 25)', () => {
    const asked = { type: 'CancelRequested', queueIds: [FIRST], how: 'drop' } as const;
    const cut = { type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 } as const;
    const ended = { type: 'DeliveryCanceled', queueId: FIRST, how: 'drop' } as const;
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1), asked);
    const actors = (): readonly string[] =>
      resultsOf(views.db, FIRST).map(({ kind, actor }) => `${kind} ${actor}`);
    assert.deepEqual(actors(), ['attempt test']);
    views.happen(90, cut, ended);
    assert.deepEqual(actors(), ['interrupted ', 'canceled test']);
    using others = emptyServerViews();
    const taken = { type: 'AttemptSucceeded', queueId: FIRST, attempt: 1, ...REPLY } as const;
    others.happen(10, QUEUED, started(1), asked, taken);
    assert.equal(resultsOf(others.db, FIRST)[0]?.actor, '');
  });

  it('go with the item when it is not to be shown, and come with nothing for it', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, started(1));
    views.happen(11, { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' });
    const bounce = {
      type: 'BounceRelated',
      queueId: FIRST,
      action: 'failed',
      isDsn: true,
    } as const;
    views.happen(20, { ...bounce, ...REFUSAL, messageId: 1 });
    assert.deepEqual(resultsOf(views.db, FIRST), []);
  });

  it('say what came back', () => {
    using views = emptyServerViews();
    views.happen(10, QUEUED, RETIRED);
    const bounce = { type: 'BounceRelated', queueId: FIRST, isDsn: true, messageId: 1 } as const;
    views.happen(20, { ...bounce, action: 'failed', ...REFUSAL });
    views.happen(30, { ...bounce, action: 'relayed', ...REPLY });
    assert.deepEqual(
      resultsOf(views.db, FIRST).map(({ kind, success, code }) => [kind, success, code]),
      [
        ['bounce', false, 550],
        ['bounce', true, 450],
      ],
    );
  });
});
