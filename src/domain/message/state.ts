/**
 * The questions that decisions about messages ask, and the reference model that answers them.
 */

import { aboutNoMail, type AccountFact } from '../log/streams.ts';
import {
  DELETED,
  editedFlags,
  flagEditor,
  flagSetOf,
  type FlagEdit,
  type FlagSet,
} from '../values/flags.ts';
import type { BodyHash, Instant, MailboxId, MessageId, ModSeq, Uid } from '../values/ids.ts';
import { hasUid, parseUidSet, uidRange, uidSetOf, uidsOf, type UidSet } from '../values/uid-set.ts';
import type { MessagesCopied, MessagesMoved, NewMessage } from './events.ts';

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
  /** Octets of those of `uids` that exist. */
  bytesOf(mailboxId: MailboxId, uids: UidSet): number;
  /** Octets of all messages of the account. */
  usedBytes(): number;
}

/** All that facts say about a message. */
export interface MessageRecord extends MessageMark {
  readonly messageId: MessageId;
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly receivedAt: Instant;
  readonly zoneMinutes: number;
  /** RFC 8514 §2: when it came into this mailbox, by whatever way. */
  readonly savedAt: Instant;
  /** Modseq at which it came into this mailbox. */
  readonly createSeq: ModSeq;
}

/** What is remembered of a UID that is gone. RFC 7162 §3.2.5. */
export interface Tombstone {
  readonly uid: Uid;
  readonly createSeq: ModSeq;
  readonly modSeq: ModSeq;
}

/** The messages of one mailbox. */
export interface MailboxContents {
  /** By UID, ascending: UIDs only ever rise. */
  readonly messages: Map<Uid, MessageRecord>;
  readonly tombstones: Tombstone[];
  /** Keywords that messages of the mailbox have had. */
  readonly keywords: Set<string>;
}

/** The reference model: what the facts so far say about messages. */
export interface MessageRecords {
  readonly contents: Map<MailboxId, MailboxContents>;
  nextMessageId: MessageId;
}

export function emptyMessages(): MessageRecords {
  return { contents: new Map(), nextMessageId: 1 };
}

/** The messages of a mailbox, made on first sight. */
function contentsOf(records: MessageRecords, mailboxId: MailboxId): MailboxContents {
  let contents = records.contents.get(mailboxId);
  if (contents === undefined) {
    contents = { messages: new Map(), tombstones: [], keywords: new Set() };
    records.contents.set(mailboxId, contents);
  }
  return contents;
}

export function evolveMessages(records: MessageRecords, fact: AccountFact): void {
  const { event, modSeq } = fact;
  switch (event.type) {
    case 'MessageDelivered':
      return addMessages(records, event.mailboxId, [event.message], fact);
    case 'MessagesAppended':
      return addMessages(records, event.mailboxId, event.messages, fact);
    case 'MessagesCopied':
      return copy(records, event, fact);
    case 'MessagesMoved':
      return move(records, event, fact);
    case 'FlagsChanged':
      return changeFlags(records, event.mailboxId, parseUidSet(event.uids), event.edit, modSeq);
    case 'MessageReplaced':
      addMessages(records, event.target, [event.message], fact);
      return bury(records, event.mailboxId, uidRange(event.uid, event.uid), modSeq);
    case 'MessagesExpunged':
      return bury(records, event.mailboxId, parseUidSet(event.uids), modSeq);
    case 'MailboxDeleted':
      records.contents.delete(event.mailboxId);
      return;
    case 'MailboxesCreated':
    case 'MailboxesRenamed':
    case 'MailboxSubscribed':
    case 'MailboxUnsubscribed':
    case 'AnnotationsSet':
      return;
    case 'MailboxesRenumbered':
      records.nextMessageId += event.modSeqRaise;
      return;
    default:
      return aboutNoMail(event);
  }
}

