/**
 * The questions that decisions about the queue ask, and the reference model that answers them.
 */

import type { AccountFact } from '../log/streams.ts';
import { counterOfServerWideId, type BodyHash, type Instant, type QueueId } from '../values/ids.ts';
import type { MessageQueued } from './events.ts';

export interface QueueItem {
  readonly queueId: QueueId;
  readonly recipient: string;
  readonly mailFrom: string;
  /** Attempts begun so far. */
  readonly attempts: number;
  /** An attempt has begun and not ended. */
  readonly inAttempt: boolean;
}

export interface QueueState {
  queueItem(queueId: QueueId): QueueItem | undefined;
  /** Items whose attempt never ended. */
  openAttempts(): readonly QueueItem[];
}

/** A queue item as the reference model keeps it. */
export interface QueueRecord extends QueueItem {
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly headerId: string;
  readonly smtpUtf8: boolean;
  readonly queuedAt: Instant;
  readonly nextAttemptAt: Instant;
}

/** The reference model: the messages in the queue. */
export interface QueueRecords {
  readonly items: Map<QueueId, QueueRecord>;
  nextCounter: number;
}

export function emptyQueue(): QueueRecords {
  return { items: new Map(), nextCounter: 1 };
}

export function evolveQueue(records: QueueRecords, { event, at }: AccountFact): void {
  switch (event.type) {
    case 'MessageQueued':
      return messageQueued(records, event, at);
    case 'AttemptStarted': {
      const { attempt: attempts, nextAttemptAt } = event;
      return change(records, event.queueId, { attempts, nextAttemptAt, inAttempt: true });
    }
    case 'AttemptFailed': {
      const { nextAttemptAt } = event;
      const due = nextAttemptAt === undefined ? {} : { nextAttemptAt };
      return change(records, event.queueId, { ...due, inAttempt: false });
    }
    case 'AttemptSucceeded':
    case 'AttemptInterrupted':
      return change(records, event.queueId, { inAttempt: false });
    case 'MessageRetired':
      records.items.delete(event.queueId);
      return;
    default:
      return;
  }
}

function messageQueued(records: QueueRecords, event: MessageQueued, at: Instant): void {
  const { mailFrom, body, prefix, sizeBytes, headerId, smtpUtf8, nextAttemptAt } = event;
  for (const { queueId, recipient } of event.items) {
    records.items.set(queueId, {
      queueId,
      recipient,
      mailFrom,
      body,
      prefix,
      sizeBytes,
      headerId,
      smtpUtf8,
      queuedAt: at,
      nextAttemptAt,
      attempts: 0,
      inAttempt: false,
    });
    records.nextCounter = Math.max(records.nextCounter, counterOfServerWideId(queueId) + 1);
  }
}

function change(records: QueueRecords, queueId: QueueId, changes: Partial<QueueRecord>): void {
  const item = records.items.get(queueId);
  if (item !== undefined) records.items.set(queueId, { ...item, ...changes });
}
