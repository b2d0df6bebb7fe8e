/**
 * Attempts: at most one at a time for an item, begun before anybody is talked to, and ended with
 * everything that follows in one decision.
 *
 * Invariants: an item ends exactly once; what the remote said is recorded whatever has been decided
 * meanwhile; an item that was delivered is delivered, also when it should have been canceled.
 */

import { firstEvents } from '../log/event-size.ts';
import type { MailboxesCreated } from '../mailbox/events.ts';
import type { MailboxState } from '../mailbox/state.ts';
import { deliverMessage, type DeliverMessage } from '../message/decide.ts';
import type { MessageEvent } from '../message/events.ts';
import type { MessageState } from '../message/state.ts';
import { suppressAfter } from '../suppression/decide.ts';
import type { SuppressionEvent } from '../suppression/events.ts';
import { baseAddress, type SuppressionState } from '../suppression/state.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
} from '../values/decision.ts';
import type { Instant, MailboxId, QueueId, Uid } from '../values/ids.ts';
import { relateBounce } from './bounce.ts';
import type { AttemptRemotes, AttemptReply, Cancelling, QueueEvent } from './events.ts';
import { DELAY_TOLD_AFTER } from './outcome.ts';
import { retiring } from './retire.ts';
import type { QueueItem, QueueState } from './state.ts';

export interface StartAttempt {
  readonly type: 'StartAttempt';
  /**
   * Items that may go in one transaction. The first one decides: others that are not in the same
   * place of their schedule, or not free to go, stay behind.
   */
  readonly queueIds: readonly QueueId[];
  /** When to try again if this attempt never ends. */
  readonly nextAttemptAt: Instant;
  /** '' is direct delivery. */
  readonly transport: string;
}

export type AttemptOutcome = AttemptRemotes &
  (
    | {
        readonly type: 'delivered';
        readonly reply: AttemptReply;
        /** Local mode: the copy for the sender's account, in the same append as the outcome. */
        readonly copy?: DeliverMessage;
      }
    | {
        readonly type: 'failed';
        readonly reply: AttemptReply;
        readonly permanent: boolean;
        /** See AttemptFailed. */
        readonly mayBeTaken?: boolean;
        readonly notices?: Notices;
      }
    | {
        /** The account does not write to the address; nobody was talked to. */
        readonly type: 'suppressed';
        readonly notices?: Notices;
      }
  );

/** What the sender is told, in the same append; which of them is decided here. */
export interface Notices {
  readonly failed?: DeliverMessage;
  readonly delayed?: DeliverMessage;
}

export interface FinishAttempt {
  readonly type: 'FinishAttempt';
  readonly queueId: QueueId;
  readonly attempt: number;
  /** Attempts that the schedule has, where the item has no number of its own. */
  readonly attemptsMax: number;
  readonly outcome: AttemptOutcome;
}

/**
 * At start-up: whatever was in mid-attempt was interrupted. Closes as many as one append holds: to
 * be repeated until it closes none.
 */
export interface CloseInterruptedAttempts {
  readonly type: 'CloseInterruptedAttempts';
}

export type AttemptCommand = StartAttempt | FinishAttempt | CloseInterruptedAttempts;

export interface AttemptAnswers {
  readonly StartAttempt: {
    readonly attempt: number;
    /** Those that go now. */
    readonly queueIds: readonly QueueId[];
    /** Of these, those whose address is suppressed: to be finished without talking to anybody. */
    readonly suppressed: readonly QueueId[];
  };
  readonly FinishAttempt: {
    readonly retired: boolean;
    readonly copy?: { readonly mailboxId: MailboxId; readonly uid: Uid };
  };
  readonly CloseInterruptedAttempts: {
    readonly closed: number;
    /** Of these, those that somebody wanted to end: to be ended now. */
    readonly canceled: readonly QueueId[];
  };
}

type Arrived = MessageEvent | MailboxesCreated;
type Event = QueueEvent | SuppressionEvent | Arrived;
type Outcome<C extends AttemptCommand> = Decision<Event, AttemptAnswers[C['type']]>;
type State = QueueState & SuppressionState & MailboxState & MessageState;

