/** Attempts: one at a time, each ended once, with everything that follows in one decision. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTEXT, delivered, given, INBOX_ID, OPENED } from '../../../support/given.ts';
import {
  failed,
  FIRST,
  LATER,
  notice,
  QUEUED,
  REFUSAL,
  REPLY,
  SECOND,
  started,
  THIRD,
} from '../../../support/queued.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { AttemptOutcome, FinishAttempt, Notices, StartAttempt } from '#domain/queue/attempts';
import type { AttemptReply, QueueEvent } from '#domain/queue/events';
import { ATTEMPTS_MAX } from '#domain/queue/outcome';
import type { QueueId } from '#domain/values/ids';

function start(...queueIds: readonly QueueId[]): StartAttempt {
  return { type: 'StartAttempt', queueIds, nextAttemptAt: LATER, transport: '' };
}

function finish(attempt: number, outcome: AttemptOutcome, queueId: QueueId = FIRST): FinishAttempt {
  return { type: 'FinishAttempt', queueId, attempt, attemptsMax: ATTEMPTS_MAX, outcome };
}

function failure(
  permanent: boolean,
  reply: AttemptReply = REPLY,
  notices: Notices = {},
): AttemptOutcome {
  return { type: 'failed', reply, permanent, notices };
}

/** The first item is in its first attempt. */
const TRYING: readonly AccountEvent[] = [OPENED, QUEUED, started(1)];

function failedForGood(reply: AttemptReply = REPLY, attempt: number = 1): QueueEvent {
  return { type: 'AttemptFailed', queueId: FIRST, attempt, ...reply, permanent: true };
}

const RETIRED: QueueEvent = { type: 'MessageRetired', queueId: FIRST, outcome: 'failed' };

/** Attempts that failed for now. */
function tried(times: number): readonly QueueEvent[] {
  return Array.from({ length: times }, (_, i) => [started(i + 1), failed(i + 1)]).flat();
}

describe('an attempt', () => {
  it('starts with a number, and only when none is in progress', () => {
    given(OPENED, QUEUED)
      .when(start(FIRST))
      .gives([started(1)], { attempt: 1, queueIds: [FIRST], suppressed: [] });
    given(...TRYING)
      .when(start(FIRST))
      .refused('AttemptNotCurrent');
    given(OPENED, QUEUED, ...tried(1))
      .under({ at: LATER })
      .when(start(FIRST))
      .gives([started(2)]);
    given(OPENED).when(start(FIRST)).refused('NoSuchQueueItem');
    given(OPENED).when(start()).refused('NoSuchQueueItem');
  });

  it('does not start before its time, nor while the item is held (queue 23)', () => {
    given(OPENED, QUEUED, ...tried(1))
      .when(start(FIRST))
      .refused('AttemptNotCurrent');
    given(OPENED, QUEUED, ...tried(1))
      .under({ at: LATER - 1 })
      .when(start(FIRST))
      .refused('AttemptNotCurrent');
    given(OPENED, QUEUED, { type: 'MessagesHeld', queueIds: [FIRST] })
      .when(start(FIRST))
      .refused('AttemptNotCurrent');
  });

  it('that fails for now leaves the item for the next one', () => {
    const state = given(...TRYING)
      .when(finish(1, failure(false)))
      .gives([failed(1)], { retired: false });
    assert.partialDeepStrictEqual(state.queueItem(FIRST), {
      inAttempt: false,
      attempts: 1,
      nextAttemptAt: LATER,
    });
  });

  it('that fails for good retires the item in the same decision (queue 4)', () => {
    const reply = { ...REFUSAL, code: 554, enhancedCode: '5.0.0' };
    const state = given(...TRYING)
      .when(finish(1, failure(true, reply)))
      .gives([failedForGood(reply), RETIRED], { retired: true });
    assert.equal(state.queueItem(FIRST), undefined);
    assert.equal(state.queueItem(SECOND)?.attempts, 0);
  });

  it('that fails for good tells the sender in the same decision, where there is a place', () => {
    const last = [failedForGood(), RETIRED];
    given(...TRYING)
      .when(finish(1, failure(true, REPLY, { failed: notice() })))
      .gives([...last, delivered(INBOX_ID, 1)]);
    given(...TRYING)
      .when(finish(1, failure(true, REPLY, { failed: notice('none') })))
      .gives(last);
    given(...TRYING)
      .when(finish(1, failure(false, REPLY, { failed: notice() })))
      .gives([failed(1)]);
  });

  it('tells of the delay after the fifth, and never again (queue 2)', () => {
    for (const times of [4, 5, 6]) {
      const attempt = times;
      given(OPENED, QUEUED, ...tried(attempt - 1), started(attempt))
        .when(finish(attempt, failure(false, REPLY, { delayed: notice() })))
        .gives([failed(attempt), ...(attempt === 5 ? [delivered(INBOX_ID, 1)] : [])]);
    }
  });

  it('is the last one after eight, told as a failure (queue 1, 2)', () => {
    given(OPENED, QUEUED, ...tried(ATTEMPTS_MAX - 1), started(ATTEMPTS_MAX))
      .when(finish(ATTEMPTS_MAX, failure(false, REPLY, { failed: notice(), delayed: notice() })))
      .gives([omitNext(failed(ATTEMPTS_MAX)), RETIRED, delivered(INBOX_ID, 1)]);
  });

  it('is the last one after as many as the message has, which is never told late (queue 3)', () => {
    given(OPENED, { ...QUEUED, attemptsMax: 5 }, ...tried(4), started(5))
      .when(finish(5, failure(false, REPLY, { delayed: notice() })))
      .gives([omitNext(failed(5)), RETIRED]);
  });

  it('can be finished once, and only by its number', () => {
    given(OPENED, QUEUED)
      .when(finish(1, failure(false)))
      .refused('AttemptNotCurrent');
    given(...TRYING)
      .when(finish(2, failure(false)))
      .refused('AttemptNotCurrent');
    given(...TRYING, failed(1))
      .when(finish(1, failure(true)))
      .refused('AttemptNotCurrent');
    given(OPENED)
      .when(finish(1, failure(true)))
      .refused('NoSuchQueueItem');
  });

  it('remembers whom it dialed until the item is gone (queue 20)', () => {
    const remote = { host: 'mx.example.org', ip: '2001:db8::1' };
    const dialed = [remote, { host: 'mx.example.org', ip: '192.0.2.1' }];
    const outcome = { ...failure(false), remote, dialed };
    const state = given(...TRYING)
      .when(finish(1, outcome))
      .gives([{ ...failed(1), remote, dialed } as QueueEvent]);
    assert.deepEqual(state.queueItem(FIRST)?.dialed, dialed);
  });
});

