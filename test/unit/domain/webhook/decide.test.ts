/** Webhooks: one attempt at a time, ended by success, by the last failure, or by somebody. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTEXT, given, OPENED } from '../../../support/given.ts';
import { BUSY, hookEnded, hookId, hookQueued, hookStarted, TAKEN } from '../../../support/hooks.ts';
import { QUEUED } from '../../../support/queued.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { FinishWebhookAttempt, StartWebhookAttempt } from '#domain/webhook/decide';
import type { RetiredHookOutcome, WebhookAnswer, WebhookEvent } from '#domain/webhook/events';
import { HOOK_ATTEMPTS_MAX } from '#domain/webhook/schedule';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = CONTEXT.at;

const WAITING: readonly AccountEvent[] = [OPENED, QUEUED, hookQueued(1)];

function start(n: number = 1): StartWebhookAttempt {
  return { type: 'StartWebhookAttempt', hookId: hookId(n), draw: 0.5 };
}

function finish(attempt: number, answer: WebhookAnswer, n: number = 1): FinishWebhookAttempt {
  return { type: 'FinishWebhookAttempt', hookId: hookId(n), attempt, answer };
}

function retired(outcome: RetiredHookOutcome, n: number = 1): WebhookEvent {
  return { type: 'WebhookRetired', hookId: hookId(n), outcome };
}

/** Attempts that failed; the next one is due now. */
function tried(times: number): readonly AccountEvent[] {
  return Array.from({ length: times }, (_, i) => [
    hookStarted(1, i + 1, NOW),
    hookEnded(1, i + 1),
  ]).flat();
}

describe('an attempt of a webhook', () => {
  it('is due at once, and says first when the next one is (webapi 36)', () => {
    given(...WAITING)
      .when(start())
      .gives([hookStarted(1, 1, NOW + MINUTE)], { attempt: 1 });
  });

  it('waits for its time, for the one before, and is only for those that wait', () => {
    const due = NOW + 1;
    given(...WAITING, hookStarted(1, 1, due), hookEnded(1, 1))
      .when(start())
      .refused('AttemptNotCurrent');
    given(...WAITING, hookStarted(1, 1, NOW))
      .when(start())
      .refused('AttemptNotCurrent');
    given(...WAITING)
      .when(start(2))
      .refused('NoSuchWebhook');
    given(...WAITING, hookStarted(1, 1, NOW), retired('canceled'))
      .when(start())
      .refused('NoSuchWebhook');
  });

  it('is tried again later and later (webapi 36)', () => {
    const waits = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960];
    for (const [i, minutes] of waits.entries()) {
      const attempt = i + 1;
      given(...WAITING, ...tried(i))
        .when(start())
        .gives([hookStarted(1, attempt, NOW + minutes * MINUTE)], { attempt });
    }
  });

  it('that succeeds is the last one, and only 200 is a success (webapi 36)', () => {
    const trying = given(...WAITING, hookStarted(1, 1, NOW + MINUTE));
    trying
      .when(finish(1, TAKEN))
      .gives([hookEnded(1, 1, TAKEN), retired('delivered')], { retired: true });
    for (const code of [0, 201, 204, 301, 302, 307, 500]) {
      const answer = { ...BUSY, code };
      given(...WAITING, hookStarted(1, 1, NOW + MINUTE))
        .when(finish(1, answer))
        .gives([hookEnded(1, 1, answer)], { retired: false });
    }
  });

  it('fails for good as the twelfth (webapi 37)', () => {
    const state = given(...WAITING, ...tried(11), hookStarted(1, 12, NOW))
      .when(finish(HOOK_ATTEMPTS_MAX, BUSY))
      .gives([hookEnded(1, 12), retired('failed')], { retired: true });
    assert.equal(state.webhook(hookId(1)), undefined);
    assert.deepEqual(state.openWebhooks(), []);
  });

  it('ends once, and only the one in progress', () => {
    given(...WAITING)
      .when(finish(1, TAKEN))
      .refused('AttemptNotCurrent');
    given(...WAITING, hookStarted(1, 1, NOW))
      .when(finish(2, TAKEN))
      .refused('AttemptNotCurrent');
    given(...WAITING)
      .when(finish(1, TAKEN, 9))
      .refused('NoSuchWebhook');
  });

  it('is recorded with as much of the answer as is worth keeping', () => {
    const answer = { ...BUSY, error: 'e'.repeat(5000), response: 'ä'.repeat(400) };
    const short = { ...BUSY, error: 'e'.repeat(1000), response: 'ä'.repeat(256) };
    given(...WAITING, hookStarted(1, 1, NOW))
      .when(finish(1, answer))
      .gives([hookEnded(1, 1, short)]);
  });

  it('that was interrupted leaves the next one where it was (queue 6)', () => {
    const next = NOW + MINUTE;
    const state = given(...WAITING, hookStarted(1, 1, next))
      .when({ type: 'CloseInterruptedWebhooks' })
      .gives([{ type: 'WebhookAttemptInterrupted', hookId: hookId(1), attempt: 1 }], { closed: 1 });
    assert.partialDeepStrictEqual(state.webhook(hookId(1)), {
      attempts: 1,
      nextAttemptAt: next,
      inFlight: false,
    });
    given(...WAITING)
      .when({ type: 'CloseInterruptedWebhooks' })
      .gives([], { closed: 0 });
  });
});