export function startAttempt(
  { queueIds, nextAttemptAt, transport }: StartAttempt,
  state: State,
  { at }: DecisionContext,
): Outcome<StartAttempt> {
  const [firstId, ...otherIds] = new Set(queueIds);
  const first = firstId === undefined ? undefined : state.queueItem(firstId);
  if (first === undefined) return refuse('NoSuchQueueItem');
  if (!mayGo(first, at)) return refuse('AttemptNotCurrent');
  const others = otherIds
    .map((queueId) => state.queueItem(queueId))
    .filter((item) => item !== undefined && mayGoWith(first, item, at));
  const items = [first, ...others].filter((item) => item !== undefined);
  const attempt = first.attempts + 1;
  const ids = items.map(({ queueId }) => queueId);
  const suppressed = items
    .filter(({ recipient }) => state.suppression(baseAddress(recipient)) !== undefined)
    .map(({ queueId }) => queueId);
  return decided([{ type: 'AttemptStarted', queueIds: ids, attempt, nextAttemptAt, transport }], {
    attempt,
    queueIds: ids,
    suppressed,
  });
}

function mayGo(item: QueueItem, at: Instant): boolean {
  const { inAttempt, isHeld, canceling, nextAttemptAt } = item;
  return !inAttempt && !isHeld && canceling === null && nextAttemptAt <= at;
}

/** One transaction for all: the same reverse-path, octets, requirements, and number of attempt. */
function mayGoWith(first: QueueItem, item: QueueItem, at: Instant): boolean {
  return (
    mayGo(item, at) &&
    first.baseId !== undefined &&
    item.baseId === first.baseId &&
    item.attempts === first.attempts &&
    item.requireTls === first.requireTls &&
    item.transport === first.transport
  );
}

export function finishAttempt(
  command: FinishAttempt,
  state: State,
  context: DecisionContext,
): Outcome<FinishAttempt> {
  const { queueId, attempt, outcome } = command;
  const item = state.queueItem(queueId);
  if (item === undefined) return refuse('NoSuchQueueItem');
  if (!item.inAttempt || item.attempts !== attempt) return refuse('AttemptNotCurrent');
  switch (outcome.type) {
    case 'delivered':
      return delivered(item, outcome, state, context);
    case 'failed':
      return failed(item, command, outcome, state, context);
    case 'suppressed':
      return suppressed(item, outcome, state, context);
    default:
      return unreachable(outcome);
  }
}

function givesUp(item: QueueItem, permanent: boolean, attemptsMax: number): boolean {
  return permanent || item.attempts >= (item.attemptsMax ?? attemptsMax);
}

/** True when the item leaves the queue if its attempt, in progress, ends so. */
export function endsItem(item: QueueItem, outcome: AttemptOutcome, attemptsMax: number): boolean {
  return (
    outcome.type !== 'failed' ||
    item.canceling !== null ||
    givesUp(item, outcome.permanent, attemptsMax)
  );
}

type OutcomeOf<Type> = Extract<AttemptOutcome, { readonly type: Type }>;

function delivered(
  item: QueueItem,
  outcome: OutcomeOf<'delivered'>,
  state: State,
  context: DecisionContext,
): Outcome<FinishAttempt> {
  const { queueId, attempts: attempt } = item;
  const events: Event[] = [
    { type: 'AttemptSucceeded', queueId, attempt, ...outcome.reply, ...remotesOf(outcome) },
    retiring(queueId, 'delivered', context),
  ];
  if (outcome.copy === undefined) return decided(events, { retired: true });
  const copy = deliverMessage(outcome.copy, state, context);
  // Nothing of it is recorded: the copy is the delivery, and it did not happen.
  if ('refused' in copy) return copy;
  const { bounce } = outcome.copy;
  const related =
    bounce === undefined ? [] : relateBounce(bounce, state.nextNumbers().messageId, state);
  const all = [...events, ...copy.events, ...related];
  return decided(all, { retired: true, copy: copy.answer });
}

