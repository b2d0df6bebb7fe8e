/** Mail that comes back about mail that was sent. */

import { describe, it } from 'node:test';
import { delivered, given, INBOX_ID, OPENED } from '../../../support/given.ts';
import { FIRST, notice, QUEUED, REFUSAL, REPLY, SECOND } from '../../../support/queued.ts';
import type { AccountEvent } from '#domain/log/streams';
import type { DeliverMessage } from '#domain/message/decide';
import type { MessageQueued } from '#domain/queue/events';
import type { ReceivedBounce, SentReference } from '#domain/queue/state';

const SENT: MessageQueued = {
  ...QUEUED,
  items: [
    {
      queueId: FIRST,
      recipient: 'a@example.org',
      fromId: { id: 'k3v4', mailFrom: 'daybook+k3v4@localhost' },
    },
    { queueId: SECOND, recipient: 'b@example.org' },
  ],
  envelopeId: 'Qx7w',
};

const GONE: AccountEvent = { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' };

const BY_FROM: SentReference = { type: 'from-id', fromId: 'k3v4' };
const BY_HEADER: SentReference = {
  type: 'header-id',
  headerId: QUEUED.headerId,
  recipient: 'a@example.org',
};

function bounce(changes: Partial<ReceivedBounce>): DeliverMessage {
  const usual = { references: [BY_FROM], isDsn: true, action: 'failed', reply: REFUSAL } as const;
  return { ...notice(), bounce: { ...usual, ...changes } };
}

const ARRIVED = delivered(INBOX_ID, 1);
const RELATED: AccountEvent = {
  type: 'BounceRelated',
  queueId: FIRST,
  action: 'failed',
  isDsn: true,
  ...REFUSAL,
  messageId: 1,
};
const SUPPRESSED: AccountEvent = {
  type: 'AddressSuppressed',
  baseAddress: 'a@example.org',
  address: 'a@example.org',
  reason: 'delivery failure from DSN with smtp code 550, enhanced code "1.1"',
  manual: false,
  queueId: FIRST,
};

describe('a report of failure', () => {
  it('is recorded with its arrival, and the address is suppressed (webapi 28)', () => {
    given(OPENED, SENT, GONE).when(bounce({})).gives([ARRIVED, RELATED, SUPPRESSED]);
  });

  it('is about what still waits, too', () => {
    given(OPENED, SENT).when(bounce({})).gives([ARRIVED, RELATED, SUPPRESSED]);
  });

  it('suppresses nothing when the reply says nothing of the address', () => {
    given(OPENED, SENT, GONE)
      .when(bounce({ reply: REPLY }))
      .gives([ARRIVED, { ...RELATED, ...REPLY }]);
  });

  it('suppresses nothing that is suppressed', () => {
    given(OPENED, SENT, GONE, SUPPRESSED).when(bounce({})).gives([ARRIVED, RELATED]);
  });

  it('that knows only what every recipient knows suppresses nothing', () => {
    given(OPENED, SENT, GONE)
      .when(bounce({ references: [BY_HEADER] }))
      .gives([ARRIVED, { ...RELATED, mayBeForged: true }]);
  });

  it('about a report of ours suppresses nothing', () => {
    given(OPENED, { ...SENT, report: 'tls' }, GONE)
      .when(bounce({}))
      .gives([ARRIVED, RELATED]);
  });

  it('is about the first reference that fits', () => {
    const wrong: SentReference = { type: 'from-id', fromId: 'other' };
    const byEnvelope: SentReference = {
      type: 'envelope-id',
      envelopeId: 'Qx7w',
      recipient: 'b@example.org',
    };
    given(OPENED, SENT, GONE)
      .when(bounce({ references: [wrong, byEnvelope, BY_FROM], action: 'delayed' }))
      .gives([ARRIVED, { ...RELATED, queueId: SECOND, action: 'delayed' }]);
  });
});

describe('other mail', () => {
  it('about a message is recorded as not recognized', () => {
    given(OPENED, SENT, GONE)
      .when(bounce({ action: 'unrecognized', isDsn: false }))
      .gives([ARRIVED, { ...RELATED, action: 'unrecognized', isDsn: false }]);
  });

  it('about nothing that we know is ordinary mail', () => {
    given(OPENED, SENT, GONE)
      .when(bounce({ references: [{ type: 'from-id', fromId: 'other' }] }))
      .gives([ARRIVED]);
    given(OPENED).when(bounce({})).gives([ARRIVED]);
  });

  it('that finds no place is about nothing', () => {
    given(OPENED, SENT)
      .when({ ...bounce({}), mailbox: 'none' })
      .refused('NoSuchTarget');
  });
});