describe('a webhook that was replaced while it was under way', () => {
  const replaced = [
    ...WAITING,
    hookStarted(1, 1, NOW),
    hookQueued(2),
    { type: 'WebhookRetired', hookId: hookId(1), outcome: 'superseded', supersededBy: hookId(2) },
  ] as const;

  it('gets its answer recorded, and nothing more (webapi 38)', () => {
    const state = given(...replaced)
      .when(finish(1, TAKEN))
      .gives([hookEnded(1, 1, TAKEN)], { retired: true });
    assert.equal(state.webhook(hookId(1)), undefined);
  });

  it('is closed when it was interrupted', () => {
    const state = given(...replaced)
      .when({ type: 'CloseInterruptedWebhooks' })
      .gives([{ type: 'WebhookAttemptInterrupted', hookId: hookId(1), attempt: 1 }]);
    assert.deepEqual(state.openWebhooks(), []);
  });

  it('is not there for administrators', () => {
    given(...replaced)
      .when({ type: 'CancelWebhooks', hookIds: [hookId(1)] })
      .gives([], { affected: 0 });
  });
});

describe('administrators', () => {
  it('cancel webhooks, and what is gone is passed over (queue 30)', () => {
    given(...WAITING, hookQueued(2), retired('delivered', 2))
      .when({ type: 'CancelWebhooks', hookIds: [hookId(1), hookId(1), hookId(2), hookId(3)] })
      .gives([retired('canceled')], { affected: 1 });
  });

  it('reschedule them for a time, or by a time (queue 30)', () => {
    const hookIds = [hookId(1), hookId(2)];
    const rescheduled = (...times: readonly number[]): WebhookEvent => ({
      type: 'WebhooksRescheduled',
      hooks: times.map((nextAttemptAt, i) => ({ hookId: hookId(i + 1), nextAttemptAt })),
    });
    const two = given(...WAITING, hookQueued(2));
    two
      .when({ type: 'RescheduleWebhooks', hookIds, to: { byMs: HOUR } })
      .gives([rescheduled(NOW + HOUR, NOW + HOUR)], { affected: 2 });
    const later = given(...WAITING, hookQueued(2), rescheduled(NOW + HOUR));
    later
      .when({ type: 'RescheduleWebhooks', hookIds, to: { at: NOW } })
      .gives([rescheduled(NOW)], { affected: 1 });
  });

  it('are told when it is too much at once', () => {
    const many = Array.from({ length: 501 }, (_, i) => hookQueued(i + 1, { queueId: i + 1 }));
    given(OPENED, QUEUED, ...many)
      .when({ type: 'CancelWebhooks', hookIds: many.map(({ hookId: id }) => id) })
      .refused('TooMuchAtOnce');
  });
});

describe('a webhook that ended', () => {
  const end = [...WAITING, hookStarted(1, 1, NOW)];

  it('is remembered for as long as is set by then (queue 36)', () => {
    const keepUntil = NOW + HOUR;
    const kept = { ...retired('delivered'), keepUntil } as const;
    const state = given(...end)
      .when(finish(1, TAKEN), { keepRetiredHooksMs: HOUR })
      .gives([hookEnded(1, 1, TAKEN), kept]);
    assert.equal(state.remembersWebhooksUpTo(keepUntil), false);
    assert.equal(state.remembersWebhooksUpTo(keepUntil + 1), true);
  });

  it('is forgotten when its time is over, not before, whatever is set then (queue 36)', () => {
    const keepUntil = NOW + HOUR;
    const kept = { ...retired('delivered'), keepUntil } as const;
    const after = given(...end, hookEnded(1, 1, TAKEN), kept);
    const forget = { type: 'ForgetRetired' } as const;
    after.under({ at: keepUntil }).when(forget, { keepRetiredHooksMs: 1 }).gives([]);
    const upTo = keepUntil + 1;
    const state = after
      .under({ at: upTo })
      .when(forget)
      .gives([{ type: 'RetiredForgotten', upTo }]);
    assert.equal(state.remembersWebhooksUpTo(upTo + 1), false, 'it is forgotten once');
  });
});

describe('an account that is being removed', () => {
  it('begins no attempt any more, and ends what was begun (queue 35)', () => {
    const policy = { ...CONTEXT.policy, isClosed: true };
    given(...WAITING)
      .under({ policy })
      .when(start())
      .refused('NoSuchAccount');
    given(...WAITING)
      .under({ policy })
      .when({ type: 'CancelWebhooks', hookIds: [hookId(1)] })
      .gives([retired('canceled')]);
  });
});
