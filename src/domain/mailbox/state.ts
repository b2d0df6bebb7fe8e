/**
 * The questions that decisions about mailboxes ask, and the reference model that answers them.
 */

import { aboutNoMail, type AccountEvent } from '../log/streams.ts';
import type { MailboxId, MessageId, ModSeq, Uid } from '../values/ids.ts';
import { isBelow } from '../values/mailbox-name.ts';
import { parseUidSet, uidCount } from '../values/uid-set.ts';
import type {
  MailboxesCreated,
  MailboxesRenamed,
  MailboxesRenumbered,
  NewMailbox,
  SpecialUse,
} from './events.ts';

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

/** A mailbox as the reference model keeps it. */
export interface MailboxRecord extends Mailbox {
  /** RFC 7162 §3.1.1: modseq of the last event that touched the mailbox or a message in it. */
  readonly highestModSeq: ModSeq;
}

/** The reference model: what the facts so far say about mailboxes. */
export interface MailboxRecords {
  readonly mailboxes: Map<MailboxId, MailboxRecord>;
  readonly subscriptions: Set<string>;
  nextMailboxId: MailboxId;
  /** 0 until the first mailbox exists. */
  nextUidValidity: number;
}

export function emptyMailboxes(): MailboxRecords {
  return { mailboxes: new Map(), subscriptions: new Set(), nextMailboxId: 1, nextUidValidity: 0 };
}

/** Writes a fact into the records; facts about messages move UIDNEXT and HIGHESTMODSEQ. */
export function evolveMailboxes(
  records: MailboxRecords,
  event: AccountEvent,
  modSeq: ModSeq,
): void {
  switch (event.type) {
    case 'MailboxesCreated':
      return mailboxesCreated(records, event, modSeq);
    case 'MailboxesRenamed':
      return mailboxesRenamed(records, event, modSeq);
    case 'MailboxDeleted':
      records.mailboxes.delete(event.mailboxId);
      return;
    case 'MailboxSubscribed':
      records.subscriptions.add(event.name);
      return;
    case 'MailboxUnsubscribed':
      records.subscriptions.delete(event.name);
      return;
    case 'MailboxesRenumbered':
      return renumbered(records, event, modSeq);
    case 'MessageDelivered':
      return touch(records, event.mailboxId, modSeq, { uidNext: event.message.uid + 1 });
    case 'MessagesAppended': {
      const last = event.messages.at(-1);
      const change = last === undefined ? {} : { uidNext: last.uid + 1 };
      return touch(records, event.mailboxId, modSeq, change);
    }
    case 'MessagesCopied':
    case 'MessagesMoved': {
      const uidNext = event.firstUid + uidCount(parseUidSet(event.uids));
      touch(records, event.target, modSeq, { uidNext });
      // A copy changes nothing where it comes from.
      if (event.type === 'MessagesMoved') touch(records, event.source, modSeq, {});
      return;
    }
    case 'MessageReplaced':
      touch(records, event.mailboxId, modSeq, {});
      return touch(records, event.target, modSeq, { uidNext: event.message.uid + 1 });
    case 'AnnotationsSet':
    case 'FlagsChanged':
    case 'MessagesExpunged':
      return touch(records, event.mailboxId, modSeq, {});
    default:
      return aboutNoMail(event);
  }
}

function mailboxesCreated(records: MailboxRecords, event: MailboxesCreated, modSeq: ModSeq): void {
  const holder = records.mailboxes.get(event.specialUseTakenFrom ?? -1);
  if (holder !== undefined) {
    const { specialUse: _, ...rest } = holder;
    records.mailboxes.set(holder.mailboxId, { ...rest, highestModSeq: modSeq });
  }
  create(records, event.mailboxes, modSeq);
}

function mailboxesRenamed(records: MailboxRecords, event: MailboxesRenamed, modSeq: ModSeq): void {
  for (const { mailboxId, to } of event.renames) touch(records, mailboxId, modSeq, { name: to });
  create(records, event.created, modSeq);
}

function renumbered(
  records: MailboxRecords,
  { uidValidityRaise, modSeqRaise }: MailboxesRenumbered,
  modSeq: ModSeq,
): void {
  for (const { mailboxId, uidValidity } of records.mailboxes.values()) {
    touch(records, mailboxId, modSeq, { uidValidity: uidValidity + uidValidityRaise });
  }
  records.nextUidValidity += uidValidityRaise;
  records.nextMailboxId += modSeqRaise;
}

function create(records: MailboxRecords, created: readonly NewMailbox[], modSeq: ModSeq): void {
  for (const mailbox of created) {
    const { mailboxId, name, uidValidity } = mailbox;
    records.mailboxes.set(mailboxId, { ...mailbox, uidNext: 1, highestModSeq: modSeq });
    records.subscriptions.add(name);
    records.nextMailboxId = Math.max(records.nextMailboxId, mailboxId + 1);
    records.nextUidValidity = Math.max(records.nextUidValidity, uidValidity + 1);
  }
}

/** Without a number, the fact is about none of the mailboxes. */
function touch(
  records: MailboxRecords,
  mailboxId: MailboxId | undefined,
  modSeq: ModSeq,
  change: Partial<Mailbox>,
): void {
  const mailbox = records.mailboxes.get(mailboxId ?? -1);
  if (mailbox === undefined) return;
  records.mailboxes.set(mailbox.mailboxId, { ...mailbox, ...change, highestModSeq: modSeq });
}

/** In the order of their names, by UTF-16 unit. */
export function recordsBelow(records: MailboxRecords, name: string): readonly MailboxRecord[] {
  return [...records.mailboxes.values()]
    .filter((mailbox) => isBelow(mailbox.name, name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function recordNamed(records: MailboxRecords, name: string): MailboxRecord | undefined {
  for (const mailbox of records.mailboxes.values()) if (mailbox.name === name) return mailbox;
  return undefined;
}

export function recordFor(
  records: MailboxRecords,
  specialUse: SpecialUse,
): MailboxRecord | undefined {
  for (const mailbox of records.mailboxes.values()) {
    if (mailbox.specialUse === specialUse) return mailbox;
  }
  return undefined;
}
