/**
 * Facts about outgoing mail, one queue item per recipient. What stands here is stored for ever.
 */

import type { BodyHash, Instant, MessageId, QueueId } from '../values/ids.ts';

/** One recipient of a submitted message. */
export interface NewQueueItem {
  readonly queueId: QueueId;
  readonly recipient: string;
  /** A reverse-path for this recipient alone: what comes back to it is about this item. */
  readonly fromId?: FromId;
  /** The hold rule that keeps it from going. */
  readonly heldBy?: number;
}

export interface FromId {
  /** Unique in the account; opaque to everybody else. */
  readonly id: string;
  readonly mailFrom: string;
}

/** How a message is to be sent; what is absent is as usual. */
export interface SendingOptions {
  /** The name of a transport that is taken whatever the routes say. */
  readonly transport?: string;
  /** True: RFC 8689 REQUIRETLS. False: TLS-Required: No. Absent: TLS where it can be had. */
  readonly requireTls?: boolean;
  /** RFC 4865, as it was asked for: `for;<seconds>` or `until;<UTC>`. */
  readonly futureRelease?: string;
  /** Attempts until we give up, where it is not the number of the schedule. */
  readonly attemptsMax?: number;
  /** A report of ours: what goes wrong with it does not bother the postmaster's Inbox. */
  readonly report?: 'dmarc' | 'tls';
  /** What the application that sent it wants to hear again about each outcome. */
  readonly extra?: Readonly<Record<string, string>>;
  /** RFC 3461 §4.4 ENVID, told to next hops that know of it. */
  readonly envelopeId?: string;
}

/** A message was accepted for delivery: all recipients in one fact, durable before the 250. */
export interface MessageQueued extends SendingOptions {
  readonly type: 'MessageQueued';
  readonly items: readonly NewQueueItem[];
  /** The first item of the message, where its items may go in one transaction. */
  readonly baseId?: QueueId;
  /** RFC 5321 reverse-path; '' is the null reverse-path. */
  readonly mailFrom: string;
  readonly body: BodyHash;
  /** Header lines put before the body (DKIM-Signature, Received, Message-ID, …). */
  readonly prefix: string;
  readonly sizeBytes: number;
  /** The Message-ID field, with angle brackets. */
  readonly headerId: string;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  readonly nextAttemptAt: Instant;
}

/** These items wait until somebody releases them. */
export interface MessagesHeld {
  readonly type: 'MessagesHeld';
  readonly queueIds: readonly QueueId[];
  /** The hold rule that did it; absent when a person did. */
  readonly ruleId?: number;
}

export interface MessagesReleased {
  readonly type: 'MessagesReleased';
  readonly queueIds: readonly QueueId[];
}

export interface MessagesRescheduled {
  readonly type: 'MessagesRescheduled';
  readonly items: readonly { readonly queueId: QueueId; readonly nextAttemptAt: Instant }[];
}

/** Without a name the routes decide again. */
export interface TransportForced {
  readonly type: 'TransportForced';
  readonly queueIds: readonly QueueId[];
  readonly transport?: string;
}

/** See SendingOptions. */
export interface TlsRequirementSet {
  readonly type: 'TlsRequirementSet';
  readonly queueIds: readonly QueueId[];
  readonly requireTls?: boolean;
}

/** Durable before we talk to anyone: says when the next try is due if this one tells nothing. */
export interface AttemptStarted {
  readonly type: 'AttemptStarted';
  /** The items that go in one transaction. */
  readonly queueIds: readonly QueueId[];
  /** Counted from 1; the same for all of them. */
  readonly attempt: number;
  readonly nextAttemptAt: Instant;
  /** '' is direct delivery. */
  readonly transport: string;
}

/** What the remote (or we ourselves) said about the recipient. */
export interface AttemptReply {
  /** SMTP reply code; 0 when there was no SMTP reply. */
  readonly code: number;
  /** RFC 3463 enhanced code, '' when there was none. */
  readonly enhancedCode: string;
  readonly text: string;
}

/** Whom we talked to. */
export interface AttemptRemotes {
  /** Who gave the reply. */
  readonly remote?: Remote;
  /** Everybody whom we tried to reach, in order. */
  readonly dialed?: readonly Remote[];
}