function addMessages(
  records: MessageRecords,
  mailboxId: MailboxId,
  added: readonly NewMessage[],
  fact: AccountFact,
): void {
  const contents = contentsOf(records, mailboxId);
  const { at: savedAt, modSeq } = fact;
  for (const { flags, ...message } of added) {
    put(contents, { ...message, ...flagSetOf(flags), savedAt, createSeq: modSeq, modSeq });
    records.nextMessageId = Math.max(records.nextMessageId, message.messageId + 1);
  }
}

function put(contents: MailboxContents, message: MessageRecord): void {
  contents.messages.set(message.uid, message);
  for (const keyword of message.keywords.split(' ')) {
    if (keyword !== '') contents.keywords.add(keyword);
  }
}

/** The messages of `uids` as they arrive in the target, before they get ids there. */
function arrivals(
  records: MessageRecords,
  event: MessagesCopied | MessagesMoved,
  { at: savedAt, modSeq }: AccountFact,
): readonly MessageRecord[] {
  const { messages } = contentsOf(records, event.source);
  const edited = flagEditor(event.edit ?? { add: [], remove: [] });
  return [...uidsOf(parseUidSet(event.uids))].flatMap((uid, i) => {
    const message = messages.get(uid);
    if (message === undefined) return [];
    const placed = { uid: event.firstUid + i, savedAt, createSeq: modSeq, modSeq };
    return [{ ...message, ...edited(message), ...placed }];
  });
}

function copy(records: MessageRecords, event: MessagesCopied, fact: AccountFact): void {
  const target = contentsOf(records, event.target);
  for (const message of arrivals(records, event, fact)) {
    const messageId = event.firstMessageId + (message.uid - event.firstUid);
    put(target, { ...message, messageId });
    records.nextMessageId = Math.max(records.nextMessageId, messageId + 1);
  }
}

function move(records: MessageRecords, event: MessagesMoved, fact: AccountFact): void {
  const target = contentsOf(records, event.target);
  for (const message of arrivals(records, event, fact)) put(target, message);
  bury(records, event.source, parseUidSet(event.uids), fact.modSeq);
}

function changeFlags(
  records: MessageRecords,
  mailboxId: MailboxId,
  uids: UidSet,
  edit: FlagEdit,
  modSeq: ModSeq,
): void {
  const contents = contentsOf(records, mailboxId);
  for (const uid of uidsOf(uids)) {
    const message = contents.messages.get(uid);
    if (message !== undefined) {
      put(contents, { ...message, ...editedFlags(message, edit), modSeq });
    }
  }
}

function bury(records: MessageRecords, mailboxId: MailboxId, uids: UidSet, modSeq: ModSeq): void {
  const { messages, tombstones } = contentsOf(records, mailboxId);
  for (const uid of uidsOf(uids)) {
    const message = messages.get(uid);
    if (message === undefined) continue;
    messages.delete(uid);
    tombstones.push({ uid, createSeq: message.createSeq, modSeq });
  }
}

/** The messages of a mailbox among `uids`, ascending. */
export function recordsOf(
  records: MessageRecords,
  mailboxId: MailboxId,
  uids: UidSet,
): readonly MessageRecord[] {
  const messages = records.contents.get(mailboxId)?.messages.values() ?? [];
  return [...messages].filter(({ uid }) => hasUid(uids, uid));
}

/** The bodies that messages have. */
export function bodiesOf(records: MessageRecords): ReadonlySet<BodyHash> {
  const all = [...records.contents.values()].flatMap(({ messages }) => [...messages.values()]);
  return new Set(all.map(({ body }) => body));
}

export function uidsOfRecords(messages: readonly MessageRecord[]): UidSet {
  return uidSetOf(messages.map(({ uid }) => uid));
}

export function sumOfBytes(messages: Iterable<MessageRecord>): number {
  let bytes = 0;
  for (const { sizeBytes } of messages) bytes += sizeBytes;
  return bytes;
}

export function isDeleted(message: MessageRecord): boolean {
  return (message.bits & DELETED) !== 0;
}
