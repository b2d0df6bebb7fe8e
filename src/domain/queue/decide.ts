/**
 * Commands about outgoing mail: queueing, one attempt at a time, and what administrators do.
 */

import type { MailboxesCreated } from '../mailbox/events.ts';
import type { MailboxState } from '../mailbox/state.ts';
import type { MessageEvent } from '../message/events.ts';
import type { MessageState } from '../message/state.ts';
import type { SuppressionEvent } from '../suppression/events.ts';
import type { SuppressionState } from '../suppression/state.ts';
import type { WebhookState } from '../webhook/state.ts';
import type { Decision, DecisionContext } from '../values/decision.ts';
import {
  closeInterruptedAttempts,
  finishAttempt,
  startAttempt,
  type AttemptAnswers,
  type AttemptCommand,
} from './attempts.ts';
import type { SentCountState } from './daily-limits.ts';
import { queueMessage, type EnqueueAnswers, type QueueMessage } from './enqueue.ts';
import type { QueueEvent } from './events.ts';
import { manageQueue, type ManageAnswers, type ManageCommand } from './manage.ts';
import type { QueueState } from './state.ts';

export type QueueCommand = QueueMessage | AttemptCommand | ManageCommand;

export type QueueAnswers = EnqueueAnswers & AttemptAnswers & ManageAnswers;

type Event = QueueEvent | SuppressionEvent | MessageEvent | MailboxesCreated;
type Outcome<C extends QueueCommand> = Decision<Event, QueueAnswers[C['type']]>;
type State = QueueState &
  SentCountState &
  SuppressionState &
  MailboxState &
  MessageState &
  WebhookState;

export function decideQueue(
  command: QueueCommand,
  state: State,
  context: DecisionContext,
): Outcome<QueueCommand> {
  switch (command.type) {
    case 'QueueMessage':
      return queueMessage(command, state, context);
    case 'StartAttempt':
      return startAttempt(command, state, context);
    case 'FinishAttempt':
      return finishAttempt(command, state, context);
    case 'CloseInterruptedAttempts':
      return closeInterruptedAttempts(state);
    default:
      return manageQueue(command, state, context);
  }
}
