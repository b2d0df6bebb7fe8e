/**
 * Outgoing mail of account 7 as it stands in events: a message to a@ and b@example.org, and what
 * attempts make of it.
 */

import { ARRIVAL, CONTEXT, stored } from './given.ts';
import type { DeliverMessage } from '#domain/message/decide';
import type { AttemptReply, MessageQueued, QueueEvent } from '#domain/queue/events';
import type { Instant, QueueId } from '#domain/values/ids';

/** The first queue ids of account 7. */
export const FIRST: QueueId = 7 * 2 ** 32 + 1;
export const SECOND: QueueId = FIRST + 1;
export const THIRD: QueueId = FIRST + 2;

type Submission = Omit<MessageQueued, 'type' | 'items' | 'baseId' | 'nextAttemptAt'>;

/** When attempts say that the next one is due. */
export const LATER: Instant = 2_000_000_000;

export const SUBMISSION: Submission = {
  mailFrom: 'daybook@localhost',
  body: 'cd'.repeat(32),
  prefix: '',
  sizeBytes: 10,
  headerId: '<1@localhost>',
  smtpUtf8: false,
  eightBit: true,
};

/** To a@ and b@example.org, which may go in one transaction. */
export const QUEUED: MessageQueued = {
  type: 'MessageQueued',
  items: [
    { queueId: FIRST, recipient: 'a@example.org' },
    { queueId: SECOND, recipient: 'b@example.org' },
  ],
  baseId: FIRST,
  ...SUBMISSION,
  nextAttemptAt: CONTEXT.at,
};

export const REPLY: AttemptReply = { code: 450, enhancedCode: '4.2.0', text: 'later' };
export const REFUSAL: AttemptReply = { code: 550, enhancedCode: '5.1.1', text: 'who?' };

export function started(attempt: number, ...queueIds: readonly QueueId[]): QueueEvent {
  return {
    type: 'AttemptStarted',
    queueIds: queueIds.length === 0 ? [FIRST] : queueIds,
    attempt,
    nextAttemptAt: LATER,
    transport: '',
  };
}

/** For now. */
export function failed(attempt: number, queueId: QueueId = FIRST): QueueEvent {
  const nextAttemptAt = LATER;
  return { type: 'AttemptFailed', queueId, attempt, ...REPLY, permanent: false, nextAttemptAt };
}

/** A notice to the sender. */
export function notice(mailbox: string = 'Inbox'): DeliverMessage {
  return { type: 'DeliverMessage', mailbox, message: stored(), arrival: ARRIVAL };
}
