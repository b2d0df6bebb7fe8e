/** What administrators do to queued mail. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTEXT, delivered, given, INBOX_ID, OPENED } from '../../../support/given.ts';
import { failed, FIRST, LATER, notice, QUEUED, SECOND, started } from '../../../support/queued.ts';
import type { AccountEvent } from '#domain/log/streams';
import { SENT_KEPT_MS } from '#domain/queue/state';

const WAITING: readonly AccountEvent[] = [OPENED, QUEUED];
const BOTH = [FIRST, SECOND];
/** No item has this id. */
const UNKNOWN = FIRST + 99;

describe('holding and releasing (queue 8)', () => {
  it('changes those that are there and not so already, and says how many', () => {
    const held = { type: 'MessagesHeld', queueIds: [FIRST] } as const;
    const state = given(...WAITING)
      .when({ type: 'HoldMessages', queueIds: [FIRST, UNKNOWN] })
      .gives([held], { affected: 1 });
    assert.equal(state.queueItem(FIRST)?.isHeld, true);
    given(...WAITING, held)
      .when({ type: 'HoldMessages', queueIds: BOTH, ruleId: 3 })
      .gives([{ type: 'MessagesHeld', queueIds: [SECOND], ruleId: 3 }], { affected: 1 });
    const released = given(...WAITING, held)
      .when({ type: 'ReleaseMessages', queueIds: BOTH })
      .gives([{ type: 'MessagesReleased', queueIds: [FIRST] }], { affected: 1 });
    assert.partialDeepStrictEqual(released.queueItem(FIRST), {
      isHeld: false,
      nextAttemptAt: CONTEXT.at,
    });
  });

  it('changes nothing when there is nothing to change (queue 24)', () => {
    given(...WAITING)
      .when({ type: 'ReleaseMessages', queueIds: BOTH })
      .gives([], { affected: 0 });
    given(OPENED)
      .when({ type: 'HoldMessages', queueIds: [UNKNOWN] })
      .gives([], { affected: 0 });
  });

  it('holds what is in an attempt from the next one', () => {
    const state = given(...WAITING, started(1), { type: 'MessagesHeld', queueIds: [FIRST] }).state;
    assert.partialDeepStrictEqual(state.queueItem(FIRST), { inAttempt: true, isHeld: true });
  });
});

describe('rescheduling (queue 23)', () => {
  it('sets a time for all, or moves each by as much', () => {
    const later = { type: 'MessagesRescheduled', items: [{ queueId: FIRST, nextAttemptAt: 5 }] };
    given(...WAITING)
      .when({ type: 'RescheduleMessages', queueIds: [FIRST], to: { at: 5 } })
      .gives([later as AccountEvent], { affected: 1 });
    given(...WAITING, later as AccountEvent)
      .when({ type: 'RescheduleMessages', queueIds: BOTH, to: { byMs: -3 } })
      .gives([
        {
          type: 'MessagesRescheduled',
          items: [
            { queueId: FIRST, nextAttemptAt: 2 },
            { queueId: SECOND, nextAttemptAt: CONTEXT.at - 3 },
          ],
        },
      ]);
    given(...WAITING)
      .when({ type: 'RescheduleMessages', queueIds: BOTH, to: { at: CONTEXT.at } })
      .gives([], { affected: 0 });
  });

  it('leaves the number of attempts, and outlasts the attempt in progress', () => {
    const { state } = given(
      ...WAITING,
      started(1),
      { type: 'MessagesRescheduled', items: [{ queueId: FIRST, nextAttemptAt: 77 }] },
      { type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 },
    );
    assert.partialDeepStrictEqual(state.queueItem(FIRST), { attempts: 1, nextAttemptAt: 77 });
    const reply = { code: 450, enhancedCode: '', text: 'later' };
    const outcome = { type: 'failed', reply, permanent: false } as const;
    const moved = given(...WAITING, started(1), {
      type: 'MessagesRescheduled',
      items: [{ queueId: FIRST, nextAttemptAt: 77 }],
    })
      .when({ type: 'FinishAttempt', queueId: FIRST, attempt: 1, attemptsMax: 8, outcome })
      .gives([
        {
          type: 'AttemptFailed',
          queueId: FIRST,
          attempt: 1,
          ...reply,
          permanent: false,
          nextAttemptAt: 77,
        },
      ]);
    assert.equal(moved.queueItem(FIRST)?.nextAttemptAt, 77);
  });
});

describe('how mail goes', () => {
  it('is by the transport that it is given, or by the routes again (queue 16)', () => {
    const forced = { type: 'TransportForced', queueIds: [FIRST], transport: 'smarthost' } as const;
    const state = given(...WAITING)
      .when({ type: 'ForceTransport', queueIds: [FIRST], transport: 'smarthost' })
      .gives([forced], { affected: 1 });
    assert.equal(state.queueItem(FIRST)?.transport, 'smarthost');
    const freed = given(...WAITING, forced)
      .when({ type: 'ForceTransport', queueIds: BOTH, transport: '' })
      .gives([{ type: 'TransportForced', queueIds: [FIRST] }], { affected: 1 });
    assert.equal(freed.queueItem(FIRST)?.transport, '');
  });

  it('requires TLS, does without, or is as usual', () => {
    for (const requireTls of [true, false]) {
      const set = { type: 'TlsRequirementSet', queueIds: [FIRST], requireTls } as const;
      given(...WAITING)
        .when({ type: 'SetTlsRequirement', queueIds: [FIRST], requireTls })
        .gives([set], { affected: 1 });
      const state = given(...WAITING, set)
        .when({ type: 'SetTlsRequirement', queueIds: BOTH, requireTls: null })
        .gives([{ type: 'TlsRequirementSet', queueIds: [FIRST] }], { affected: 1 });
      assert.equal(state.queueItem(FIRST)?.requireTls, null);
    }
  });
});

