/**
 * What an administrator does to queued mail: hold, release, reschedule, change how it goes, end it.
 *
 * Invariants: items that are gone are passed over, and the answer says how many were changed; what
 * is so already changes nothing; an item in an attempt is ended when the attempt ends.
 */

import { affecting, type Affected } from '../log/affected.ts';
import { APPEND_EVENTS_MAX } from '../log/event-log.ts';
import type { MailboxesCreated } from '../mailbox/events.ts';
import type { MailboxState } from '../mailbox/state.ts';
import { deliverMessage, type DeliverMessage } from '../message/decide.ts';
import type { MessageEvent } from '../message/events.ts';
import type { MessageState } from '../message/state.ts';
import type { WebhookState } from '../webhook/state.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
} from '../values/decision.ts';
import type { QueueId } from '../values/ids.ts';
import { rescheduled, type Rescheduling } from '../values/rescheduling.ts';
import type { Cancelling, QueueEvent } from './events.ts';
import { retiring } from './retire.ts';
import type { QueueItem, QueueState } from './state.ts';

export interface HoldMessages {
  readonly type: 'HoldMessages';
  readonly queueIds: readonly QueueId[];
  /** The rule that asks for it. */
  readonly ruleId?: number;
}

export interface ReleaseMessages {
  readonly type: 'ReleaseMessages';
  readonly queueIds: readonly QueueId[];
}

export interface RescheduleMessages {
  readonly type: 'RescheduleMessages';
  readonly queueIds: readonly QueueId[];
  readonly to: Rescheduling;
}

export interface ForceTransport {
  readonly type: 'ForceTransport';
  readonly queueIds: readonly QueueId[];
  /** '' gives them back to the routes. */
  readonly transport: string;
}

export interface SetTlsRequirement {
  readonly type: 'SetTlsRequirement';
  readonly queueIds: readonly QueueId[];
  readonly requireTls: boolean | null;
}

/** Ended; the sender is told. */
export interface FailMessage {
  readonly type: 'FailMessage';
  readonly queueId: QueueId;
  /** Tells the sender, in the same append; an attempt in progress brings its own. */
  readonly notice?: DeliverMessage;
}

/** Ended; nobody is told. */
export interface DropMessages {
  readonly type: 'DropMessages';
  readonly queueIds: readonly QueueId[];
}

/** Finished items whose time is over are shown no more. */
export interface ForgetRetired {
  readonly type: 'ForgetRetired';
}

export type ManageCommand =
  | HoldMessages
  | ReleaseMessages
  | RescheduleMessages
  | ForceTransport
  | SetTlsRequirement
  | FailMessage
  | DropMessages
  | ForgetRetired;

export interface ManageAnswers {
  readonly HoldMessages: Affected;
  readonly ReleaseMessages: Affected;
  readonly RescheduleMessages: Affected;
  readonly ForceTransport: Affected;
  readonly SetTlsRequirement: Affected;
  readonly FailMessage: Affected;
  readonly DropMessages: Affected;
  readonly ForgetRetired: object;
}

type Event = QueueEvent | MessageEvent | MailboxesCreated;
type Outcome<C extends ManageCommand> = Decision<Event, ManageAnswers[C['type']]>;
type State = QueueState & MailboxState & MessageState & WebhookState;

export function manageQueue(
  command: ManageCommand,
  state: State,
  context: DecisionContext,
): Outcome<ManageCommand> {
  switch (command.type) {
    case 'HoldMessages': {
      const { queueIds, ruleId } = command;
      const rule = ruleId === undefined ? {} : { ruleId };
      const ids = idsOf(itemsIn(queueIds, state).filter(({ isHeld }) => !isHeld));
      return affecting(ids, (list) => ({ type: 'MessagesHeld', queueIds: list, ...rule }));
    }
    case 'ReleaseMessages': {
      const ids = idsOf(itemsIn(command.queueIds, state).filter(({ isHeld }) => isHeld));
      return affecting(ids, (queueIds) => ({ type: 'MessagesReleased', queueIds }));
    }
    case 'RescheduleMessages': {
      const items = rescheduled(itemsIn(command.queueIds, state), command.to).map(
        ({ queueId, nextAttemptAt }) => ({ queueId, nextAttemptAt }),
      );
      return affecting(items, (list) => ({ type: 'MessagesRescheduled', items: list }));
    }
    case 'ForceTransport': {
      const { queueIds, transport } = command;
      const items = itemsIn(queueIds, state).filter((item) => item.transport !== transport);
      const named = transport === '' ? {} : { transport };
      return affecting(idsOf(items), (list) => ({
        type: 'TransportForced',
        queueIds: list,
        ...named,
      }));
    }
    case 'SetTlsRequirement': {
      const { queueIds, requireTls } = command;
      const items = itemsIn(queueIds, state).filter((item) => item.requireTls !== requireTls);
      const wanted = requireTls === null ? {} : { requireTls };
      return affecting(idsOf(items), (list) => ({
        type: 'TlsRequirementSet',
        queueIds: list,
        ...wanted,
      }));
    }
    case 'FailMessage': {
      const { queueId, notice } = command;
      return cancel('fail', itemsIn([queueId], state), notice, state, context);
    }
    case 'DropMessages':
      return cancel('drop', itemsIn(command.queueIds, state), undefined, state, context);
    case 'ForgetRetired':
      return forgetRetired(state, context);
    default:
      return unreachable(command);
  }
}

/** Of webhooks too. */
function forgetRetired(state: State, { at }: DecisionContext): Outcome<ForgetRetired> {
  const isOver = state.remembersUpTo(at) || state.remembersWebhooksUpTo(at);
  return decided(isOver ? [{ type: 'RetiredForgotten', upTo: at }] : [], {});
}

function itemsIn(queueIds: readonly QueueId[], state: State): readonly QueueItem[] {
  return [...new Set(queueIds)]
    .map((queueId) => state.queueItem(queueId))
    .filter((item) => item !== undefined);
}

function idsOf(items: readonly QueueItem[]): readonly QueueId[] {
  return items.map(({ queueId }) => queueId);
}

function cancel(
  how: Cancelling,
  items: readonly QueueItem[],
  notice: DeliverMessage | undefined,
  state: State,
  context: DecisionContext,
): Decision<Event, Affected> {
  const free = items.filter(({ inAttempt }) => !inAttempt);
  const busy = items.filter((item) => item.inAttempt && item.canceling !== how);
  const events = free.flatMap(({ queueId }): Event[] => [
    { type: 'DeliveryCanceled', queueId, how },
    retiring(queueId, 'canceled', context),
  ]);
  if (events.length > APPEND_EVENTS_MAX - 1) return refuse('TooMuchAtOnce');
  if (busy.length > 0) events.push({ type: 'CancelRequested', queueIds: idsOf(busy), how });
  if (free.length > 0 && notice !== undefined) {
    const told = deliverMessage(notice, state, context);
    // A notice that finds no place does not undo what it tells of.
    if (!('refused' in told)) events.push(...told.events);
  }
  return decided(events, { affected: free.length + busy.length });
}
