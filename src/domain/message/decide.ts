/**
 * Commands about messages and their rules: UIDs, UNCHANGEDSINCE, \Deleted and expunge.
 *
 * Invariants: UIDs of a mailbox ascend and are never given twice; an event names only messages that
 * really changed; nothing to change means no event. A big change becomes several events of one
 * decision.
 */

import { eventLegs, eventLists, eventUidSets, type EventLeg } from '../log/event-size.ts';
import { missingMailbox } from '../mailbox/decide.ts';
import type { MailboxesCreated, NewMailbox } from '../mailbox/events.ts';
import type { Mailbox, MailboxState } from '../mailbox/state.ts';
import type { ReceivedBounce } from '../queue/state.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
  type Refusal,
} from '../values/decision.ts';
import {
  equalFlags,
  flagEditor,
  flagNames,
  flagSetOf,
  withJunkPairs,
  type FlagEdit,
} from '../values/flags.ts';
import type { MailboxId, ModSeq, Uid } from '../values/ids.ts';
import {
  differenceOf,
  formatUidSet,
  isEmptyUidSet,
  uidCount,
  uidRange,
  UidSetBuilder,
  type UidSet,
} from '../values/uid-set.ts';
import type { Arrival, MessageEvent } from './events.ts';
import { editOnTheWay, newMessage, targetFor, type StoredMessage } from './enter.ts';
import type { MessageState } from './state.ts';

export interface DeliverMessage {
  readonly type: 'DeliverMessage';
  readonly mailbox: string;
  /** A mailbox that is not there is made, in the same append; otherwise that is a refusal. */
  readonly makeMailbox?: boolean;
  /** The queue brings it back, and somebody must hear of it; see `quota.ts`. */
  readonly mayExceedQuota?: boolean;
  readonly message: StoredMessage;
  readonly arrival: Arrival;
  /** It is ours: applications do not hear of it. */
  readonly isSilent?: boolean;
  /** It is about a message that may have been sent from here. */
  readonly bounce?: ReceivedBounce;
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

/** RFC 8508: the message is removed whether or not it is flagged \Deleted. */
export interface ReplaceMessage {
  readonly type: 'ReplaceMessage';
  readonly source: MailboxId;
  readonly uid: Uid;
  readonly target: string;
  readonly message: StoredMessage;
}

/** Removes those of `uids` (default: all) that are flagged \Deleted. */
export interface ExpungeMessages {
  readonly type: 'ExpungeMessages';
  readonly mailboxId: MailboxId;
  readonly uids?: UidSet;
}

export type MessageCommand =
  | DeliverMessage
  | AppendMessages
  | CopyMessages
  | MoveMessages
  | ChangeFlags
  | ReplaceMessage
  | ExpungeMessages;

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
  readonly ReplaceMessage: {
    readonly mailboxId: MailboxId;
    readonly uidValidity: number;
    readonly uid: Uid;
  };
  readonly ExpungeMessages: { readonly expunged: UidSet };
}

type Event = MessageEvent | MailboxesCreated;
type Outcome<C extends MessageCommand> = Decision<Event, MessageAnswers[C['type']]>;
type State = MessageState & MailboxState;

export function decideMessage(
  command: MessageCommand,
  state: State,
  context: DecisionContext,
): Outcome<MessageCommand> {
  switch (command.type) {
    case 'DeliverMessage':
      return deliverMessage(command, state, context);
    case 'AppendMessages':
      return appendMessages(command, state);
    case 'CopyMessages':
      return copyMessages(command, state);
    case 'MoveMessages':
      return moveMessages(command, state);
    case 'ChangeFlags':
      return changeFlags(command, state);
    case 'ReplaceMessage':
      return replaceMessage(command, state);
    case 'ExpungeMessages':
      return expungeMessages(command, state);
    default:
      return unreachable(command);
  }
}

/** Whether or not the quota has room for it; see `quota.ts`. */
export function deliverMessage(
  { mailbox, makeMailbox = false, ...mail }: DeliverMessage,
  state: State,
  context: DecisionContext,
): Outcome<DeliverMessage> {
  const made = makeMailbox ? missingMailbox(mailbox, state, context) : undefined;
  if (made !== undefined && 'refused' in made) return made;
  const target = made === undefined ? targetFor(mailbox, 1, state) : lastMade(made);
  if ('refused' in target) return target;
  const { mailboxId, uidNext: uid } = target;
  const message = newMessage(mail.message, uid, state.nextNumbers().messageId, target);
  const arrived = { type: 'MessageDelivered', mailboxId, message, arrival: mail.arrival } as const;
  return decided(made === undefined ? [arrived] : [made, arrived], { mailboxId, uid });
}

function lastMade({
  mailboxes,
}: MailboxesCreated): Pick<Mailbox, 'mailboxId' | 'uidNext' | 'specialUse'> {
  return { mailboxId: (mailboxes.at(-1) as NewMailbox).mailboxId, uidNext: 1 };
}

function appendMessages(command: AppendMessages, state: State): Outcome<AppendMessages> {
  const count = command.messages.length;
  const target = targetFor(command.mailbox, count, state);
  if ('refused' in target) return target;
  const { mailboxId, uidValidity, uidNext } = target;
  const { messageId } = state.nextNumbers();
  const messages = command.messages.map((message, i) =>
    newMessage(message, uidNext + i, messageId + i, target),
  );
  const lists = eventLists(messages);
  if (lists === undefined) return refuse('TooMuchAtOnce');
  return decided(
    lists.map((list) => ({ type: 'MessagesAppended', mailboxId, messages: list })),
    { mailboxId, uidValidity, uids: uidRange(uidNext, uidNext + count - 1) },
  );
}

