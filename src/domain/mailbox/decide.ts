/**
 * Commands about mailboxes and their rules.
 *
 * Invariants: the parents of a mailbox exist; Inbox always stays; a special use has one mailbox; a
 * mailbox id and a UIDVALIDITY are given out once. Names come as the client said them and are made
 * canonical here. RFC 9051 §6.3.4–6.3.8, RFC 6154 §3.
 */

import { eventLegs, eventLists } from '../log/event-size.ts';
import type { MessagesMoved } from '../message/events.ts';
import type { MessageState } from '../message/state.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
  type Refusal,
} from '../values/decision.ts';
import type { MailboxId } from '../values/ids.ts';
import {
  canonicalMailboxName,
  INBOX,
  newMailboxName,
  parentNames,
} from '../values/mailbox-name.ts';
import { uidRange } from '../values/uid-set.ts';
import {
  copiedAnnotations,
  setAnnotations,
  type AnnotationState,
  type SetAnnotations,
} from './annotations.ts';
import {
  SPECIAL_USES,
  type MailboxesCreated,
  type MailboxesRenamed,
  type MailboxEvent,
  type NewMailbox,
  type SpecialUse,
} from './events.ts';
import type { Mailbox, MailboxState } from './state.ts';

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

/** Clients may have seen more than the log holds: it is a copy from before. */
export interface RenumberMailboxes {
  readonly type: 'RenumberMailboxes';
}

export type MailboxCommand =
  | SetAnnotations
  | OpenAccount
  | CreateMailbox
  | RenameMailbox
  | DeleteMailbox
  | SubscribeMailbox
  | UnsubscribeMailbox
  | RenumberMailboxes;

export interface MailboxAnswers {
  readonly OpenAccount: { readonly created: readonly NewMailbox[] };
  /** Parents that were missing come first, the mailbox asked for last. */
  readonly CreateMailbox: { readonly created: readonly NewMailbox[] };
  readonly RenameMailbox: { readonly created: readonly NewMailbox[] };
  readonly DeleteMailbox: { readonly mailbox: Mailbox };
  readonly SubscribeMailbox: { readonly exists: boolean };
  readonly UnsubscribeMailbox: { readonly mailboxId?: MailboxId };
  readonly SetAnnotations: object;
  readonly RenumberMailboxes: { readonly mailboxes: number };
}

/** RENAME of Inbox moves its messages. */
type Outcome<C extends MailboxCommand> = Decision<
  MailboxEvent | MessagesMoved,
  MailboxAnswers[C['type']]
>;
type State = MailboxState & AnnotationState & Pick<MessageState, 'existingOf'>;

const MAILBOXES_MAX = 10_000;

/**
 * More mailboxes and more changes than an account can have seen since the copy was made. There is
 * room for 2,000 of them in the 32 bits of a UIDVALIDITY.
 */
const RENUMBER_RAISE: number = 2 ** 20;

const DEFAULT_MAILBOXES: readonly { readonly name: string; readonly specialUse?: SpecialUse }[] = [
  { name: INBOX },
  { name: 'Archive', specialUse: '\\Archive' },
  { name: 'Drafts', specialUse: '\\Drafts' },
  { name: 'Junk', specialUse: '\\Junk' },
  { name: 'Sent', specialUse: '\\Sent' },
  { name: 'Trash', specialUse: '\\Trash' },
];

export function decideMailbox(
  command: MailboxCommand,
  state: State,
  context: DecisionContext,
): Outcome<MailboxCommand> {
  switch (command.type) {
    case 'OpenAccount':
      return openAccount(state, context);
    case 'CreateMailbox':
      return createMailbox(command, state, context);
    case 'RenameMailbox':
      return renameMailbox(command, state, context);
    case 'DeleteMailbox':
      return deleteMailbox(command, state);
    case 'SubscribeMailbox':
      return subscribeMailbox(command, state);
    case 'UnsubscribeMailbox':
      return unsubscribeMailbox(command, state);
    case 'SetAnnotations':
      return setAnnotations(command, state);
    case 'RenumberMailboxes':
      return renumberMailboxes(state);
    default:
      return unreachable(command);
  }
}

