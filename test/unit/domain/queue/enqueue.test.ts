/** Mail comes into the queue: one item per recipient, held where a rule says so. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTEXT, given, OPENED } from '../../../support/given.ts';
import { FIRST, QUEUED, SECOND, SUBMISSION, THIRD } from '../../../support/queued.ts';
import type { HoldRule } from '#domain/directory/hold-rules';
import { DEFAULT_POLICY, type AccountPolicy } from '#domain/directory/settings';
import type { QueueMessage } from '#domain/queue/enqueue';
import type { MessageQueued } from '#domain/queue/events';

function queueing(...recipients: readonly string[]): QueueMessage {
  return {
    type: 'QueueMessage',
    recipients: recipients.map((recipient) => ({ recipient })),
    ...SUBMISSION,
  };
}

/** However many it may send in a day. */
const ANY_NUMBER = { recipientsPerDayMax: 0, newRecipientsPerDayMax: 0 };

const TO_ONE: MessageQueued = {
  type: 'MessageQueued',
  items: [{ queueId: FIRST, recipient: 'a@example.org' }],
  ...SUBMISSION,
  nextAttemptAt: CONTEXT.at,
};

describe('queueing a message', () => {
  it('makes one item per recipient, all in one event', () => {
    const state = given(OPENED)
      .when(queueing('a@example.org', 'b@example.org'))
      .gives([QUEUED], { items: QUEUED.items });
    assert.equal(state.nextNumbers().queueId, 3);
    assert.equal(state.queueItem(SECOND)?.recipient, 'b@example.org');
    assert.equal(state.queuedBytes(), 20);
  });

  it('gives no base to a message with one recipient', () => {
    given(OPENED).when(queueing('a@example.org')).gives([TO_ONE]);
  });

  it('tells very many recipients as two events', () => {
    const recipients = Array.from({ length: 1000 }, (_, i) => `${'x'.repeat(300)}${i}@example.org`);
    const items = recipients.map((recipient, i) => ({ queueId: FIRST + i, recipient }));
    const cut = items.findIndex(
      (_, i) => JSON.stringify(items.slice(0, i + 1)).length - 1 > 248 * 1024,
    );
    given(OPENED)
      .when(queueing(...recipients), ANY_NUMBER)
      .gives([
        { ...QUEUED, items: items.slice(0, cut) },
        { ...QUEUED, items: items.slice(cut) },
      ]);
  });

  it('is refused when the recipients do not fit into one append', () => {
    const recipients = Array.from({ length: 2000 }, (_, i) => `${'x'.repeat(300)}${i}@example.org`);
    given(OPENED)
      .when(queueing(...recipients), ANY_NUMBER)
      .refused('TooMuchAtOnce');
  });

  it('begins later when it is to be released later (queue 31)', () => {
    const options = { futureRelease: 'for;60' };
    const nextAttemptAt = CONTEXT.at + 60_000;
    given(OPENED)
      .when({ ...queueing('a@example.org'), options, releaseAt: nextAttemptAt })
      .gives([{ ...TO_ONE, ...options, nextAttemptAt }]);
  });

  it('keeps how it is to be sent (queue 32)', () => {
    const options = {
      transport: 'smarthost',
      requireTls: true,
      attemptsMax: 5,
      report: 'tls',
      extra: { order: '17' },
      envelopeId: 'Qx7w',
    } as const;
    const state = given(OPENED)
      .when({ ...queueing('a@example.org'), options })
      .gives([{ ...TO_ONE, ...options }]);
    assert.partialDeepStrictEqual(state.queueItem(FIRST), { ...options, requireTls: true });
    const usual = given(OPENED).when(queueing('a@example.org')).gives([TO_ONE]).queueItem(FIRST);
    assert.partialDeepStrictEqual(usual, { transport: '', requireTls: null });
  });

  it('is refused when the account has as much waiting as it may', () => {
    const full = { queueBytesMax: 29 };
    given(OPENED, QUEUED).when(queueing('c@example.org'), full).refused('QueueFull');
    given(OPENED)
      .when(queueing('c@example.org', 'd@example.org'), full)
      .gives([
        {
          ...QUEUED,
          items: [
            { queueId: FIRST, recipient: 'c@example.org' },
            { queueId: SECOND, recipient: 'd@example.org' },
          ],
        },
      ]);
  });
});

describe('a reverse-path for each recipient', () => {
  const from = (id: string): { id: string; mailFrom: string } => ({
    id,
    mailFrom: `daybook+${id}@localhost`,
  });
  const withIds = (...ids: readonly string[]): QueueMessage => ({
    type: 'QueueMessage',
    recipients: ids.map((id, i) => ({ recipient: `r${i}@example.org`, fromId: from(id) })),
    ...SUBMISSION,
  });

  it('keeps the items from going together, and is what they are sent with (queue 11)', () => {
    const { baseId: _, ...alone } = QUEUED;
    const items = [
      { queueId: FIRST, recipient: 'r0@example.org', fromId: from('k1') },
      { queueId: SECOND, recipient: 'r1@example.org', fromId: from('k2') },
    ];
    const state = given(OPENED)
      .when(withIds('k1', 'k2'))
      .gives([{ ...alone, items }]);
    assert.equal(state.queueItem(SECOND)?.mailFrom, 'daybook+k2@localhost');
  });

  it('is good for one item, also when that has left the queue', () => {
    const queued: MessageQueued = {
      ...TO_ONE,
      items: [{ queueId: FIRST, recipient: 'a@example.org', fromId: from('k1') }],
    };
    given(OPENED, queued).when(withIds('k2', 'k1')).refused('FromIdUsed');
    given(OPENED, queued, { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' })
      .when(withIds('k1'))
      .refused('FromIdUsed');
    given(OPENED).when(withIds('k1', 'k1')).refused('FromIdUsed');
  });
});

describe('a hold rule', () => {
  const under = (rule: HoldRule): { readonly policy: AccountPolicy } => ({
    policy: { ...DEFAULT_POLICY, holdRules: [rule] },
  });

  it('holds the items that it matches, and no others (queue 8)', () => {
    const state = given(OPENED)
      .under(under({ ruleId: 4, accountId: 7, recipient: 'held.example' }))
      .when(queueing('a@held.example', 'b@other.example'))
      .gives([
        {
          ...QUEUED,
          items: [
            { queueId: FIRST, recipient: 'a@held.example', heldBy: 4 },
            { queueId: SECOND, recipient: 'b@other.example' },
          ],
        },
      ]);
    assert.equal(state.queueItem(FIRST)?.isHeld, true);
    assert.equal(state.queueItem(SECOND)?.isHeld, false);
    assert.equal(state.queueItem(THIRD), undefined);
  });

  it('without conditions holds everything (queue 8)', () => {
    const state = given(OPENED)
      .under(under({ ruleId: 1 }))
      .when(queueing('a@example.org'))
      .gives([{ ...TO_ONE, items: [{ queueId: FIRST, recipient: 'a@example.org', heldBy: 1 }] }]);
    assert.equal(state.queueItem(FIRST)?.isHeld, true);
  });
});
