/**
 * The questions that decisions about messages ask.
 */

import type { FlagSet } from '../values/flags.ts';
import type { MailboxId, ModSeq, Uid } from '../values/ids.ts';
import type { UidSet } from '../values/uid-set.ts';

/** The part of a message that commands change. */
export interface MessageMark extends FlagSet {
  readonly uid: Uid;
  readonly modSeq: ModSeq;
}

export interface MessageState {
  /** Those of `uids` that exist, ascending. */
  marksOf(mailboxId: MailboxId, uids: UidSet): readonly MessageMark[];
  /** UIDs of the messages flagged \Deleted, of those in `uids`. */
  deletedOf(mailboxId: MailboxId, uids: UidSet): UidSet;
  /** UIDs that exist, of those in `uids`. */
  existingOf(mailboxId: MailboxId, uids: UidSet): UidSet;
}