function openAccount(state: State, context: DecisionContext): Outcome<OpenAccount> {
  // Inbox is never deleted: where it is, the account was opened.
  if (state.mailboxNamed(INBOX) !== undefined) return decided([], { created: [] });
  const missing = DEFAULT_MAILBOXES.filter(({ name }) => state.mailboxNamed(name) === undefined);
  const created = newMailboxes(
    missing.map(({ name }) => name),
    state,
    context,
  ).map((mailbox, i) => withFreeUse(mailbox, missing[i]?.specialUse, state));
  return decided([{ type: 'MailboxesCreated', mailboxes: created }], { created });
}

function withFreeUse(
  mailbox: NewMailbox,
  specialUse: SpecialUse | undefined,
  state: State,
): NewMailbox {
  if (specialUse === undefined || state.mailboxFor(specialUse) !== undefined) return mailbox;
  return { ...mailbox, specialUse };
}

function createMailbox(
  command: CreateMailbox,
  state: State,
  context: DecisionContext,
): Outcome<CreateMailbox> {
  const event = creation(command.name, command.specialUse, state, context);
  return 'refused' in event ? event : decided([event], { created: event.mailboxes });
}

/** What makes a mailbox that is needed, with its parents; undefined where it is already. */
export function missingMailbox(
  name: string,
  state: MailboxState,
  context: DecisionContext,
): MailboxesCreated | Refusal | undefined {
  const canonical = canonicalMailboxName(name);
  const exists = canonical !== undefined && state.mailboxNamed(canonical) !== undefined;
  return exists ? undefined : creation(name, undefined, state, context);
}

/** The mailbox with its missing parents. */
function creation(
  wanted: string,
  specialUse: SpecialUse | undefined,
  state: MailboxState,
  context: DecisionContext,
): MailboxesCreated | Refusal {
  const name = newMailboxName(wanted);
  if (name === undefined) return refuse('MailboxNameForbidden', wanted);
  // RFC 6154 §3: a use that we do not have is refused, not ignored.
  if (specialUse !== undefined && !SPECIAL_USES.includes(specialUse)) {
    return refuse('SpecialUseUnknown', specialUse);
  }
  if (state.mailboxNamed(name) !== undefined) return refuse('MailboxExists', name);
  const missing = parentNames(name).filter((parent) => state.mailboxNamed(parent) === undefined);
  if (state.mailboxCount() + missing.length + 1 > MAILBOXES_MAX) return refuse('TooManyMailboxes');
  const mailboxes = newMailboxes([...missing, name], state, context);
  if (specialUse === undefined) return { type: 'MailboxesCreated', mailboxes };
  const holder = state.mailboxFor(specialUse);
  const last = mailboxes.at(-1) as NewMailbox;
  return {
    type: 'MailboxesCreated',
    mailboxes: [...mailboxes.slice(0, -1), { ...last, specialUse }],
    ...(holder === undefined ? {} : { specialUseTakenFrom: holder.mailboxId }),
  };
}

function newMailboxes(
  names: readonly string[],
  state: MailboxState,
  context: DecisionContext,
): readonly NewMailbox[] {
  const next = state.nextNumbers();
  // RFC 9051 §2.3.1.1: from the time of the first mailbox on, so that an account that is made anew
  // repeats no UIDVALIDITY of its predecessor.
  const uidValidity =
    next.uidValidity === 0 ? Math.max(1, Math.floor(context.at / 1000)) : next.uidValidity;
  return names.map((name, i) => ({
    mailboxId: next.mailboxId + i,
    name,
    uidValidity: uidValidity + i,
  }));
}

function renameMailbox(
  command: RenameMailbox,
  state: State,
  context: DecisionContext,
): Outcome<RenameMailbox> {
  const from = canonicalMailboxName(command.from);
  const mailbox = from === undefined ? undefined : state.mailboxNamed(from);
  if (mailbox === undefined) return refuse('NoSuchMailbox', command.from);
  const to = canonicalMailboxName(command.to);
  if (to === undefined) return refuse('MailboxNameForbidden', command.to);
  if (state.mailboxNamed(to) !== undefined) return refuse('MailboxExists', to);
  if (mailbox.name === INBOX) return renameInbox(mailbox, to, state, context);

  const moving = [mailbox, ...state.mailboxesBelow(mailbox.name)];
  const renames = moving.map(({ mailboxId, name }) => ({
    mailboxId,
    from: name,
    to: to + name.slice(mailbox.name.length),
  }));
  const tooLong = renames.find((rename) => canonicalMailboxName(rename.to) === undefined);
  if (tooLong !== undefined) return refuse('MailboxNameForbidden', tooLong.to);
  // RFC 9051 §6.3.6: `a/b` to `a/b/x` is legal; the mailbox leaves and a new `a/b` is made.
  const leaving = new Set(moving.map(({ name }) => name));
  const missing = parentNames(to).filter(
    (parent) => leaving.has(parent) || state.mailboxNamed(parent) === undefined,
  );
  if (state.mailboxCount() + missing.length > MAILBOXES_MAX) return refuse('TooManyMailboxes');
  const created = newMailboxes(missing, state, context);
  return renamed(renames, created);
}

