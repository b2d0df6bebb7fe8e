/** What applications are told, in the append that makes it so. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARRIVAL, CONTEXT, given, INBOX_ID, OPENED, stored } from '../../../support/given.ts';
import { BOTH, hookId, hookQueued, hookStarted, occasion, URL_IN } from '../../../support/hooks.ts';
import {
  failed,
  FIRST,
  notice,
  QUEUED,
  REFUSAL,
  REPLY,
  SECOND,
  started,
} from '../../../support/queued.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import type { AccountSettings } from '#domain/directory/settings';
import type { AccountEvent } from '#domain/log/streams';
import type { AttemptOutcome } from '#domain/queue/attempts';
import type { BounceAction } from '#domain/queue/events';
import type { OutgoingEvent, WebhookEvent } from '#domain/webhook/events';

const TRYING: readonly AccountEvent[] = [OPENED, QUEUED, started(1)];
const GONE: AccountEvent = { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' };
const NO_ERROR = { code: 0, enhancedCode: '', text: '' };
const CANCELED = { ...NO_ERROR, text: 'delivery canceled by admin' };
const DELIVERED: AttemptOutcome = { type: 'delivered', reply: { ...REPLY, code: 250 } };

function finish(outcome: AttemptOutcome, attempt: number = 1): AccountCommand {
  return { type: 'FinishAttempt', queueId: FIRST, attempt, attemptsMax: 8, outcome };
}

function failure(permanent: boolean, reply: typeof REPLY = REPLY): AccountCommand {
  return finish({ type: 'failed', reply, permanent });
}

function isWebhook(event: AccountEvent): event is WebhookEvent {
  return event.type.startsWith('Webhook');
}

/** The webhooks in what is recorded for a command. */
function told(
  history: readonly AccountEvent[],
  command: AccountCommand,
  settings: Partial<AccountSettings> = BOTH,
): readonly WebhookEvent[] {
  const { state } = given(...history);
  const policy = { ...CONTEXT.policy, settings: { ...CONTEXT.policy.settings, ...settings } };
  const decision = decideAccount(command, state, { ...CONTEXT, policy });
  assert.ok(!('refused' in decision), JSON.stringify(decision));
  return decision.events.filter(isWebhook);
}

describe('of a message that was sent is told', () => {
  it('delivered, without code and error (webapi 30)', () => {
    const hooks = told(TRYING, finish(DELIVERED));
    assert.deepEqual(hooks, [hookQueued(1, { event: 'delivered', ...NO_ERROR })]);
  });

  it('delayed, after each attempt that another one follows (webapi 28)', () => {
    assert.deepEqual(told(TRYING, failure(false)), [hookQueued(1)]);
  });

  it('failed, and whether that suppresses the address (webapi 25, 28)', () => {
    assert.deepEqual(told(TRYING, failure(true, REFUSAL)), [
      hookQueued(1, { event: 'failed', suppressing: true, ...REFUSAL }),
    ]);
    assert.deepEqual(told(TRYING, failure(true)), [hookQueued(1, { event: 'failed' })]);
    const last = { ...finish({ type: 'failed', reply: REPLY, permanent: false }), attemptsMax: 1 };
    assert.deepEqual(told(TRYING, last as AccountCommand), [hookQueued(1, { event: 'failed' })]);
  });

  it('suppressed, when nobody was talked to (webapi 26)', () => {
    const [hook] = told(TRYING, finish({ type: 'suppressed' }));
    const text = 'The address is on the suppression list.';
    assert.deepEqual(hook, hookQueued(1, { event: 'suppressed', ...NO_ERROR, text }));
  });

  it('failed or canceled, when an administrator ends it (queue 24)', () => {
    const fail: AccountCommand = { type: 'FailMessage', queueId: FIRST, notice: notice() };
    assert.deepEqual(told([OPENED, QUEUED], fail), [
      hookQueued(1, { event: 'failed', ...CANCELED }),
    ]);
    const drop: AccountCommand = { type: 'DropMessages', queueIds: [FIRST, SECOND] };
    assert.deepEqual(told([OPENED, QUEUED], drop), [
      hookQueued(1, { event: 'canceled', ...CANCELED }),
      hookQueued(2, { event: 'canceled', ...CANCELED, queueId: SECOND }),
    ]);
  });

  it('canceled, when an attempt does not deliver what is to be dropped (queue 25)', () => {
    const canceling: AccountEvent = { type: 'CancelRequested', queueIds: [FIRST], how: 'drop' };
    assert.deepEqual(told([...TRYING, canceling], failure(false)), [
      hookQueued(1, { event: 'canceled', ...CANCELED }),
    ]);
    assert.deepEqual(told([...TRYING, canceling], finish(DELIVERED)), [
      hookQueued(1, { event: 'delivered', ...NO_ERROR }),
    ]);
  });

  it('nothing, when an attempt begins or is interrupted', () => {
    const start: AccountCommand = {
      type: 'StartAttempt',
      queueIds: [FIRST],
      nextAttemptAt: 5,
      transport: '',
    };
    assert.deepEqual(told([OPENED, QUEUED], start), []);
    assert.deepEqual(told(TRYING, { type: 'CloseInterruptedAttempts' }), []);
  });

  it('what the application gave along, also after it left (webapi 32)', () => {
    const extra = { Order: '4711' };
    const fromId = { id: 'k3v4', mailFrom: 'daybook+k3v4@localhost' };
    const sent: AccountEvent = {
      ...QUEUED,
      items: [{ queueId: FIRST, recipient: 'a@example.org', fromId }],
      extra,
    };
    const about = { extra, fromId: fromId.id };
    assert.deepEqual(told([OPENED, sent, started(1)], failure(false)), [hookQueued(1, about)]);
    const bounce = told([OPENED, sent, GONE], bouncing('failed', true, fromId.id));
    const suppressing = true;
    const heard = { event: 'failed', isDsn: true, suppressing, ...REFUSAL, ...about } as const;
    assert.deepEqual(bounce, [hookQueued(1, heard)]);
  });

  it('nothing, where it is a report of the server', () => {
    const report: AccountEvent = { ...QUEUED, report: 'tls' };
    assert.deepEqual(told([OPENED, report, started(1)], failure(false)), []);
  });
});

