/**
 * Commands about outgoing mail and their rules: queueing, one attempt at a time, retiring.
 *
 * Invariants: an item has at most one attempt in progress and ends exactly once; an outcome and all
 * that follows from it are one decision.
 */

import { eventLists, firstEvents } from '../log/event-size.ts';
import type { MailboxState } from '../mailbox/state.ts';
import { deliverMessage, type DeliverMessage } from '../message/decide.ts';
import type { MessageEvent } from '../message/events.ts';
import type { MessageState } from '../message/state.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
} from '../values/decision.ts';
import {
  serverWideId,
  type BodyHash,
  type Instant,
  type MailboxId,
  type QueueId,
  type Uid,
} from '../values/ids.ts';
import type {
  AttemptFailed,
  AttemptReply,
  MessageRetired,
  NewQueueItem,
  QueueEvent,
} from './events.ts';
import { ATTEMPTS_MAX } from './outcome.ts';
import type { QueueState } from './state.ts';

export interface QueueMessage {
  readonly type: 'QueueMessage';
  readonly mailFrom: string;
  /** One queue item each; none of them twice. */
  readonly recipients: readonly string[];
  readonly body: BodyHash;
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly headerId: string;
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
}

export interface StartAttempt {
  readonly type: 'StartAttempt';
  readonly queueId: QueueId;
  /** When to try again if this attempt never ends. */
  readonly nextAttemptAt: Instant;
}

export type AttemptOutcome =
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
      readonly nextAttemptAt: Instant;
      /** Tells the sender, in the same append; only looked at when there is no further attempt. */
      readonly notice?: DeliverMessage;
    };

export interface FinishAttempt {
  readonly type: 'FinishAttempt';
  readonly queueId: QueueId;
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
}

/**
 * At start-up: whatever was in mid-attempt was interrupted. Closes as many as one append holds: to
 * be repeated until it closes none.
 */
export interface CloseInterruptedAttempts {
  readonly type: 'CloseInterruptedAttempts';
}

export type QueueCommand = QueueMessage | StartAttempt | FinishAttempt | CloseInterruptedAttempts;

export interface QueueAnswers {
  readonly QueueMessage: { readonly items: readonly NewQueueItem[] };
  readonly StartAttempt: { readonly attempt: number };
  readonly FinishAttempt: {
    readonly retired: boolean;
    readonly copy?: { readonly mailboxId: MailboxId; readonly uid: Uid };
  };
  readonly CloseInterruptedAttempts: { readonly closed: number };
}

type Outcome<C extends QueueCommand> = Decision<QueueEvent | MessageEvent, QueueAnswers[C['type']]>;
type State = QueueState & MailboxState & MessageState;

export function decideQueue(
  command: QueueCommand,
  state: State,
  context: DecisionContext,
): Outcome<QueueCommand> {
  switch (command.type) {
    case 'QueueMessage':
      return queueMessage(command, state, context);
    case 'StartAttempt':
      return startAttempt(command, state);
    case 'FinishAttempt':
      return finishAttempt(command, state);
    case 'CloseInterruptedAttempts':
      return closeInterruptedAttempts(state);
    default:
      return unreachable(command);
  }
}

function queueMessage(
  command: QueueMessage,
  state: State,
  context: DecisionContext,
): Outcome<QueueMessage> {
  const { mailFrom, body, prefix, sizeBytes, headerId, smtpUtf8, eightBit } = command;
  const counter = state.nextNumbers().queueId;
  const items = command.recipients.map((recipient, i) => ({
    queueId: serverWideId(context.accountId, counter + i),
    recipient,
  }));
  const lists = eventLists(items);
  if (lists === undefined) return refuse('TooMuchAtOnce');
  const events = lists.map((list): QueueEvent => ({
    type: 'MessageQueued',
    items: list,
    mailFrom,
    body,
    prefix,
    sizeBytes,
    headerId,
    smtpUtf8,
    eightBit,
    nextAttemptAt: context.at,
  }));
  return decided(events, { items });
}

function startAttempt(command: StartAttempt, state: State): Outcome<StartAttempt> {
  const { queueId, nextAttemptAt } = command;
  const item = state.queueItem(queueId);
  if (item === undefined) return refuse('NoSuchQueueItem');
  if (item.inAttempt) return refuse('AttemptNotCurrent');
  const attempt = item.attempts + 1;
  return decided([{ type: 'AttemptStarted', queueId, attempt, nextAttemptAt }], { attempt });
}

function finishAttempt(command: FinishAttempt, state: State): Outcome<FinishAttempt> {
  const { queueId, attempt, outcome } = command;
  const item = state.queueItem(queueId);
  if (item === undefined) return refuse('NoSuchQueueItem');
  if (!item.inAttempt || item.attempts !== attempt) return refuse('AttemptNotCurrent');
  switch (outcome.type) {
    case 'delivered':
      return attemptSucceeded(queueId, attempt, outcome, state);
    case 'failed':
      return attemptFailed(queueId, attempt, outcome, state);
    default:
      return unreachable(outcome);
  }
}

function attemptSucceeded(
  queueId: QueueId,
  attempt: number,
  outcome: Extract<AttemptOutcome, { readonly type: 'delivered' }>,
  state: State,
): Outcome<FinishAttempt> {
  const { code, enhancedCode, text } = outcome.reply;
  const events: QueueEvent[] = [
    { type: 'AttemptSucceeded', queueId, attempt, code, enhancedCode, text },
    { type: 'MessageRetired', queueId, outcome: 'delivered' },
  ];
  if (outcome.copy === undefined) return decided(events, { retired: true });
  const copy = deliverMessage(outcome.copy, state);
  // Nothing of it is recorded: the copy is the delivery, and it did not happen.
  if ('refused' in copy) return copy;
  return decided([...events, ...copy.events], { retired: true, copy: copy.answer });
}

function attemptFailed(
  queueId: QueueId,
  attempt: number,
  outcome: Extract<AttemptOutcome, { readonly type: 'failed' }>,
  state: State,
): Outcome<FinishAttempt> {
  const { permanent, nextAttemptAt, notice } = outcome;
  const { code, enhancedCode, text } = outcome.reply;
  const retired = permanent || attempt >= ATTEMPTS_MAX;
  const failed: AttemptFailed = {
    type: 'AttemptFailed',
    queueId,
    attempt,
    code,
    enhancedCode,
    text,
    permanent,
    ...(retired ? {} : { nextAttemptAt }),
  };
  const last: MessageRetired = { type: 'MessageRetired', queueId, outcome: 'failed' };
  if (!retired) return decided([failed], { retired });
  const told = notice === undefined ? undefined : deliverMessage(notice, state);
  // A notice that finds no place does not undo the failure.
  const news = told === undefined || 'refused' in told ? [] : told.events;
  return decided([failed, last, ...news], { retired });
}

/** Not counted as failures: the next attempt is due when AttemptStarted said. */
function closeInterruptedAttempts(state: State): Outcome<CloseInterruptedAttempts> {
  const events = firstEvents(state.openAttempts()).map(({ queueId, attempts }): QueueEvent => ({
    type: 'AttemptInterrupted',
    queueId,
    attempt: attempts,
  }));
  return decided(events, { closed: events.length });
}
