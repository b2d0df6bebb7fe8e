/**
 * Facts about messages in mailboxes. What stands here is stored for ever.
 *
 * An event does not repeat what the body says: it names the body by hash, and what is parsed from
 * the body lives beside the body and vanishes with it. Outcomes are recorded, not requests: the
 * UIDs that really changed, as compact sets (`1:4,9`).
 */

import type { FlagEdit } from '../values/flags.ts';
import type { BodyHash, Instant, MailboxId, MessageId, Uid } from '../values/ids.ts';

/** A message as it enters the account. */
export interface NewMessage {
  readonly uid: Uid;
  readonly messageId: MessageId;
  readonly body: BodyHash;
  /** Header lines put before the body (Received and others), CRLF-terminated; '' for none. */
  readonly prefix: string;
  /** RFC 9051 RFC822.SIZE: octets of prefix and body together. */
  readonly sizeBytes: number;
  /** Canonical names, as `flagNames` gives them. */
  readonly flags: readonly string[];
  /** INTERNALDATE, with the zone that the client gave: minutes east of UTC. */
  readonly receivedAt: Instant;
  readonly zoneMinutes: number;
}

/** How a message came to us by SMTP. */
export interface Arrival {
  /** '' is the null reverse-path. */
  readonly mailFrom: string;
  readonly rcptTo: string;
  /** RFC 5321 §4.1.1.1: what the client called itself. */
  readonly helo: string;
  readonly ip: string;
  /** `TLSv1.3`, or '' without TLS. */
  readonly tls: string;
  /** The receipt id told to the sender. */
  readonly receipt: string;
}

/** Mail arrived for the account. */
export interface MessageDelivered {
  readonly type: 'MessageDelivered';
  readonly mailboxId: MailboxId;
  readonly message: NewMessage;
  readonly arrival: Arrival;
}

/** A client uploaded messages, all of one command. UIDs ascend. */
export interface MessagesAppended {
  readonly type: 'MessagesAppended';
  readonly mailboxId: MailboxId;
  readonly messages: readonly NewMessage[];
}

/**
 * Copies of messages: the copy of the n-th UID of `uids` has UID `firstUid + n` and message id
 * `firstMessageId + n`.
 */
export interface MessagesCopied {
  readonly type: 'MessagesCopied';
  readonly source: MailboxId;
  readonly uids: string;
  readonly target: MailboxId;
  readonly firstUid: Uid;
  readonly firstMessageId: MessageId;
  /** What the target does to the flags (a junk mailbox marks as junk). */
  readonly edit?: FlagEdit;
}

/** Messages went from one mailbox to another; UIDs as in MessagesCopied, message ids are kept. */
export interface MessagesMoved {
  readonly type: 'MessagesMoved';
  readonly source: MailboxId;
  readonly uids: string;
  readonly target: MailboxId;
  readonly firstUid: Uid;
  readonly edit?: FlagEdit;
}

/** The flags of these messages were edited; every one of them really changed. */
export interface FlagsChanged {
  readonly type: 'FlagsChanged';
  readonly mailboxId: MailboxId;
  readonly uids: string;
  readonly edit: FlagEdit;
}

/** A message was put in the place of another, which is gone; they may be of different mailboxes. */
export interface MessageReplaced {
  readonly type: 'MessageReplaced';
  readonly mailboxId: MailboxId;
  readonly uid: Uid;
  readonly target: MailboxId;
  readonly message: NewMessage;
}

export interface MessagesExpunged {
  readonly type: 'MessagesExpunged';
  readonly mailboxId: MailboxId;
  readonly uids: string;
}

export type MessageEvent =
  | MessageDelivered
  | MessagesAppended
  | MessagesCopied
  | MessagesMoved
  | FlagsChanged
  | MessageReplaced
  | MessagesExpunged;

export const MESSAGE_EVENTS: Record<MessageEvent['type'], string> = {
  MessageDelivered: 'Mail arrived for the account.',
  MessagesAppended: 'A client uploaded messages.',
  MessagesCopied: 'Messages were copied to another mailbox.',
  MessagesMoved: 'Messages were moved to another mailbox.',
  FlagsChanged: 'Flags of messages changed.',
  MessageReplaced: 'A client uploaded a message in place of another.',
  MessagesExpunged: 'Messages were removed for good.',
};
