/** Rules about outgoing mail: one item per recipient, one attempt at a time, one end. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ARRIVAL,
  CONTEXT,
  delivered,
  given,
  INBOX_ID,
  OPENED,
  stored,
} from '../../../support/given.ts';
import type { DeliverMessage } from '#domain/message/decide';
import type { FinishAttempt, QueueMessage } from '#domain/queue/decide';
import type { AttemptReply, MessageQueued, QueueEvent } from '#domain/queue/events';
import { ATTEMPTS_MAX } from '#domain/queue/outcome';

/** The first two queue ids of account 7. */
const FIRST: number = 7 * 2 ** 32 + 1;
const SECOND: number = FIRST + 1;

const SUBMISSION = {
  mailFrom: 'daybook@localhost',
  body: 'cd'.repeat(32),
  prefix: '',
  sizeBytes: 10,
  headerId: '<1@localhost>',
  smtpUtf8: false,
  eightBit: true,
} as const;

const QUEUED: MessageQueued = {
  type: 'MessageQueued',
  items: [
    { queueId: FIRST, recipient: 'a@example.org' },
    { queueId: SECOND, recipient: 'b@example.org' },
  ],
  ...SUBMISSION,
  nextAttemptAt: CONTEXT.at,
};

const REPLY: AttemptReply = { code: 450, enhancedCode: '4.2.0', text: 'later' };

function started(attempt: number): QueueEvent {
  return { type: 'AttemptStarted', queueId: FIRST, attempt, nextAttemptAt: 2_000_000_000 };
}

function failed(attempt: number): QueueEvent {
  return {
    type: 'AttemptFailed',
    queueId: FIRST,
    attempt,
    ...REPLY,
    permanent: false,
    nextAttemptAt: 2_000_000_000,
  };
}

function failure(attempt: number, permanent: boolean, notice?: DeliverMessage): FinishAttempt {
  const outcome = {
    type: 'failed',
    reply: REPLY,
    permanent,
    nextAttemptAt: 2_000_000_000,
    ...(notice === undefined ? {} : { notice }),
  } as const;
  return { type: 'FinishAttempt', queueId: FIRST, attempt, outcome };
}

describe('queueing a message', () => {
  it('makes one item per recipient, all in one event', () => {
    const command: QueueMessage = {
      type: 'QueueMessage',
      recipients: ['a@example.org', 'b@example.org'],
      ...SUBMISSION,
    };
    const state = given(OPENED).when(command).gives([QUEUED], { items: QUEUED.items });
    assert.equal(state.nextNumbers().queueId, 3);
    assert.equal(state.queueItem(SECOND)?.recipient, 'b@example.org');
  });

  it('tells very many recipients as two events', () => {
    const recipients = Array.from({ length: 1000 }, (_, i) => `${'x'.repeat(300)}${i}@example.org`);
    const state = given(OPENED).state;
    const command: QueueMessage = { type: 'QueueMessage', recipients, ...SUBMISSION };
    const items = recipients.map((recipient, i) => ({ queueId: FIRST + i, recipient }));
    const cut = items.findIndex(
      (_, i) => JSON.stringify(items.slice(0, i + 1)).length - 1 > 248 * 1024,
    );
    given(OPENED)
      .when(command)
      .gives([
        { ...QUEUED, items: items.slice(0, cut) },
        { ...QUEUED, items: items.slice(cut) },
      ]);
    assert.equal(state.nextNumbers().queueId, 1);
  });
});