function failed(
  item: QueueItem,
  command: FinishAttempt,
  outcome: OutcomeOf<'failed'>,
  state: State,
  context: DecisionContext,
): Outcome<FinishAttempt> {
  const { queueId, recipient, attempts: attempt, canceling, nextAttemptAt } = item;
  const { reply, permanent, mayBeTaken = false, notices } = outcome;
  const record = (retired: boolean): QueueEvent => ({
    type: 'AttemptFailed',
    queueId,
    attempt,
    ...reply,
    permanent,
    ...(mayBeTaken ? { mayBeTaken } : {}),
    ...remotesOf(outcome),
    ...(retired ? {} : { nextAttemptAt }),
  });
  if (canceling !== null) return canceled(item, canceling, record(true), notices, state, context);
  if (givesUp(item, permanent, command.attemptsMax)) {
    const about = { queueId, recipient, reply, source: 'queue' } as const;
    const events: Event[] = [
      record(true),
      retiring(queueId, 'failed', context),
      // What becomes of our reports says nothing about those whom the postmaster writes to.
      ...(item.report === undefined ? suppressAfter(about, state) : []),
      ...told(notices?.failed, state, context),
    ];
    return decided(events, { retired: true });
  }
  const delayed = attempt === DELAY_TOLD_AFTER ? told(notices?.delayed, state, context) : [];
  return decided([record(false), ...delayed], { retired: false });
}

/** What somebody wanted meanwhile, after an attempt that did not deliver. */
function canceled(
  { queueId }: QueueItem,
  how: Cancelling,
  failure: QueueEvent,
  notices: Notices | undefined,
  state: State,
  context: DecisionContext,
): Outcome<FinishAttempt> {
  const events: Event[] = [
    failure,
    { type: 'DeliveryCanceled', queueId, how },
    retiring(queueId, 'canceled', context),
    ...(how === 'fail' ? told(notices?.failed, state, context) : []),
  ];
  return decided(events, { retired: true });
}

const SUPPRESSED: AttemptReply = {
  code: 0,
  enhancedCode: '',
  text: 'The address is on the suppression list.',
};

function suppressed(
  item: QueueItem,
  { notices }: OutcomeOf<'suppressed'>,
  state: State,
  context: DecisionContext,
): Outcome<FinishAttempt> {
  const { queueId, attempts: attempt, canceling } = item;
  const failure = {
    type: 'AttemptFailed',
    queueId,
    attempt,
    ...SUPPRESSED,
    permanent: true,
  } as const;
  if (canceling !== null) return canceled(item, canceling, failure, notices, state, context);
  const events: Event[] = [
    failure,
    retiring(queueId, 'suppressed', context),
    ...told(notices?.failed, state, context),
  ];
  return decided(events, { retired: true });
}

/** A notice that finds no place does not undo what it tells of. */
function told(
  notice: DeliverMessage | undefined,
  state: State,
  context: DecisionContext,
): readonly Arrived[] {
  if (notice === undefined) return [];
  const decision = deliverMessage(notice, state, context);
  return 'refused' in decision ? [] : decision.events;
}

function remotesOf({ remote, dialed }: AttemptRemotes): AttemptRemotes {
  return {
    ...(remote === undefined ? {} : { remote }),
    ...(dialed === undefined || dialed.length === 0 ? {} : { dialed }),
  };
}

/** Not counted as failures: the next attempt is due when AttemptStarted said. */
export function closeInterruptedAttempts(state: State): Outcome<CloseInterruptedAttempts> {
  const items = firstEvents(state.openAttempts());
  const events = items.map(({ queueId, attempts }): QueueEvent => ({
    type: 'AttemptInterrupted',
    queueId,
    attempt: attempts,
  }));
  const canceled = items.filter(({ canceling }) => canceling !== null);
  return decided(events, {
    closed: events.length,
    canceled: canceled.map(({ queueId }) => queueId),
  });
}