describe('a delivery', () => {
  const reply: AttemptReply = { code: 250, enhancedCode: '2.0.0', text: 'taken' };
  const succeeded: QueueEvent = { type: 'AttemptSucceeded', queueId: FIRST, attempt: 1, ...reply };
  const retired: QueueEvent = { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' };

  it('is remembered for as long as the account says at that time (queue 5, 36)', () => {
    const day = 24 * 3_600_000;
    given(...TRYING)
      .when(finish(1, { type: 'delivered', reply }))
      .gives([succeeded, retired], { retired: true });
    given(...TRYING)
      .when(finish(1, { type: 'delivered', reply }), { keepRetiredMs: 3 * day })
      .gives([succeeded, { ...retired, keepUntil: CONTEXT.at + 3 * day }]);
  });

  it('in local mode records the outcome and the copy together, or nothing', () => {
    given(...TRYING)
      .when(finish(1, { type: 'delivered', reply, copy: notice() }))
      .gives([succeeded, retired, delivered(INBOX_ID, 1)], {
        retired: true,
        copy: { mailboxId: INBOX_ID, uid: 1 },
      });
    given(...TRYING)
      .when(finish(1, { type: 'delivered', reply, copy: notice('none') }))
      .refused('NoSuchTarget');
  });

  it('in local mode records what the copy is about', () => {
    const fromId = { id: 'k3v4', mailFrom: 'daybook+k3v4@localhost' };
    const other = { ...QUEUED, items: [{ queueId: THIRD, recipient: 'c@example.org', fromId }] };
    const action = 'unrecognized' as const;
    const bounce = {
      references: [{ type: 'from-id', fromId: 'k3v4' }],
      isDsn: false,
      action,
      reply,
    } as const;
    const related: QueueEvent = {
      type: 'BounceRelated',
      queueId: THIRD,
      action,
      isDsn: false,
      ...reply,
      messageId: 1,
    };
    given(...TRYING, other)
      .when(finish(1, { type: 'delivered', reply, copy: { ...notice(), bounce } }))
      .gives([succeeded, retired, delivered(INBOX_ID, 1), related]);
  });
});

describe('items of one message', () => {
  const together = start(FIRST, SECOND);

  it('go in one attempt, and each has its own outcome (queue 11, 12)', () => {
    given(OPENED, QUEUED)
      .when(together)
      .gives([started(1, FIRST, SECOND)], { attempt: 1, queueIds: [FIRST, SECOND] });
    const reply = { ...REFUSAL, enhancedCode: '5.0.0', code: 554 };
    const state = given(OPENED, QUEUED, started(1, FIRST, SECOND))
      .when(finish(1, failure(true, reply)))
      .gives([failedForGood(reply), RETIRED]);
    assert.equal(state.queueItem(SECOND)?.inAttempt, true);
  });

  it('are named once, however often they are asked for', () => {
    given(OPENED, QUEUED)
      .when(start(FIRST, SECOND, FIRST, SECOND))
      .gives([started(1, FIRST, SECOND)]);
  });

  it('stay behind when they differ in anything that counts (queue 14)', () => {
    const differences: readonly (readonly QueueEvent[])[] = [
      [{ type: 'TlsRequirementSet', queueIds: [SECOND], requireTls: true }],
      [{ type: 'TransportForced', queueIds: [SECOND], transport: 'x' }],
      [started(1, SECOND), failed(1, SECOND)],
      [started(1, SECOND)],
      [{ type: 'MessagesHeld', queueIds: [SECOND] }],
      [{ type: 'MessagesRescheduled', items: [{ queueId: SECOND, nextAttemptAt: LATER }] }],
    ];
    for (const events of differences) {
      given(OPENED, QUEUED, ...events)
        .when(together)
        .gives([started(1)], { queueIds: [FIRST] });
    }
  });

  it('stay behind when they are not of the same message', () => {
    const { baseId: _, ...alone } = QUEUED;
    given(OPENED, alone)
      .when(together)
      .gives([started(1)]);
  });
});

describe('an address that is suppressed', () => {
  const suppressed: AccountEvent = {
    type: 'AddressSuppressed',
    baseAddress: 'b@example.org',
    address: 'b+x@example.org',
    reason: 'no',
    manual: true,
  };

  it('is told apart from the others when the attempt starts (queue 13)', () => {
    given(OPENED, suppressed, QUEUED)
      .when(start(FIRST, SECOND))
      .gives([started(1, FIRST, SECOND)], { suppressed: [SECOND] });
  });

  it('fails without a code, and the sender is told (webapi 26)', () => {
    given(OPENED, suppressed, QUEUED, started(1, SECOND))
      .when(finish(1, { type: 'suppressed', notices: { failed: notice() } }, SECOND))
      .gives(
        [
          {
            type: 'AttemptFailed',
            queueId: SECOND,
            attempt: 1,
            code: 0,
            enhancedCode: '',
            text: 'The address is on the suppression list.',
            permanent: true,
          },
          { type: 'MessageRetired', queueId: SECOND, outcome: 'suppressed' },
          delivered(INBOX_ID, 1),
        ],
        { retired: true },
      );
  });
});

describe('an item that is to end while it is in an attempt', () => {
  const asked = (how: 'fail' | 'drop'): readonly AccountEvent[] => [
    ...TRYING,
    { type: 'CancelRequested', queueIds: [FIRST], how },
  ];
  const canceled = (how: 'fail' | 'drop'): readonly QueueEvent[] => [
    { type: 'DeliveryCanceled', queueId: FIRST, how },
    { type: 'MessageRetired', queueId: FIRST, outcome: 'canceled' },
  ];
  const notices = { failed: notice() };

  it('ends with the attempt, telling the sender or not (queue 25)', () => {
    given(...asked('drop'))
      .when(finish(1, failure(false, REPLY, notices)))
      .gives([omitNext(failed(1)), ...canceled('drop')], { retired: true });
    given(...asked('fail'))
      .when(finish(1, failure(false, REPLY, notices)))
      .gives([omitNext(failed(1)), ...canceled('fail'), delivered(INBOX_ID, 1)]);
  });

  it('is canceled also when it would have failed anyway; its address is not blamed', () => {
    given(...asked('drop'))
      .when(finish(1, failure(true, REFUSAL, notices)))
      .gives([failedForGood(REFUSAL), ...canceled('drop')]);
    given(...asked('drop'))
      .when(finish(1, { type: 'suppressed', notices }))
      .gives([failedForGood(SUPPRESSED), ...canceled('drop')]);
  });

  it('is delivered when it is delivered (queue 25)', () => {
    const reply: AttemptReply = { code: 250, enhancedCode: '2.0.0', text: 'taken' };
    given(...asked('drop'))
      .when(finish(1, { type: 'delivered', reply }))
      .gives([
        { type: 'AttemptSucceeded', queueId: FIRST, attempt: 1, ...reply },
        { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' },
      ]);
  });
});

const SUPPRESSED: AttemptReply = {
  code: 0,
  enhancedCode: '',
  text: 'The address is on the suppression list.',
};

function omitNext(event: QueueEvent): QueueEvent {
  if (event.type !== 'AttemptFailed') return event;
  const { nextAttemptAt: _, ...others } = event;
  return others;
}

describe('attempts that a crash cut short (queue 6)', () => {
  const close = { type: 'CloseInterruptedAttempts' } as const;

  it('are closed as unknown; the next one is due when the lost one said', () => {
    const state = given(...TRYING)
      .when(close)
      .gives([{ type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 }], {
        closed: 1,
        canceled: [],
      });
    assert.partialDeepStrictEqual(state.queueItem(FIRST), {
      inAttempt: false,
      nextAttemptAt: LATER,
      attempts: 1,
    });
    given(OPENED, QUEUED).when(close).gives([], { closed: 0 });
  });

  it('of items that were to end are named, and never begun again', () => {
    const cancel: QueueEvent = { type: 'CancelRequested', queueIds: [FIRST], how: 'drop' };
    given(...TRYING, cancel)
      .when(close)
      .gives([{ type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 }], { canceled: [FIRST] });
    given(...TRYING, cancel, { type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 })
      .under({ at: LATER })
      .when(start(FIRST))
      .refused('AttemptNotCurrent');
  });
});
