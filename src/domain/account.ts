/**
 * The account decider: routes a command to its topic, so that all consequences of a command are
 * one decision and therefore one append.
 */

import type { CredentialAnswers, CredentialCommand } from './credential/decide.ts';
import type { CredentialState } from './credential/state.ts';
import type { MailboxAnswers, MailboxCommand } from './mailbox/decide.ts';
import type { MailboxState } from './mailbox/state.ts';
import type { MessageAnswers, MessageCommand } from './message/decide.ts';
import type { MessageState } from './message/state.ts';
import type { QueueAnswers, QueueCommand } from './queue/decide.ts';
import type { QueueState } from './queue/state.ts';
import type { AccountId, Instant } from './values/ids.ts';

export type AccountCommand = MailboxCommand | MessageCommand | QueueCommand | CredentialCommand;

export type AccountAnswers = MailboxAnswers & MessageAnswers & QueueAnswers & CredentialAnswers;

export type AnswerTo<C extends AccountCommand> = AccountAnswers[C['type']];

/** Everything that a decision may ask; true at one revision of the account's stream. */
export interface AccountState extends MailboxState, MessageState, QueueState, CredentialState {}

/** What a decision knows besides the state; makes it repeatable. */
export interface DecisionContext {
  readonly accountId: AccountId;
  readonly at: Instant;
}