function bouncing(action: BounceAction, isDsn: boolean, fromId?: string): AccountCommand {
  const recipient = 'a@example.org';
  const reference =
    fromId === undefined
      ? ({ type: 'header-id', headerId: QUEUED.headerId, recipient } as const)
      : ({ type: 'from-id', fromId } as const);
  const bounce = { references: [reference], isDsn, action, reply: REFUSAL };
  return { ...notice(), bounce };
}

describe('mail that comes back', () => {
  it('is told as what it says of the message, and not as mail (webapi 32, 33)', () => {
    for (const event of ['failed', 'delayed'] as const) {
      assert.deepEqual(told([OPENED, QUEUED, GONE], bouncing(event, true)), [
        hookQueued(1, { event, isDsn: true, mayBeForged: true, ...REFUSAL }),
      ]);
    }
    for (const event of ['delivered', 'relayed', 'expanded'] as const) {
      assert.deepEqual(told([OPENED, QUEUED, GONE], bouncing(event, true)), [
        hookQueued(1, { event, isDsn: true, mayBeForged: true, ...REFUSAL, text: '' }),
      ]);
    }
    for (const isDsn of [true, false]) {
      assert.deepEqual(told([OPENED, QUEUED, GONE], bouncing('unrecognized', isDsn)), [
        hookQueued(1, { event: 'unrecognized', isDsn, mayBeForged: true, ...REFUSAL }),
      ]);
    }
  });

  it('is mail when it is about nothing of ours (webapi 34, 35)', () => {
    const [hook, ...others] = told([OPENED, QUEUED], bouncing('failed', true, 'unknown'));
    assert.deepEqual(others, []);
    assert.partialDeepStrictEqual(hook, { url: URL_IN, occasion: { type: 'incoming' } });
  });
});