export interface Remote {
  readonly host: string;
  readonly ip: string;
}

export interface AttemptSucceeded extends AttemptReply, AttemptRemotes {
  readonly type: 'AttemptSucceeded';
  readonly queueId: QueueId;
  readonly attempt: number;
}

export interface AttemptFailed extends AttemptReply, AttemptRemotes {
  readonly type: 'AttemptFailed';
  readonly queueId: QueueId;
  readonly attempt: number;
  readonly permanent: boolean;
  /** The remote had all of the message when it fell silent: it may have it, or not. */
  readonly mayBeTaken?: boolean;
  /** When the next attempt is due; absent when there will be none. */
  readonly nextAttemptAt?: Instant;
}

/** The process ended in mid-attempt: nobody knows what became of it. */
export interface AttemptInterrupted {
  readonly type: 'AttemptInterrupted';
  readonly queueId: QueueId;
  readonly attempt: number;
}

/** `fail` tells the sender, `drop` tells nobody. */
export type Cancelling = 'fail' | 'drop';

/** The items are in an attempt: it may still deliver them, and it is their last one. */
export interface CancelRequested {
  readonly type: 'CancelRequested';
  readonly queueIds: readonly QueueId[];
  readonly how: Cancelling;
}

/** An administrator ended the item. */
export interface DeliveryCanceled {
  readonly type: 'DeliveryCanceled';
  readonly queueId: QueueId;
  readonly how: Cancelling;
}

/** `canceled` whether the sender was told or not: DeliveryCanceled says. */
export type RetiredOutcome = 'delivered' | 'failed' | 'suppressed' | 'canceled';

/** The item left the queue. */
export interface MessageRetired {
  readonly type: 'MessageRetired';
  readonly queueId: QueueId;
  readonly outcome: RetiredOutcome;
  /** Until when it is remembered; absent when it is not. */
  readonly keepUntil?: Instant;
}

/** RFC 3464 §2.3.3, or what came back was no such report. */
export type BounceAction =
  'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded' | 'unrecognized';

/** Mail came in that is about an item we sent. */
export interface BounceRelated extends AttemptReply {
  readonly type: 'BounceRelated';
  readonly queueId: QueueId;
  readonly action: BounceAction;
  /** False for mail that is not a delivery status notification. */
  readonly isDsn: boolean;
  /** It names the item by its Message-ID alone, which every recipient knows: it may be forged. */
  readonly mayBeForged?: boolean;
  /** Where it can be read. */
  readonly messageId: MessageId;
}

/** Finished items, and webhooks, that were to be remembered until before `upTo` are so no more. */
export interface RetiredForgotten {
  readonly type: 'RetiredForgotten';
  readonly upTo: Instant;
}

export type QueueEvent =
  | MessageQueued
  | MessagesHeld
  | MessagesReleased
  | MessagesRescheduled
  | TransportForced
  | TlsRequirementSet
  | AttemptStarted
  | AttemptSucceeded
  | AttemptFailed
  | AttemptInterrupted
  | CancelRequested
  | DeliveryCanceled
  | MessageRetired
  | BounceRelated
  | RetiredForgotten;

export const QUEUE_EVENTS: Record<QueueEvent['type'], string> = {
  MessageQueued: 'A message was accepted for delivery to its recipients.',
  MessagesHeld: 'Queued messages wait until somebody releases them.',
  MessagesReleased: 'Queued messages may go again.',
  MessagesRescheduled: 'Queued messages are due at another time.',
  TransportForced: 'Queued messages go by this transport, or by the routes again.',
  TlsRequirementSet: 'What queued messages require of TLS was changed.',
  AttemptStarted: 'A delivery attempt began.',
  AttemptSucceeded: 'The recipient’s server took the message.',
  AttemptFailed: 'A delivery attempt failed.',
  AttemptInterrupted: 'The server stopped in mid-attempt; the outcome is unknown.',
  CancelRequested: 'Messages in an attempt are to be ended if it does not deliver them.',
  DeliveryCanceled: 'An administrator ended the delivery.',
  MessageRetired: 'The message left the queue.',
  BounceRelated: 'Mail came in about a message that was sent.',
  RetiredForgotten: 'Finished messages are remembered no more.',
};
