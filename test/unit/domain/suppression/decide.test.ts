/** Addresses that an account does not write to: by hand, and after failures. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { delivered, given, INBOX_ID, OPENED } from '../../../support/given.ts';
import {
  FIRST,
  LATER,
  notice,
  QUEUED,
  REFUSAL,
  started,
  SUBMISSION,
} from '../../../support/queued.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { FinishAttempt } from '#domain/queue/attempts';
import type {
  AttemptReply,
  BounceRelated,
  MessageQueued,
  QueueEvent,
  RetiredOutcome,
} from '#domain/queue/events';
import type { ReceivedBounce } from '#domain/queue/state';
import type { AddressSuppressed } from '#domain/suppression/events';
import type { QueueId } from '#domain/values/ids';

const ADDED: AccountEvent = {
  type: 'AddressSuppressed',
  baseAddress: 'ab@b.example',
  address: 'A.b-c+d@b.example',
  reason: 'asked for',
  manual: true,
};

describe('by hand (webapi 24)', () => {
  it('an address is suppressed once, with all that have the same base', () => {
    const add = {
      type: 'SuppressAddress',
      address: 'A.b-c+d@b.example',
      reason: 'asked for',
    } as const;
    const state = given(OPENED).when(add).gives([ADDED], { baseAddress: 'ab@b.example' });
    assert.equal(state.suppression('ab@b.example')?.address, 'A.b-c+d@b.example');
    given(OPENED, ADDED)
      .when({ ...add, address: 'aB@b.example' })
      .refused('AddressSuppressedAlready');
  });

  it('an address is let go by any that has the same base, once', () => {
    const remove = { type: 'UnsuppressAddress', address: 'aB+zzz@b.example' } as const;
    const removed: AccountEvent = { type: 'AddressUnsuppressed', baseAddress: 'ab@b.example' };
    const state = given(OPENED, ADDED).when(remove).gives([removed]);
    assert.equal(state.suppression('ab@b.example'), undefined);
    given(OPENED, ADDED, removed).when(remove).refused('AddressNotSuppressed');
    given(OPENED)
      .when({ ...remove, address: 'abx@b.example' })
      .refused('AddressNotSuppressed');
  });
});

/** The attempt of an item to a@example.org ends for good. */
function failing(reply: AttemptReply, queueId: QueueId = FIRST): FinishAttempt {
  const outcome = { type: 'failed', reply, permanent: true } as const;
  return { type: 'FinishAttempt', queueId, attempt: 1, attemptsMax: 8, outcome };
}

function failedForGood(reply: AttemptReply, queueId: QueueId = FIRST): readonly QueueEvent[] {
  return [
    { type: 'AttemptFailed', queueId, attempt: 1, ...reply, permanent: true },
    { type: 'MessageRetired', queueId, outcome: 'failed' },
  ];
}

function suppressedFor(what: string, queueId: QueueId = FIRST): AddressSuppressed {
  return {
    type: 'AddressSuppressed',
    baseAddress: 'a@example.org',
    address: 'a@example.org',
    reason: `delivery failure from queue ${what}`,
    manual: false,
    queueId,
  };
}

describe('a failure for good', () => {
  it('suppresses the address when the code says that it is no good (webapi 25)', () => {
    given(OPENED, QUEUED, started(1))
      .when(failing(REFUSAL))
      .gives([...failedForGood(REFUSAL), suppressedFor('with smtp code 550, enhanced code "1.1"')]);
  });

  it('suppresses nothing twice', () => {
    const before: AccountEvent = { ...ADDED, baseAddress: 'a@example.org' };
    given(OPENED, before, QUEUED, started(1)).when(failing(REFUSAL)).gives(failedForGood(REFUSAL));
  });

  it('suppresses nothing when nobody answered (queue 19)', () => {
    const silence = { code: 0, enhancedCode: '', text: 'no answer' };
    given(OPENED, QUEUED, started(1)).when(failing(silence)).gives(failedForGood(silence));
  });
});

