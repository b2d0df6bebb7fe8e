/**
 * The account decider: routes a command to its topic, so that all consequences of a command are
 * one decision and therefore one append.
 */

import {
  decideCredential,
  type CredentialAnswers,
  type CredentialCommand,
} from './credential/decide.ts';
import type { CredentialState } from './credential/state.ts';
import { decideBody, type BodyAnswers, type BodyCommand } from './body/decide.ts';
import type { BodyState } from './body/state.ts';
import { fitOneAppend } from './log/event-size.ts';
import type { AccountEvent } from './log/streams.ts';
import type { AnnotationState } from './mailbox/annotations.ts';
import { decideMailbox, type MailboxAnswers, type MailboxCommand } from './mailbox/decide.ts';
import type { MailboxState } from './mailbox/state.ts';
import {
  decideMessage,
  deliverMessage,
  type DeliverMessage,
  type MessageAnswers,
  type MessageCommand,
} from './message/decide.ts';
import { withinQuota } from './message/quota.ts';
import type { MessageState } from './message/state.ts';
import { relateBounce } from './queue/bounce.ts';
import type { SentCountState } from './queue/daily-limits.ts';
import { decideQueue, type QueueAnswers, type QueueCommand } from './queue/decide.ts';
import type { QueueState } from './queue/state.ts';
import {
  decideSuppression,
  type SuppressionAnswers,
  type SuppressionCommand,
} from './suppression/decide.ts';
import type { SuppressionState } from './suppression/state.ts';
import { decideWebhook, type WebhookAnswers, type WebhookCommand } from './webhook/decide.ts';
import { webhooksAfter } from './webhook/react.ts';
import type { WebhookState } from './webhook/state.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
} from './values/decision.ts';

export type AccountCommand =
  | MailboxCommand
  | MessageCommand
  | QueueCommand
  | SuppressionCommand
  | WebhookCommand
  | CredentialCommand
  | BodyCommand;

export type AccountAnswers = MailboxAnswers &
  BodyAnswers &
  MessageAnswers &
  QueueAnswers &
  SuppressionAnswers &
  WebhookAnswers &
  CredentialAnswers;

export type AnswerTo<C extends AccountCommand> = AccountAnswers[C['type']];

/** Everything that a decision may ask; true at one revision of the account's stream. */
export interface AccountState
  extends
    MailboxState,
    AnnotationState,
    MessageState,
    BodyState,
    QueueState,
    SentCountState,
    SuppressionState,
    WebhookState,
    CredentialState {}

/** What no account that is being removed takes any more; what was begun comes to its end. */
const BEGINNINGS: ReadonlySet<AccountCommand['type']> = new Set([
  'OpenAccount',
  'CreateMailbox',
  'RenameMailbox',
  'DeleteMailbox',
  'SubscribeMailbox',
  'UnsubscribeMailbox',
  'SetAnnotations',
  'DeliverMessage',
  'AppendMessages',
  'CopyMessages',
  'MoveMessages',
  'ChangeFlags',
  'ReplaceMessage',
  'ExpungeMessages',
  'QueueMessage',
  'StartAttempt',
  'SuppressAddress',
  'StartWebhookAttempt',
  'SetPassword',
  'AddTlsKey',
  'ChangeTlsKey',
]);

/** What is to be recorded for a command; the answer follows the command. Pure and repeatable. */
export function decideAccount<C extends AccountCommand>(
  command: C,
  state: AccountState,
  context: DecisionContext,
): Decision<AccountEvent, AnswerTo<C>>;
export function decideAccount(
  command: AccountCommand,
  state: AccountState,
  context: DecisionContext,
): Decision<AccountEvent, AnswerTo<AccountCommand>> {
  if (context.policy.isClosed && BEGINNINGS.has(command.type)) return refuse('NoSuchAccount');
  const decision = decideTopic(command, state, context);
  if ('refused' in decision) return decision;
  const hooks = webhooksAfter(decision.events, isArrival(command), state, context);
  if (hooks.length === 0) return decision;
  const events = [...decision.events, ...hooks];
  return fitOneAppend(events) ? decided(events, decision.answer) : refuse('TooMuchAtOnce');
}

/** Mail from somebody else, also where that is an account of ours. */
function isArrival(command: AccountCommand): boolean {
  switch (command.type) {
    case 'DeliverMessage':
      return command.isSilent !== true;
    case 'FinishAttempt':
      return command.outcome.type === 'delivered';
    default:
      return false;
  }
}

function decideTopic(
  command: AccountCommand,
  state: AccountState,
  context: DecisionContext,
): Decision<AccountEvent, AnswerTo<AccountCommand>> {
  switch (command.type) {
    case 'OpenAccount':
    case 'CreateMailbox':
    case 'RenameMailbox':
    case 'DeleteMailbox':
    case 'SubscribeMailbox':
    case 'UnsubscribeMailbox':
    case 'RenumberMailboxes':
    case 'SetAnnotations':
      return decideMailbox(command, state, context);
    case 'DeliverMessage':
      return deliver(command, state, context);
    case 'AppendMessages':
    case 'CopyMessages':
    case 'MoveMessages':
    case 'ChangeFlags':
    case 'ReplaceMessage':
    case 'ExpungeMessages':
      return withinQuota(decideMessage(command, state, context), command, state, context);
    case 'QueueMessage':
    case 'StartAttempt':
    case 'FinishAttempt':
    case 'CloseInterruptedAttempts':
    case 'HoldMessages':
    case 'ReleaseMessages':
    case 'RescheduleMessages':
    case 'ForceTransport':
    case 'SetTlsRequirement':
    case 'FailMessage':
    case 'DropMessages':
    case 'ForgetRetired':
      return decideQueue(command, state, context);
    case 'SweepBodies':
      return decideBody(command, state);
    case 'SuppressAddress':
    case 'UnsuppressAddress':
      return decideSuppression(command, state);
    case 'StartWebhookAttempt':
    case 'FinishWebhookAttempt':
    case 'CloseInterruptedWebhooks':
    case 'RescheduleWebhooks':
    case 'CancelWebhooks':
      return decideWebhook(command, state, context);
    case 'SetPassword':
    case 'ForbidLogin':
    case 'AllowLogin':
    case 'AddTlsKey':
    case 'ChangeTlsKey':
    case 'RemoveTlsKey':
      return decideCredential(command, state);
    default:
      return unreachable(command);
  }
}

/** Mail about a message that we sent is recorded as such together with its arrival. */
function deliver(
  command: DeliverMessage,
  state: AccountState,
  context: DecisionContext,
): Decision<AccountEvent, AnswerTo<DeliverMessage>> {
  const delivered = deliverMessage(command, state, context);
  const { mayExceedQuota = false } = command;
  const decision = mayExceedQuota ? delivered : withinQuota(delivered, command, state, context);
  if ('refused' in decision || command.bounce === undefined) return decision;
  const related = relateBounce(command.bounce, state.nextNumbers().messageId, state);
  return decided([...decision.events, ...related], decision.answer);
}
