/**
 * Which UIDs a fact creates and removes, mailbox by mailbox, and where messages go.
 */

import type { AccountEvent } from '#domain/log/streams';
import type { MailboxId, Uid } from '#domain/values/ids';
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
  readonly removed: UidSet;
}

/** Empty for facts that change no set of UIDs; the deletion of a whole mailbox is not told here. */
export function uidChangesOf(event: AccountEvent): readonly UidChange[] {
  switch (event.type) {
    case 'MessageDelivered':
      return [created(event.mailboxId, uidRange(event.message.uid, event.message.uid))];
    case 'MessagesAppended':
      return [created(event.mailboxId, uidSetOf(event.messages.map(({ uid }) => uid)))];
    case 'MessagesCopied':
      return [created(event.target, arrived(event.firstUid, parseUidSet(event.uids)))];
    case 'MessagesMoved': {
      const uids = parseUidSet(event.uids);
      return [removed(event.source, uids), created(event.target, arrived(event.firstUid, uids))];
    }
    case 'MessageReplaced': {
      const { mailboxId, target, message } = event;
      const arrival = created(target, uidRange(message.uid, message.uid));
      const gone = uidRange(event.uid, event.uid);
      if (mailboxId === target) return [{ ...arrival, removed: gone }];
      return [removed(mailboxId, gone), arrival];
    }
    case 'MessagesExpunged':
      return [removed(event.mailboxId, parseUidSet(event.uids))];
    default:
      return [];
  }
}

/** One run of a journey: what is added to its UIDs. */
export interface Leg {
  readonly from: Uid;
  readonly to: Uid;
  readonly uidShift: number;
}

/** The runs of messages that go elsewhere, where the first of them gets `firstUid`. */
export function legsOf(firstUid: Uid, uids: UidSet): readonly Leg[] {
  let next = firstUid;
  return uids.map(([from, to]) => {
    const uidShift = next - from;
    next += to - from + 1;
    return { from, to, uidShift };
  });
}

function created(mailboxId: MailboxId, uids: UidSet): UidChange {
  return { mailboxId, created: uids, removed: NO_UIDS };
}

function removed(mailboxId: MailboxId, uids: UidSet): UidChange {
  return { mailboxId, created: NO_UIDS, removed: uids };
}

function arrived(firstUid: number, uids: UidSet): UidSet {
  return uidRange(firstUid, firstUid + uidCount(uids) - 1);
}
