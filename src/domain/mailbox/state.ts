/**
 * The questions that decisions about mailboxes ask.
 */

import type { MailboxId, MessageId, Uid } from '../values/ids.ts';
import type { SpecialUse } from './events.ts';

export interface Mailbox {
  readonly mailboxId: MailboxId;
  readonly name: string;
  readonly uidValidity: number;
  /** The UID that the next message gets. */
  readonly uidNext: Uid;
  readonly specialUse?: SpecialUse;
}

/** Numbers that the account hands out once and never again. */
export interface AccountCounters {
  readonly mailboxId: MailboxId;
  readonly messageId: MessageId;
  /** 0 until the first mailbox exists. */
  readonly uidValidity: number;
  /** Counter behind QueueId. */
  readonly queueId: number;
}

export interface MailboxState {
  mailbox(mailboxId: MailboxId): Mailbox | undefined;
  mailboxNamed(name: string): Mailbox | undefined;
  /** All descendants of a name, in the order of their names. */
  mailboxesBelow(name: string): readonly Mailbox[];
  mailboxFor(specialUse: SpecialUse): Mailbox | undefined;
  mailboxCount(): number;
  isSubscribed(name: string): boolean;
  /** The next value of each counter. */
  nextNumbers(): AccountCounters;
}
