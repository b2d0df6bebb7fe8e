/**
 * Which UIDs a fact creates, changes and removes, mailbox by mailbox.
 */

import type { AccountEvent } from '#domain/log/streams';
import type { MailboxId } from '#domain/values/ids';
import {
  NO_UIDS,
  parseUidSet,
  uidCount,
  uidRange,
  uidSetOf,
  type UidSet,
} from '#domain/values/uid-set';

export interface UidChange {
  readonly mailboxId: MailboxId;
  readonly created: UidSet;
  /** Existed before and have other flags now. */
  readonly edited: UidSet;
  readonly removed: UidSet;
}

/** Empty for facts that touch no message; the deletion of a whole mailbox is not told here. */
export function uidChangesOf(event: AccountEvent): readonly UidChange[] {
  switch (event.type) {
    case 'MessageDelivered':
      return [created(event.mailboxId, uidRange(event.message.uid, event.message.uid))];
    case 'MessagesAppended':
      return [created(event.mailboxId, uidSetOf(event.messages.map(({ uid }) => uid)))];
    case 'MessagesCopied':
      return [created(event.target, arrived(event.firstUid, parseUidSet(event.uids)))];
    case 'MessagesMoved': {
      const removed = parseUidSet(event.uids);
      return [
        { mailboxId: event.source, created: NO_UIDS, edited: NO_UIDS, removed },
        created(event.target, arrived(event.firstUid, removed)),
      ];
    }
    case 'FlagsChanged': {
      const edited = parseUidSet(event.uids);
      return [{ mailboxId: event.mailboxId, created: NO_UIDS, edited, removed: NO_UIDS }];
    }
    case 'MessageReplaced': {
      const { mailboxId, target, message } = event;
      const removed = uidRange(event.uid, event.uid);
      const arrival = created(target, uidRange(message.uid, message.uid));
      if (mailboxId === target) return [{ ...arrival, removed }];
      return [{ mailboxId, created: NO_UIDS, edited: NO_UIDS, removed }, arrival];
    }
    case 'MessagesExpunged': {
      const removed = parseUidSet(event.uids);
      return [{ mailboxId: event.mailboxId, created: NO_UIDS, edited: NO_UIDS, removed }];
    }
    default:
      return [];
  }
}

function created(mailboxId: MailboxId, uids: UidSet): UidChange {
  return { mailboxId, created: uids, edited: NO_UIDS, removed: NO_UIDS };
}

function arrived(firstUid: number, uids: UidSet): UidSet {
  return uidRange(firstUid, firstUid + uidCount(uids) - 1);
}
