/**
 * Facts about webhooks: calls that tell an application what became of its mail, or that mail came.
 * What stands here is stored for ever.
 *
 * A fact does not repeat what a body says: together with the body it is about, WebhookQueued is all
 * that the text of a call is made of.
 */

import type { Arrival } from '../message/events.ts';
import type { AttemptReply } from '../queue/events.ts';
import type {
  BodyHash,
  HookId,
  Instant,
  MailboxId,
  MessageId,
  QueueId,
  SecretRef,
} from '../values/ids.ts';

/** What can be told of a message that was sent. */
export type OutgoingEvent =
  | 'delivered'
  | 'suppressed'
  | 'delayed'
  | 'failed'
  | 'relayed'
  | 'expanded'
  | 'canceled'
  | 'unrecognized';

/** Whom to call. */
export interface WebhookTarget {
  readonly url: string;
  /** The text of the Authorization field. */
  readonly authorization?: SecretRef;
}

/** Something became of a message that was sent; `text` is the error, '' for none. */
export interface OutgoingOccasion extends AttemptReply {
  readonly type: 'outgoing';
  readonly event: OutgoingEvent;
  /** A delivery status notification said so. */
  readonly isDsn: boolean;
  /** It came back and names the message by its Message-ID alone, which every recipient knows. */
  readonly mayBeForged?: boolean;
  /** The account does not write to the recipient from now on, for this reason. */
  readonly suppressing: boolean;
  readonly queueId: QueueId;
  readonly fromId?: string;
  readonly headerId: string;
  readonly extra?: Readonly<Record<string, string>>;
  readonly body: BodyHash;
}

/** Mail arrived. */
export interface IncomingOccasion {
  readonly type: 'incoming';
  readonly messageId: MessageId;
  readonly mailboxId: MailboxId;
  /** Its name by then. */
  readonly mailbox: string;
  readonly arrival: Arrival;
  readonly receivedAt: Instant;
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
}

export type HookOccasion = OutgoingOccasion | IncomingOccasion;

/** There is something to tell; the first attempt is due at once. */
export interface WebhookQueued extends WebhookTarget {
  readonly type: 'WebhookQueued';
  readonly hookId: HookId;
  readonly occasion: HookOccasion;
}

/** Durable before the request goes out: says when the next one is due if this one tells nothing. */
export interface WebhookAttemptStarted {
  readonly type: 'WebhookAttemptStarted';
  readonly hookId: HookId;
  /** Counted from 1. */
  readonly attempt: number;
  readonly nextAttemptAt: Instant;
}

/** What came of a request. */
export interface WebhookAnswer {
  /** HTTP status; 0 when there was no answer. */
  readonly code: number;
  /** '' after a success. */
  readonly error: string;
  /** The beginning of the body of the answer. */
  readonly response: string;
  readonly durationMs: number;
}

export interface WebhookAttemptEnded extends WebhookAnswer {
  readonly type: 'WebhookAttemptEnded';
  readonly hookId: HookId;
  readonly attempt: number;
  readonly success: boolean;
}

/** The process ended in mid-attempt: nobody knows what became of it. */
export interface WebhookAttemptInterrupted {
  readonly type: 'WebhookAttemptInterrupted';
  readonly hookId: HookId;
  readonly attempt: number;
}

export interface WebhooksRescheduled {
  readonly type: 'WebhooksRescheduled';
  readonly hooks: readonly { readonly hookId: HookId; readonly nextAttemptAt: Instant }[];
}

/** `superseded`: there is something newer to tell of the same message. */
export type RetiredHookOutcome = 'delivered' | 'failed' | 'superseded' | 'canceled';

/** There will be no more requests, but one that is under way may still be answered. */
export interface WebhookRetired {
  readonly type: 'WebhookRetired';
  readonly hookId: HookId;
  readonly outcome: RetiredHookOutcome;
  readonly supersededBy?: HookId;
  /** Until when it is remembered; absent when it is not. RetiredForgotten ends it. */
  readonly keepUntil?: Instant;
}

export type WebhookEvent =
  | WebhookQueued
  | WebhookAttemptStarted
  | WebhookAttemptEnded
  | WebhookAttemptInterrupted
  | WebhooksRescheduled
  | WebhookRetired;

export const WEBHOOK_EVENTS: Record<WebhookEvent['type'], string> = {
  WebhookQueued: 'An application is to be told what happened to mail.',
  WebhookAttemptStarted: 'A request to the application began.',
  WebhookAttemptEnded: 'The application answered, or could not be reached.',
  WebhookAttemptInterrupted: 'The server stopped during the request; the outcome is unknown.',
  WebhooksRescheduled: 'Requests are due at another time.',
  WebhookRetired: 'The application was told, or will not be.',
};