describe('ending mail', () => {
  const ended = (how: 'fail' | 'drop', queueId = FIRST): readonly AccountEvent[] => [
    { type: 'DeliveryCanceled', queueId, how },
    { type: 'MessageRetired', queueId, outcome: 'canceled' },
  ];

  it('tells the sender of a failure, and blames no address (queue 24)', () => {
    const state = given(...WAITING)
      .when({ type: 'FailMessage', queueId: FIRST, notice: notice() })
      .gives([...ended('fail'), delivered(INBOX_ID, 1)], { affected: 1 });
    assert.equal(state.queueItem(FIRST), undefined);
    assert.equal(state.failuresInRow('a@example.org', SECOND), 0);
  });

  it('goes on when there is no place for the notice', () => {
    given(...WAITING)
      .when({ type: 'FailMessage', queueId: FIRST, notice: notice('none') })
      .gives(ended('fail'), { affected: 1 });
  });

  it('drops without a word (queue 24)', () => {
    given(...WAITING)
      .when({ type: 'DropMessages', queueIds: [FIRST, SECOND, SECOND, UNKNOWN] })
      .gives([...ended('drop'), ...ended('drop', SECOND)], { affected: 2 });
    given(...WAITING)
      .when({ type: 'FailMessage', queueId: UNKNOWN })
      .gives([], { affected: 0 });
  });

  it('waits for the end of an attempt, in which the last word counts (queue 25)', () => {
    const asked = { type: 'CancelRequested', queueIds: [FIRST], how: 'drop' } as const;
    given(...WAITING, started(1))
      .when({ type: 'DropMessages', queueIds: BOTH })
      .gives([...ended('drop', SECOND), asked], { affected: 2 });
    given(...WAITING, started(1), asked)
      .when({ type: 'DropMessages', queueIds: [FIRST] })
      .gives([], { affected: 0 });
    const state = given(...WAITING, started(1), asked)
      .when({ type: 'FailMessage', queueId: FIRST, notice: notice() })
      .gives([{ ...asked, how: 'fail' }], { affected: 1 });
    assert.equal(state.queueItem(FIRST)?.canceling, 'fail');
  });

  it('takes no more at once than an append has room for', () => {
    const items = Array.from({ length: 300 }, (_, i) => ({
      queueId: FIRST + i,
      recipient: `r${i}@example.org`,
    }));
    const queueIds = items.map(({ queueId }) => queueId);
    const before = [OPENED, { ...QUEUED, items }];
    given(...before)
      .when({ type: 'DropMessages', queueIds })
      .refused('TooMuchAtOnce');
    given(...before)
      .when({ type: 'DropMessages', queueIds: queueIds.slice(0, 200) })
      .gives(queueIds.slice(0, 200).flatMap((queueId) => ended('drop', queueId)));
  });
});

describe('forgetting what has left the queue (queue 36)', () => {
  const forget = { type: 'ForgetRetired' } as const;
  const keepUntil = CONTEXT.at + 1000;
  const retired = { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' } as const;
  const reference = { type: 'header-id', headerId: QUEUED.headerId, recipient: 'a@example.org' };

  it('happens when its time is over, not before', () => {
    const after = given(...WAITING, started(1), { ...retired, keepUntil });
    after.under({ at: keepUntil }).when(forget).gives([]);
    const upTo = keepUntil + 1;
    const state = after
      .under({ at: upTo })
      .when(forget)
      .gives([{ type: 'RetiredForgotten', upTo }]);
    assert.equal(state.remembersUpTo(upTo + 1), false, 'it is forgotten once');
    assert.deepEqual(state.sentItem(reference as never), {
      queueId: FIRST,
      recipient: 'a@example.org',
      headerId: QUEUED.headerId,
      body: QUEUED.body,
    });
  });

  it('leaves what came back recognizable for two weeks (webapi 28)', () => {
    const after = given(...WAITING, started(1), retired);
    const end = CONTEXT.at + SENT_KEPT_MS;
    after.under({ at: end }).when(forget).gives([]);
    const upTo = end + 1;
    const state = after
      .under({ at: upTo })
      .when(forget)
      .gives([{ type: 'RetiredForgotten', upTo }]);
    assert.equal(state.sentItem(reference as never), undefined);
  });

  it('goes by the time that was set when it left', () => {
    given(...WAITING, started(1), { ...retired, keepUntil })
      .under({ at: keepUntil - 1 })
      .when(forget, { keepRetiredMs: 1 })
      .gives([]);
  });
});

describe('an item with a failed attempt', () => {
  it('can be held and released like any other', () => {
    const state = given(...WAITING, started(1), failed(1))
      .when({ type: 'HoldMessages', queueIds: [FIRST] })
      .gives([{ type: 'MessagesHeld', queueIds: [FIRST] }]);
    assert.partialDeepStrictEqual(state.queueItem(FIRST), { attempts: 1, nextAttemptAt: LATER });
  });
});
