/**
 * Facts about the containers of messages. What stands here is stored for ever.
 */

import type { MailboxId } from '../values/ids.ts';

/** RFC 6154 §2: the special uses that a mailbox of ours may have. */
export type SpecialUse = '\\Archive' | '\\Drafts' | '\\Junk' | '\\Sent' | '\\Trash';

export const SPECIAL_USES: readonly SpecialUse[] = [
  '\\Archive',
  '\\Drafts',
  '\\Junk',
  '\\Sent',
  '\\Trash',
];

export interface NewMailbox {
  readonly mailboxId: MailboxId;
  readonly name: string;
  readonly uidValidity: number;
  readonly specialUse?: SpecialUse;
}

/** One command made these mailboxes, parents first; each is subscribed. */
export interface MailboxesCreated {
  readonly type: 'MailboxesCreated';
  readonly mailboxes: readonly NewMailbox[];
  /** The mailbox that had the special use until now. */
  readonly specialUseTakenFrom?: MailboxId;
}

/**
 * A mailbox and its children got new names; subscriptions stay with the old ones. Missing parents
 * of the new name were made, and subscribed like every created mailbox. One of them may have the
 * old name of a renamed mailbox: rename before creating.
 */
export interface MailboxesRenamed {
  readonly type: 'MailboxesRenamed';
  readonly renames: readonly {
    readonly mailboxId: MailboxId;
    readonly from: string;
    readonly to: string;
  }[];
  readonly created: readonly NewMailbox[];
}

/** The mailbox is gone and all its messages with it; a subscription of the name stays. */
export interface MailboxDeleted {
  readonly type: 'MailboxDeleted';
  readonly mailboxId: MailboxId;
  readonly name: string;
}

export interface MailboxSubscribed {
  readonly type: 'MailboxSubscribed';
  readonly name: string;
}

export interface MailboxUnsubscribed {
  readonly type: 'MailboxUnsubscribed';
  readonly name: string;
}

/**
 * An older copy of the log was put back, so numbers that clients have seen would be given out
 * again: the UIDVALIDITY of every mailbox rises, and so does every modseq from this fact on. The
 * next numbers of mailboxes, messages, queue items and webhooks rise by as much as modseqs.
 */
export interface MailboxesRenumbered {
  readonly type: 'MailboxesRenumbered';
  readonly uidValidityRaise: number;
  readonly modSeqRaise: number;
}

/** One entry after it was set. */
export interface AnnotationEntry {
  /** In lower case; `/private/…` or `/shared/…`. */
  readonly name: string;
  /** Null: there is no such annotation any more. */
  readonly value: string | null;
  /** Given when the octets of the value are not readable text in UTF-8: they stand here so. */
  readonly encoding?: 'base64';
}

/** Annotations got other values, of a mailbox or else of the account itself. */
export interface AnnotationsSet {
  readonly type: 'AnnotationsSet';
  readonly mailboxId?: MailboxId;
  readonly entries: readonly AnnotationEntry[];
}

export type MailboxEvent =
  | MailboxesCreated
  | MailboxesRenamed
  | MailboxDeleted
  | MailboxSubscribed
  | MailboxUnsubscribed
  | MailboxesRenumbered
  | AnnotationsSet;

export const MAILBOX_EVENTS: Record<MailboxEvent['type'], string> = {
  MailboxesCreated: 'Mailboxes were created, parents first, and subscribed.',
  MailboxesRenamed: 'A mailbox and its children got new names.',
  MailboxDeleted: 'A mailbox was deleted with all its messages.',
  MailboxSubscribed: 'A mailbox name was subscribed.',
  MailboxUnsubscribed: 'A mailbox name was unsubscribed.',
  MailboxesRenumbered: 'Every mailbox got a higher UIDVALIDITY, after an older log was put back.',
  AnnotationsSet: 'Annotations of a mailbox, or of the account, got other values.',
};
