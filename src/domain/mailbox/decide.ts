/**
 * Commands about mailboxes and their rules.
 */

import type { Mailbox } from './state.ts';
import type { MailboxId } from '../values/ids.ts';
import type { NewMailbox, SpecialUse } from './events.ts';

/** First command of an account: makes the default mailboxes. */
export interface OpenAccount {
  readonly type: 'OpenAccount';
}

export interface CreateMailbox {
  readonly type: 'CreateMailbox';
  readonly name: string;
  readonly specialUse?: SpecialUse;
}

export interface RenameMailbox {
  readonly type: 'RenameMailbox';
  readonly from: string;
  readonly to: string;
}

export interface DeleteMailbox {
  readonly type: 'DeleteMailbox';
  readonly name: string;
}

export interface SubscribeMailbox {
  readonly type: 'SubscribeMailbox';
  readonly name: string;
}

export interface UnsubscribeMailbox {
  readonly type: 'UnsubscribeMailbox';
  readonly name: string;
}

export type MailboxCommand =
  | OpenAccount
  | CreateMailbox
  | RenameMailbox
  | DeleteMailbox
  | SubscribeMailbox
  | UnsubscribeMailbox;

export interface MailboxAnswers {
  readonly OpenAccount: { readonly created: readonly NewMailbox[] };
  /** Parents that were missing come first, the mailbox asked for last. */
  readonly CreateMailbox: { readonly created: readonly NewMailbox[] };
  readonly RenameMailbox: { readonly created: readonly NewMailbox[] };
  readonly DeleteMailbox: { readonly mailbox: Mailbox };
  readonly SubscribeMailbox: { readonly exists: boolean };
  readonly UnsubscribeMailbox: { readonly mailboxId?: MailboxId };
}