describe('an attempt', () => {
  it('starts with a number, and only when none is in progress', () => {
    const start = { type: 'StartAttempt', queueId: FIRST, nextAttemptAt: 2_000_000_000 } as const;
    given(OPENED, QUEUED)
      .when(start)
      .gives([started(1)], { attempt: 1 });
    given(OPENED, QUEUED, started(1)).when(start).refused('AttemptNotCurrent');
    given(OPENED, QUEUED, started(1), failed(1))
      .when(start)
      .gives([started(2)]);
    given(OPENED).when(start).refused('NoSuchQueueItem');
  });

  it('that fails for now leaves the item for the next one', () => {
    given(OPENED, QUEUED, started(1))
      .when(failure(1, false))
      .gives([failed(1)], { retired: false });
  });

  it('that fails for good retires the item in the same decision', () => {
    const state = given(OPENED, QUEUED, started(1))
      .when(failure(1, true))
      .gives(
        [
          { type: 'AttemptFailed', queueId: FIRST, attempt: 1, ...REPLY, permanent: true },
          { type: 'MessageRetired', queueId: FIRST, outcome: 'failed' },
        ],
        { retired: true },
      );
    assert.equal(state.queueItem(FIRST), undefined);
    assert.equal(state.queueItem(SECOND)?.attempts, 0);
  });

  it('that fails for good tells the sender in the same decision, where there is a place', () => {
    const notice = (mailbox: string): DeliverMessage => ({
      type: 'DeliverMessage',
      mailbox,
      message: stored(),
      arrival: ARRIVAL,
    });
    const last: readonly QueueEvent[] = [
      { type: 'AttemptFailed', queueId: FIRST, attempt: 1, ...REPLY, permanent: true },
      { type: 'MessageRetired', queueId: FIRST, outcome: 'failed' },
    ];
    const before = [OPENED, QUEUED, started(1)];
    given(...before)
      .when(failure(1, true, notice('Inbox')))
      .gives([...last, delivered(INBOX_ID, 1)]);
    given(...before)
      .when(failure(1, true, notice('none')))
      .gives(last);
    given(...before)
      .when(failure(1, false, notice('Inbox')))
      .gives([failed(1)]);
  });

  it('is the last one after eight', () => {
    const before = Array.from({ length: ATTEMPTS_MAX - 1 }, (_, i) => [
      started(i + 1),
      failed(i + 1),
    ]).flat();
    given(OPENED, QUEUED, ...before, started(ATTEMPTS_MAX))
      .when(failure(ATTEMPTS_MAX, false))
      .gives([
        {
          type: 'AttemptFailed',
          queueId: FIRST,
          attempt: ATTEMPTS_MAX,
          ...REPLY,
          permanent: false,
        },
        { type: 'MessageRetired', queueId: FIRST, outcome: 'failed' },
      ]);
  });

  it('that succeeds records the outcome and the copy together', () => {
    const reply: AttemptReply = { code: 250, enhancedCode: '2.0.0', text: 'taken' };
    const copy = {
      type: 'DeliverMessage',
      mailbox: 'Inbox',
      message: stored(),
      arrival: ARRIVAL,
    } as const;
    const finish: FinishAttempt = {
      type: 'FinishAttempt',
      queueId: FIRST,
      attempt: 1,
      outcome: { type: 'delivered', reply, copy },
    };
    given(OPENED, QUEUED, started(1))
      .when(finish)
      .gives(
        [
          { type: 'AttemptSucceeded', queueId: FIRST, attempt: 1, ...reply },
          { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' },
          delivered(INBOX_ID, 1),
        ],
        { retired: true, copy: { mailboxId: INBOX_ID, uid: 1 } },
      );
    // Without the copy, nothing was delivered: nothing is recorded.
    given(OPENED, QUEUED, started(1))
      .when({
        ...finish,
        outcome: { type: 'delivered', reply, copy: { ...copy, mailbox: 'none' } },
      })
      .refused('NoSuchTarget');
    given(OPENED, QUEUED, started(1))
      .when({ ...finish, outcome: { type: 'delivered', reply } })
      .gives(
        [
          { type: 'AttemptSucceeded', queueId: FIRST, attempt: 1, ...reply },
          { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' },
        ],
        { retired: true },
      );
  });

  it('can be finished once, and only by its number', () => {
    given(OPENED, QUEUED).when(failure(1, false)).refused('AttemptNotCurrent');
    given(OPENED, QUEUED, started(1)).when(failure(2, false)).refused('AttemptNotCurrent');
    given(OPENED, QUEUED, started(1), failed(1))
      .when(failure(1, true))
      .refused('AttemptNotCurrent');
    given(OPENED).when(failure(1, true)).refused('NoSuchQueueItem');
  });
});

describe('attempts that a crash cut short', () => {
  it('are closed as unknown; the next one is due when the lost one said', () => {
    const close = { type: 'CloseInterruptedAttempts' } as const;
    const state = given(OPENED, QUEUED, started(1))
      .when(close)
      .gives([{ type: 'AttemptInterrupted', queueId: FIRST, attempt: 1 }], { closed: 1 });
    assert.equal(state.queueItem(FIRST)?.inAttempt, false);
    assert.equal(state.queueItem(FIRST)?.nextAttemptAt, 2_000_000_000);
    assert.equal(state.queueItem(FIRST)?.attempts, 1);
    given(OPENED, QUEUED).when(close).gives([], { closed: 0 });
  });
});
