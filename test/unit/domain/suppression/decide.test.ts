/** Addresses that an account does not write to: by hand, and after failures. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { given, OPENED } from '../../../support/given.ts';
import { FIRST, QUEUED, REFUSAL, started, SUBMISSION } from '../../../support/queued.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { FinishAttempt } from '#domain/queue/attempts';
import type { AttemptReply, QueueEvent } from '#domain/queue/events';
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

function suppressedFor(what: string, queueId: QueueId = FIRST): AccountEvent {
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
  const queued = (queueId: QueueId, recipient = 'a@example.org'): AccountEvent => ({
    type: 'MessageQueued',
    items: [{ queueId, recipient }],
    ...SUBMISSION,
    nextAttemptAt: 0,
  });
  const ending = (
    queueId: QueueId,
    outcome: 'failed' | 'delivered' | 'canceled' | 'suppressed',
    recipient?: string,
  ): readonly AccountEvent[] => [
    queued(queueId, recipient),
    { type: 'MessageRetired', queueId, outcome },
  ];
  const third = FIRST + 20;
  const last = [queued(third), started(1, third)];

  it('suppress the address with the third', () => {
    given(OPENED, ...ending(FIRST, 'failed'), ...last)
      .when(failing(reply, third))
      .gives(failedForGood(reply, third));
    given(OPENED, ...ending(FIRST, 'failed'), ...ending(FIRST + 1, 'failed'), ...last)
      .when(failing(reply, third))
      .gives([
        ...failedForGood(reply, third),
        suppressedFor('and three consecutive failures', third),
      ]);
  });

  it('also when the last attempt failed for now', () => {
    const later: AttemptReply = { code: 450, enhancedCode: '4.0.0', text: 'later' };
    const failure = failing(later, third);
    const state = given(
      OPENED,
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'failed'),
      ...last,
    );
    state
      .when({
        ...failure,
        attemptsMax: 1,
        outcome: { ...failure.outcome, permanent: false } as never,
      })
      .gives([
        { type: 'AttemptFailed', queueId: third, attempt: 1, ...later, permanent: false },
        { type: 'MessageRetired', queueId: third, outcome: 'failed' },
        suppressedFor('and three consecutive failures', third),
      ]);
  });

  it('are not in a row with a delivery between them', () => {
    given(
      OPENED,
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'failed'),
      ...ending(FIRST + 2, 'delivered'),
      ...last,
    )
      .when(failing(reply, third))
      .gives(failedForGood(reply, third));
  });

  it('are neither what was canceled nor what was suppressed, nor mail to others', () => {
    given(
      OPENED,
      ...ending(FIRST, 'failed'),
      ...ending(FIRST + 1, 'canceled'),
      ...ending(FIRST + 2, 'suppressed'),
      ...ending(FIRST + 3, 'failed', 'a+x@example.org'),
      ...last,
    )
      .when(failing(reply, third))
      .gives(failedForGood(reply, third));
  });
});