describe('mail that comes in', () => {
  const incoming = {
    type: 'incoming',
    messageId: 1,
    mailboxId: INBOX_ID,
    mailbox: 'Inbox',
    arrival: ARRIVAL,
    receivedAt: stored().receivedAt,
    body: stored().body,
    prefix: stored().prefix,
    sizeBytes: stored().sizeBytes,
  } as const;

  it('is told with how it came', () => {
    assert.deepEqual(told([OPENED], notice()), [
      { type: 'WebhookQueued', hookId: hookId(1), url: URL_IN, occasion: incoming },
    ]);
  });

  it('is told with the name of a mailbox that is made for it', () => {
    const [hook] = told([OPENED], { ...notice('Lists'), makeMailbox: true });
    assert.partialDeepStrictEqual(hook, { occasion: { mailbox: 'Lists' } });
  });

  it('is told beside what became of it where it was sent, when that is here', () => {
    const copied = { ...DELIVERED, copy: notice() } as const;
    assert.deepEqual(
      told(TRYING, finish(copied)).map((hook) => 'url' in hook && hook.occasion.type),
      ['outgoing', 'incoming'],
    );
  });

  it('is not told when it is ours, or was put there by a client', () => {
    const notices = { failed: notice(), delayed: notice() };
    const outgoing = told(
      TRYING,
      finish({ type: 'failed', reply: REPLY, permanent: true, notices }),
    );
    assert.deepEqual(outgoing, [hookQueued(1, { event: 'failed' })]);
    assert.deepEqual(told([OPENED], { ...notice(), isSilent: true }), []);
    const append: AccountCommand = {
      type: 'AppendMessages',
      mailbox: 'Inbox',
      messages: [stored()],
    };
    assert.deepEqual(told([OPENED], append), []);
  });

  it('replaces nothing (webapi 38)', () => {
    const before = told([OPENED], notice());
    const arrived: AccountEvent[] = [OPENED, ...before];
    assert.deepEqual(
      told(arrived, notice()).map(({ type }) => type),
      ['WebhookQueued'],
    );
  });
});

describe('something newer', () => {
  const superseded = (older: number, by: number): WebhookEvent => ({
    type: 'WebhookRetired',
    hookId: hookId(older),
    outcome: 'superseded',
    supersededBy: hookId(by),
  });

  it('replaces what waits to be told of the same message (webapi 38)', () => {
    const again = [...TRYING, failed(1), hookQueued(1), started(2)];
    assert.deepEqual(told(again, finish(DELIVERED, 2)), [
      hookQueued(2, { event: 'delivered', ...NO_ERROR }),
      superseded(1, 2),
    ]);
  });

  it('replaces also what is under way (webapi 38)', () => {
    const again = [...TRYING, failed(1), hookQueued(1), hookStarted(1, 1, 5), started(2)];
    const { state } = given(...again, hookQueued(2), superseded(1, 2));
    assert.deepEqual(
      state.pendingWebhooksOf(FIRST).map((hook) => hook.hookId),
      [hookId(2)],
    );
    assert.partialDeepStrictEqual(state.webhook(hookId(1)), { inFlight: true, isRetired: true });
  });

  it('replaces nothing when it is not told, or was told before', () => {
    const waiting = [...TRYING, failed(1), hookQueued(1), started(2)];
    const onlyFailed = { ...BOTH.outgoingWebhook, url: 'http://x', events: ['failed' as const] };
    assert.deepEqual(told(waiting, finish(DELIVERED, 2), { outgoingWebhook: onlyFailed }), []);
    const done: AccountEvent = { type: 'WebhookRetired', hookId: hookId(1), outcome: 'delivered' };
    assert.deepEqual(told([...waiting, done], finish(DELIVERED, 2)), [
      hookQueued(2, { event: 'delivered', ...NO_ERROR }),
    ]);
  });

  describe('that may be forged', () => {
    const forged = { isDsn: true, mayBeForged: true, ...REFUSAL } as const;
    const fromId = { id: 'k3v4', mailFrom: 'daybook+k3v4@localhost' };
    const sent: AccountEvent = {
      ...QUEUED,
      items: [{ queueId: FIRST, recipient: 'a@example.org', fromId }],
    };
    const waiting: readonly AccountEvent[] = [OPENED, sent, started(1), failed(1), hookQueued(1)];

    it('is told beside what we know ourselves, which it does not replace', () => {
      assert.deepEqual(told(waiting, bouncing('delivered', true)), [
        hookQueued(2, { event: 'delivered', ...forged, text: '', fromId: fromId.id }),
      ]);
    });

    it('nor what came back by an id that only the next hop knew', () => {
      const back = told([OPENED, sent, GONE], bouncing('delayed', true, fromId.id));
      assert.deepEqual(
        back.map(({ type }) => type),
        ['WebhookQueued'],
      );
      const both = told([OPENED, sent, GONE, ...back], bouncing('failed', true));
      assert.deepEqual(
        both.map(({ type }) => type),
        ['WebhookQueued'],
      );
    });

    it('replaces another that may be forged', () => {
      const first = hookQueued(2, { event: 'delivered', ...forged });
      assert.deepEqual(told([...waiting, first], bouncing('failed', true)), [
        hookQueued(3, { event: 'failed', ...forged, fromId: fromId.id }),
        superseded(2, 3),
      ]);
    });

    it('goes with all others when there is something that we know', () => {
      const first = hookQueued(2, { event: 'failed', ...forged });
      assert.deepEqual(told([...waiting, first, started(2)], finish(DELIVERED, 2)), [
        hookQueued(3, { event: 'delivered', ...NO_ERROR, fromId: fromId.id }),
        superseded(1, 3),
        superseded(2, 3),
      ]);
    });
  });

  it('of the same decision replaces what came before it', () => {
    const fromId = { id: 'k3v4', mailFrom: 'daybook+k3v4@localhost' };
    const self: AccountEvent = {
      ...QUEUED,
      items: [{ queueId: FIRST, recipient: fromId.mailFrom, fromId }],
    };
    const copy = bouncing('unrecognized', false, fromId.id);
    assert.ok(copy.type === 'DeliverMessage');
    const hooks = told([OPENED, self, started(1)], finish({ ...DELIVERED, copy }));
    assert.deepEqual(
      hooks.map((hook) => 'occasion' in hook && 'event' in hook.occasion && hook.occasion.event),
      ['delivered', 'unrecognized', false],
    );
    assert.deepEqual(hooks[2], superseded(1, 2));
  });
});

