/**
 * Commands about messages and their rules: UIDs, UNCHANGEDSINCE, \Deleted and expunge.
 */

import type { Arrival } from './events.ts';
import type { BodyHash, Instant, MailboxId, ModSeq, Uid } from '../values/ids.ts';
import type { UidSet } from '../values/uid-set.ts';

/** A body that is stored already, and how it enters a mailbox. */
export interface StoredMessage {
  readonly body: BodyHash;
  readonly prefix: string;
  /** Octets of prefix and body together. */
  readonly sizeBytes: number;
  /** Canonical flag names. */
  readonly flags: readonly string[];
  readonly receivedAt: Instant;
  readonly zoneMinutes: number;
}

export interface DeliverMessage {
  readonly type: 'DeliverMessage';
  readonly mailbox: string;
  readonly message: StoredMessage;
  readonly arrival: Arrival;
}

export interface AppendMessages {
  readonly type: 'AppendMessages';
  readonly mailbox: string;
  readonly messages: readonly StoredMessage[];
}

export interface CopyMessages {
  readonly type: 'CopyMessages';
  readonly source: MailboxId;
  readonly uids: UidSet;
  readonly target: string;
}

export interface MoveMessages {
  readonly type: 'MoveMessages';
  readonly source: MailboxId;
  readonly uids: UidSet;
  readonly target: string;
}

export interface ChangeFlags {
  readonly type: 'ChangeFlags';
  readonly mailboxId: MailboxId;
  readonly uids: UidSet;
  readonly op: 'add' | 'remove' | 'replace';
  /** Canonical flag names. */
  readonly flags: readonly string[];
  /** RFC 7162 §3.1.3: a message with a higher modseq is left alone. */
  readonly unchangedSince?: ModSeq;
}

/** Removes those of `uids` (default: all) that are flagged \Deleted. */
export interface ExpungeMessages {
  readonly type: 'ExpungeMessages';
  readonly mailboxId: MailboxId;
  readonly uids?: UidSet;
}

export type MessageCommand =
  DeliverMessage | AppendMessages | CopyMessages | MoveMessages | ChangeFlags | ExpungeMessages;

/** Where messages of `uids` went: the n-th of them to UID `firstUid + n`. */
export interface Transfer {
  readonly uids: UidSet;
  readonly target: MailboxId;
  readonly uidValidity: number;
  readonly firstUid: Uid;
}

export interface MessageAnswers {
  readonly DeliverMessage: { readonly mailboxId: MailboxId; readonly uid: Uid };
  readonly AppendMessages: {
    readonly mailboxId: MailboxId;
    readonly uidValidity: number;
    readonly uids: UidSet;
  };
  readonly CopyMessages: Transfer;
  readonly MoveMessages: Transfer;
  readonly ChangeFlags: {
    /** Really changed. */
    readonly changed: UidSet;
    /** Exist, but their modseq is above `unchangedSince`. */
    readonly leftAlone: UidSet;
    /** Do not exist (any more). */
    readonly missing: UidSet;
  };
  readonly ExpungeMessages: { readonly expunged: UidSet };
}