describe('three failures in a row (webapi 27)', () => {
  const reply: AttemptReply = { code: 554, enhancedCode: '5.0.0', text: 'no' };
  const queued = (queueId: QueueId, recipient = 'a@example.org'): MessageQueued => ({
    type: 'MessageQueued',
    items: [{ queueId, recipient }],
    ...SUBMISSION,
    envelopeId: `e${queueId}`,
    nextAttemptAt: 0,
  });
  const ending = (
    queueId: QueueId,
    outcome: RetiredOutcome,
    recipient?: string,
  ): readonly AccountEvent[] => [
    queued(queueId, recipient),
    { type: 'MessageRetired', queueId, outcome, keepUntil: LATER },
  ];
  const third = FIRST + 20;
  const last = [queued(third), started(1, third)];
  const inRow = suppressedFor('and three consecutive failures', third);
  const suppressesAfter = (...events: readonly AccountEvent[]): void => {
    given(OPENED, ...events, ...last)
      .when(failing(reply, third))
      .gives([...failedForGood(reply, third), inRow]);
  };
  const suppressesNothingAfter = (...events: readonly AccountEvent[]): void => {
    given(OPENED, ...events, ...last)
      .when(failing(reply, third))
      .gives(failedForGood(reply, third));
  };
  /** A report about an item that comes in later. */
  const bounced = (queueId: QueueId, more: Partial<BounceRelated> = {}): AccountEvent => ({
    type: 'BounceRelated',
    queueId,
    action: 'failed',
    isDsn: true,
    ...reply,
    messageId: 1,
    ...more,
  });

  it('suppress the address with the third (webapi 27, smtp 126)', () => {
    suppressesNothingAfter(...ending(FIRST, 'failed'));
    suppressesAfter(...ending(FIRST, 'failed'), ...ending(FIRST + 1, 'failed'));
  });

  it('also when the last attempt failed for now', () => {
    const later: AttemptReply = { code: 450, enhancedCode: '4.0.0', text: 'later' };
    const failure = failing(later, third);
    given(OPENED, ...ending(FIRST, 'failed'), ...ending(FIRST + 1, 'failed'), ...last)
      .when({
        ...failure,
        attemptsMax: 1,
        outcome: { type: 'failed', reply: later, permanent: false },
      })
      .gives([
        { type: 'AttemptFailed', queueId: third, attempt: 1, ...later, permanent: false },
        { type: 'MessageRetired', queueId: third, outcome: 'failed' },
        inRow,
      ]);
  });

  it('are not in a row with a delivery between them', () => {
    suppressesNothingAfter(
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'failed'),
      ...ending(FIRST + 2, 'delivered'),
    );
  });

  it('are in a row whatever was canceled or suppressed between them', () => {
    suppressesAfter(
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'canceled'),
      ...ending(FIRST + 2, 'suppressed'),
      ...ending(FIRST + 3, 'failed'),
    );
  });

  it('are neither what was canceled nor what was suppressed, nor mail to others', () => {
    suppressesNothingAfter(
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'canceled'),
      ...ending(FIRST + 2, 'suppressed'),
      ...ending(FIRST + 3, 'failed', 'a+x@example.org'),
    );
  });

  it('are no reports of ours', () => {
    const [, ended] = ending(FIRST, 'failed');
    assert.ok(ended);
    const report = { ...queued(FIRST), report: 'tls' } as const;
    suppressesNothingAfter(report, ended, ...ending(FIRST + 1, 'failed'));
  });

  it('need a memory of what was sent', () => {
    const forgotten: AccountEvent = { type: 'RetiredForgotten', upTo: LATER + 1 };
    suppressesNothingAfter(...ending(FIRST, 'failed'), ...ending(FIRST + 1, 'failed'), forgotten);
    const unkept: AccountEvent = { type: 'MessageRetired', queueId: FIRST, outcome: 'failed' };
    suppressesNothingAfter(queued(FIRST), unkept, ...ending(FIRST + 1, 'failed'));
  });

  it('may have been told by a DSN, which is what happened last', () => {
    suppressesAfter(
      ...ending(FIRST, 'delivered'),
      ...ending(FIRST + 1, 'delivered'),
      bounced(FIRST),
      bounced(FIRST + 1),
    );
    suppressesNothingAfter(
      ...ending(FIRST, 'delivered'),
      ...ending(FIRST + 1, 'failed'),
      bounced(FIRST, { mayBeForged: true }),
    );
    suppressesNothingAfter(
      ...ending(FIRST, 'delivered'),
      ...ending(FIRST + 1, 'failed'),
      bounced(FIRST, { action: 'delayed' }),
    );
  });

  it('may end with a DSN about a message that was counted as delivered', () => {
    const report: ReceivedBounce = {
      references: [{ type: 'envelope-id', envelopeId: `e${third}`, recipient: 'a@example.org' }],
      isDsn: true,
      action: 'failed',
      reply,
    };
    given(
      OPENED,
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'failed'),
      ...ending(third, 'delivered'),
    )
      .when({ ...notice(), bounce: report })
      .gives([
        delivered(INBOX_ID, 1),
        bounced(third),
        { ...inRow, reason: 'delivery failure from DSN and three consecutive failures' },
      ]);
  });
});