describe('settings of webhooks', () => {
  it('choose what is told; nothing chosen is everything (webapi 40)', () => {
    const only = (...events: readonly OutgoingEvent[]): Partial<AccountSettings> => ({
      outgoingWebhook: { url: 'http://x', events },
    });
    assert.deepEqual(told(TRYING, finish(DELIVERED), only('failed')), []);
    assert.equal(told(TRYING, failure(true), only('failed')).length, 1);
    assert.equal(told(TRYING, finish(DELIVERED), only()).length, 1);
  });

  it('without a URL tell nobody, and leave alone what waits (webapi 41)', () => {
    const none = { outgoingWebhook: null, incomingWebhook: null };
    const waiting = [...TRYING, failed(1), hookQueued(1), started(2)];
    assert.deepEqual(told(waiting, finish(DELIVERED, 2), none), []);
    assert.deepEqual(told([OPENED], notice(), none), []);
    const { state } = given(...waiting);
    assert.partialDeepStrictEqual(state.webhook(hookId(1)), {
      url: hookQueued(1).url,
      authorization: 'secret-1',
      occasion: occasion(),
    });
  });

  it('of an account that is being removed tell nobody (queue 35)', () => {
    const policy = {
      ...CONTEXT.policy,
      settings: { ...CONTEXT.policy.settings, ...BOTH },
      isClosed: true,
    };
    const { state } = given(OPENED, QUEUED);
    const drop = { type: 'DropMessages', queueIds: [FIRST] } as const;
    const decision = decideAccount(drop, state, { ...CONTEXT, policy });
    assert.ok(!('refused' in decision));
    assert.deepEqual(decision.events.filter(isWebhook), []);
  });

  it('take part in what one append can hold', () => {
    const queueIds = Array.from({ length: 200 }, (_, i) => FIRST + i);
    const items = queueIds.map((queueId) => ({ queueId, recipient: 'a@example.org' }));
    const many: AccountEvent = { ...QUEUED, items };
    const drop = { type: 'DropMessages', queueIds } as const;
    given(OPENED, many).when(drop, BOTH).refused('TooMuchAtOnce');
    const some = { ...drop, queueIds: queueIds.slice(0, 50) };
    assert.equal(told([OPENED, many], some).length, 50);
    const talkative: AccountEvent = { ...many, extra: { Data: '\u0001'.repeat(4000) } };
    given(OPENED, talkative).when(some, BOTH).refused('TooMuchAtOnce');
  });
});