function renamed(
  renames: MailboxesRenamed['renames'],
  created: readonly NewMailbox[],
): Outcome<RenameMailbox> {
  const lists = eventLists(renames);
  if (lists === undefined) return refuse('TooMuchAtOnce');
  const events = lists.map((list, i) => ({
    type: 'MailboxesRenamed' as const,
    renames: list,
    // Parents come last: one of them may have a name that a mailbox has just left.
    created: i === lists.length - 1 ? created : [],
  }));
  return decided(events, { created });
}

/** RFC 9051 §6.3.6: Inbox stays with its annotations, its messages leave; its children stay too. */
function renameInbox(
  inbox: Mailbox,
  to: string,
  state: State,
  context: DecisionContext,
): Outcome<RenameMailbox> {
  const event = creation(to, undefined, state, context);
  if ('refused' in event) return event;
  const target = (event.mailboxes.at(-1) as NewMailbox).mailboxId;
  const uids = state.existingOf(inbox.mailboxId, uidRange(1, inbox.uidNext - 1));
  const legs = eventLegs(uids, 1);
  if (legs === undefined) return refuse('TooMuchAtOnce');
  const annotations = copiedAnnotations(inbox.mailboxId, target, state);
  if ('refused' in annotations) return annotations;
  const source = inbox.mailboxId;
  const moves = legs.map(({ uids: part, firstUid }): MessagesMoved => {
    return { type: 'MessagesMoved', source, uids: part, target, firstUid };
  });
  return decided([event, ...annotations, ...moves], { created: event.mailboxes });
}

function deleteMailbox(command: DeleteMailbox, state: State): Outcome<DeleteMailbox> {
  const name = canonicalMailboxName(command.name);
  const mailbox = name === undefined ? undefined : state.mailboxNamed(name);
  if (mailbox === undefined) return refuse('NoSuchMailbox', command.name);
  if (mailbox.name === INBOX) return refuse('MailboxIsInbox');
  if (state.mailboxesBelow(mailbox.name).length > 0) {
    return refuse('MailboxHasChildren', mailbox.name);
  }
  const { mailboxId } = mailbox;
  return decided([{ type: 'MailboxDeleted', mailboxId, name: mailbox.name }], { mailbox });
}

/** RFC 9051 §6.3.7: names without a mailbox can be subscribed. */
function subscribeMailbox(command: SubscribeMailbox, state: State): Outcome<SubscribeMailbox> {
  const name = canonicalMailboxName(command.name);
  if (name === undefined) return refuse('MailboxNameForbidden', command.name);
  const answer = { exists: state.mailboxNamed(name) !== undefined };
  if (state.isSubscribed(name)) return decided([], answer);
  return decided([{ type: 'MailboxSubscribed', name }], answer);
}

function unsubscribeMailbox(
  command: UnsubscribeMailbox,
  state: State,
): Outcome<UnsubscribeMailbox> {
  const name = canonicalMailboxName(command.name);
  if (name === undefined) return refuse('NotSubscribed', command.name);
  const mailboxId = state.mailboxNamed(name)?.mailboxId;
  const answer: { readonly mailboxId?: MailboxId } = mailboxId === undefined ? {} : { mailboxId };
  if (state.isSubscribed(name)) return decided([{ type: 'MailboxUnsubscribed', name }], answer);
  return mailboxId === undefined ? refuse('NotSubscribed', name) : decided([], answer);
}

/** RFC 9051 §2.3.1.1: UIDs that were given out may be given out again, so UIDVALIDITY changes. */
function renumberMailboxes(state: State): Outcome<RenumberMailboxes> {
  const mailboxes = state.mailboxCount();
  if (mailboxes === 0) return decided([], { mailboxes });
  const event = {
    type: 'MailboxesRenumbered' as const,
    uidValidityRaise: RENUMBER_RAISE,
    modSeqRaise: RENUMBER_RAISE,
  };
  return decided([event], { mailboxes });
}
