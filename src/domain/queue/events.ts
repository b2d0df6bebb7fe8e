/**
 * Facts about outgoing mail, one queue item per recipient. What stands here is stored for ever.
 */

import type { BodyHash, Instant, QueueId } from '../values/ids.ts';

/** One recipient of a submitted message. */
export interface NewQueueItem {
  readonly queueId: QueueId;
  readonly recipient: string;
}

/** A message was accepted for delivery: all recipients in one fact, durable before the 250. */
export interface MessageQueued {
  readonly type: 'MessageQueued';
  readonly items: readonly NewQueueItem[];
  /** RFC 5321 reverse-path; '' is the null reverse-path. */
  readonly mailFrom: string;
  readonly body: BodyHash;
  /** Header lines put before the body (Received, Message-ID, Date where missing). */
  readonly prefix: string;
  readonly sizeBytes: number;
  /** The Message-ID field, with angle brackets. */
  readonly headerId: string;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  readonly nextAttemptAt: Instant;
}

/** Durable before we talk to anyone: says when the next try is due if this one tells nothing. */
export interface AttemptStarted {
  readonly type: 'AttemptStarted';
  readonly queueId: QueueId;
  /** Counted from 1. */
  readonly attempt: number;
  readonly nextAttemptAt: Instant;
}

/** What the remote (or we ourselves) said about the recipient. */
export interface AttemptReply {
  /** SMTP reply code; 0 when there was no SMTP reply. */
  readonly code: number;
  /** RFC 3463 enhanced code, '' when there was none. */
  readonly enhancedCode: string;
  readonly text: string;
}

export interface AttemptSucceeded extends AttemptReply {
  readonly type: 'AttemptSucceeded';
  readonly queueId: QueueId;
  readonly attempt: number;
}

export interface AttemptFailed extends AttemptReply {
  readonly type: 'AttemptFailed';
  readonly queueId: QueueId;
  readonly attempt: number;
  readonly permanent: boolean;
  /** When the next attempt is due; absent when there will be none. */
  readonly nextAttemptAt?: Instant;
}

/** The process ended in mid-attempt: nobody knows what became of it. */
export interface AttemptInterrupted {
  readonly type: 'AttemptInterrupted';
  readonly queueId: QueueId;
  readonly attempt: number;
}

/** The item left the queue. */
export interface MessageRetired {
  readonly type: 'MessageRetired';
  readonly queueId: QueueId;
  readonly outcome: 'delivered' | 'failed';
}

export type QueueEvent =
  | MessageQueued
  | AttemptStarted
  | AttemptSucceeded
  | AttemptFailed
  | AttemptInterrupted
  | MessageRetired;

export const QUEUE_EVENTS: Record<QueueEvent['type'], string> = {
  MessageQueued: 'A message was accepted for delivery to its recipients.',
  AttemptStarted: 'A delivery attempt began.',
  AttemptSucceeded: 'The recipient’s server took the message.',
  AttemptFailed: 'A delivery attempt failed.',
  AttemptInterrupted: 'The server stopped in mid-attempt; the outcome is unknown.',
  MessageRetired: 'The message left the queue.',
};
