/**
 * Commands about outgoing mail and their rules: queueing, one attempt at a time, retiring.
 */

import type { AttemptReply, NewQueueItem } from './events.ts';
import type { BodyHash, Instant, MailboxId, QueueId, Uid } from '../values/ids.ts';
import type { DeliverMessage } from '../message/decide.ts';

export interface QueueMessage {
  readonly type: 'QueueMessage';
  readonly mailFrom: string;
  /** One queue item each; none of them twice. */
  readonly recipients: readonly string[];
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly headerId: string;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
}

export interface StartAttempt {
  readonly type: 'StartAttempt';
  readonly queueId: QueueId;
  /** When to try again if this attempt never ends. */
  readonly nextAttemptAt: Instant;
}

export type AttemptOutcome =
  | {
      readonly type: 'delivered';
      readonly reply: AttemptReply;
      /** Local mode: the copy for the sender's account, in the same append as the outcome. */
      readonly copy?: DeliverMessage;
    }
  | {
      readonly type: 'failed';
      readonly reply: AttemptReply;
      readonly permanent: boolean;
      readonly nextAttemptAt: Instant;
    };

export interface FinishAttempt {
  readonly type: 'FinishAttempt';
  readonly queueId: QueueId;
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
}

/** At start-up: whatever was in mid-attempt was interrupted. */
export interface CloseInterruptedAttempts {
  readonly type: 'CloseInterruptedAttempts';
}

export type QueueCommand = QueueMessage | StartAttempt | FinishAttempt | CloseInterruptedAttempts;

export interface QueueAnswers {
  readonly QueueMessage: { readonly items: readonly NewQueueItem[] };
  readonly StartAttempt: { readonly attempt: number };
  readonly FinishAttempt: {
    readonly retired: boolean;
    readonly copy?: { readonly mailboxId: MailboxId; readonly uid: Uid };
  };
  readonly CloseInterruptedAttempts: { readonly closed: number };
}