/** What COPY and MOVE share: who goes where, cut into pieces that fit into an event. */
interface Journey {
  readonly transfer: Transfer;
  readonly edit: { readonly edit?: FlagEdit };
  readonly legs: readonly EventLeg[];
}

function journey(command: CopyMessages | MoveMessages, state: State): Journey | Refusal {
  const source = state.mailbox(command.source);
  if (source === undefined) return refuse('NoSuchMailbox');
  const uids = state.existingOf(source.mailboxId, command.uids);
  const target = targetFor(command.target, uidCount(uids), state);
  if ('refused' in target) return target;
  if (target.mailboxId === source.mailboxId) return refuse('SameMailbox', target.name);
  const { mailboxId, uidValidity, uidNext: firstUid } = target;
  const legs = eventLegs(uids, firstUid);
  if (legs === undefined) return refuse('TooMuchAtOnce');
  return {
    transfer: { uids, target: mailboxId, uidValidity, firstUid },
    edit: editOnTheWay(source, target),
    legs,
  };
}

function copyMessages(command: CopyMessages, state: State): Outcome<CopyMessages> {
  const found = journey(command, state);
  if ('refused' in found) return found;
  const { source } = command;
  const { target } = found.transfer;
  const { messageId } = state.nextNumbers();
  const events = found.legs.map(({ uids, firstUid }): MessageEvent => ({
    type: 'MessagesCopied',
    source,
    uids,
    target,
    firstUid,
    firstMessageId: messageId + firstUid - found.transfer.firstUid,
    ...found.edit,
  }));
  return decided(events, found.transfer);
}

function moveMessages(command: MoveMessages, state: State): Outcome<MoveMessages> {
  const found = journey(command, state);
  if ('refused' in found) return found;
  const { source } = command;
  const { target } = found.transfer;
  const events = found.legs.map(({ uids, firstUid }): MessageEvent => ({
    type: 'MessagesMoved',
    source,
    uids,
    target,
    firstUid,
    ...found.edit,
  }));
  return decided(events, found.transfer);
}

function changeFlags(command: ChangeFlags, state: State): Outcome<ChangeFlags> {
  const { mailboxId, unchangedSince = Number.MAX_SAFE_INTEGER } = command;
  if (state.mailbox(mailboxId) === undefined) return refuse('NoSuchMailbox');
  const edit = withJunkPairs(editOf(command));
  const edited = flagEditor(edit);
  const existing = new UidSetBuilder();
  const changedUids = new UidSetBuilder();
  const leftAlone = new UidSetBuilder();
  for (const mark of state.marksOf(mailboxId, command.uids)) {
    existing.add(mark.uid);
    // RFC 7162 §3.1.3: tested against the modseq from before this command; 0 lets none pass.
    if (mark.modSeq > unchangedSince) leftAlone.add(mark.uid);
    else if (!equalFlags(edited(mark), mark)) changedUids.add(mark.uid);
  }
  const changed = changedUids.build();
  const parts = eventUidSets(changed);
  if (parts === undefined) return refuse('TooMuchAtOnce');
  return decided(
    parts.map((part) => ({ type: 'FlagsChanged', mailboxId, uids: formatUidSet(part), edit })),
    {
      changed,
      leftAlone: leftAlone.build(),
      missing: differenceOf(command.uids, existing.build()),
    },
  );
}

function editOf(command: ChangeFlags): FlagEdit {
  const flags = flagNames(flagSetOf(command.flags));
  switch (command.op) {
    case 'add':
      return { add: flags, remove: [] };
    case 'remove':
      return { add: [], remove: flags };
    case 'replace':
      return { exactly: flags };
    default:
      return unreachable(command.op);
  }
}

function replaceMessage(command: ReplaceMessage, state: State): Outcome<ReplaceMessage> {
  const { source, uid } = command;
  if (state.mailbox(source) === undefined) return refuse('NoSuchMailbox');
  const target = targetFor(command.target, 1, state);
  if ('refused' in target) return target;
  if (isEmptyUidSet(state.existingOf(source, uidRange(uid, uid)))) return refuse('NoSuchMessage');
  const { mailboxId, uidValidity, uidNext } = target;
  const { messageId } = state.nextNumbers();
  const message = newMessage(command.message, uidNext, messageId, target);
  return decided(
    [{ type: 'MessageReplaced', mailboxId: source, uid, target: mailboxId, message }],
    { mailboxId, uidValidity, uid: uidNext },
  );
}

/** RFC 9051 §6.4.3, RFC 4315 §2.1: only what is flagged \Deleted goes. */
function expungeMessages(command: ExpungeMessages, state: State): Outcome<ExpungeMessages> {
  const { mailboxId } = command;
  const mailbox = state.mailbox(mailboxId);
  if (mailbox === undefined) return refuse('NoSuchMailbox');
  const expunged = state.deletedOf(mailboxId, command.uids ?? uidRange(1, mailbox.uidNext - 1));
  const parts = eventUidSets(expunged);
  if (parts === undefined) return refuse('TooMuchAtOnce');
  return decided(
    parts.map((part) => ({ type: 'MessagesExpunged', mailboxId, uids: formatUidSet(part) })),
    { expunged },
  );
}
