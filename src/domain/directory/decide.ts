/**
 * Commands of the administrator, each decided by the file of its topic.
 */

import { unreachable, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import {
  addAccount,
  changeAccountSettings,
  type AddAccount,
  type ChangeAccountSettings,
} from './accounts.ts';
import { addAddress, removeAddress, type AddAddress, type RemoveAddress } from './addresses.ts';
import {
  addAlias,
  addAliasMembers,
  changeAlias,
  removeAlias,
  removeAliasMembers,
  type AliasCommand,
} from './aliases.ts';
import {
  pauseDelivery,
  resumeDelivery,
  type PauseDelivery,
  type ResumeDelivery,
} from './delivery.ts';
import {
  addDomain,
  removeDomain,
  setUpDomain,
  switchDomain,
  type AddDomain,
  type DisableDomain,
  type DomainSetUp,
  type EnableDomain,
  type RemoveDomain,
  type SetUpDomain,
} from './domains.ts';
import type { DirectoryEvent } from './events.ts';
import {
  addDkimKey,
  addHoldRule,
  changeRoutes,
  removeDkimKey,
  removeHoldRule,
  useDkimKeys,
  type AddDkimKey,
  type AddHoldRule,
  type ChangeRoutes,
  type RemoveDkimKey,
  type RemoveHoldRule,
  type UseDkimKeys,
} from './outgoing.ts';
import {
  closeAccount,
  eraseAccount,
  removeAccount,
  type CloseAccount,
  type EraseAccount,
  type RemoveAccount,
} from './removal.ts';
import type { DirectoryState } from './state.ts';
import { claimTlsKey, releaseTlsKey, type ClaimTlsKey, type ReleaseTlsKey } from './tls-claims.ts';

export type DirectoryCommand =
  | AddDomain
  | AddAccount
  | AddAddress
  | RemoveAddress
  | SetUpDomain
  | RemoveDomain
  | CloseAccount
  | RemoveAccount
  | EraseAccount
  | AliasCommand
  | ClaimTlsKey
  | ReleaseTlsKey
  | ChangeAccountSettings
  | AddHoldRule
  | RemoveHoldRule
  | ChangeRoutes
  | DisableDomain
  | EnableDomain
  | AddDkimKey
  | RemoveDkimKey
  | UseDkimKeys
  | PauseDelivery
  | ResumeDelivery;

export interface DirectoryAnswers {
  readonly AddDomain: object;
  readonly AddAccount: { readonly accountId: AccountId };
  readonly AddAddress: object;
  readonly RemoveAddress: object;
  readonly SetUpDomain: DomainSetUp;
  readonly RemoveDomain: object;
  readonly CloseAccount: object;
  readonly RemoveAccount: object;
  readonly EraseAccount: object;
  readonly AddAlias: object;
  readonly ChangeAlias: object;
  readonly RemoveAlias: object;
  readonly AddAliasMembers: object;
  readonly RemoveAliasMembers: object;
  readonly ClaimTlsKey: object;
  readonly ReleaseTlsKey: object;
  readonly ChangeAccountSettings: object;
  readonly AddHoldRule: { readonly ruleId: number };
  readonly RemoveHoldRule: object;
  readonly ChangeRoutes: object;
  readonly DisableDomain: object;
  readonly EnableDomain: object;
  readonly AddDkimKey: object;
  readonly RemoveDkimKey: object;
  readonly UseDkimKeys: object;
  readonly PauseDelivery: object;
  readonly ResumeDelivery: object;
}

export type DirectoryAnswerTo<C extends DirectoryCommand> = DirectoryAnswers[C['type']];
type Outcome<C extends DirectoryCommand> = Decision<DirectoryEvent, DirectoryAnswerTo<C>>;

/** The answer follows the command: AddAccount is answered with the number of the account. */
export function decideDirectory<C extends DirectoryCommand>(
  command: C,
  state: DirectoryState,
): Outcome<C>;
export function decideDirectory(
  command: DirectoryCommand,
  state: DirectoryState,
): Outcome<DirectoryCommand> {
  switch (command.type) {
    case 'AddDomain':
      return addDomain(command, state);
    case 'AddAccount':
      return addAccount(command, state);
    case 'AddAddress':
      return addAddress(command, state);
    case 'RemoveAddress':
      return removeAddress(command, state);
    case 'SetUpDomain':
      return setUpDomain(command, state);
    case 'RemoveDomain':
      return removeDomain(command, state);
    case 'CloseAccount':
      return closeAccount(command, state);
    case 'RemoveAccount':
      return removeAccount(command, state);
    case 'EraseAccount':
      return eraseAccount(command, state);
    case 'AddAlias':
      return addAlias(command, state);
    case 'ChangeAlias':
      return changeAlias(command, state);
    case 'RemoveAlias':
      return removeAlias(command, state);
    case 'AddAliasMembers':
      return addAliasMembers(command, state);
    case 'RemoveAliasMembers':
      return removeAliasMembers(command, state);
    case 'ClaimTlsKey':
      return claimTlsKey(command, state);
    case 'ReleaseTlsKey':
      return releaseTlsKey(command, state);
    case 'ChangeAccountSettings':
      return changeAccountSettings(command, state);
    case 'AddHoldRule':
      return addHoldRule(command, state);
    case 'RemoveHoldRule':
      return removeHoldRule(command, state);
    case 'ChangeRoutes':
      return changeRoutes(command, state);
    case 'DisableDomain':
    case 'EnableDomain':
      return switchDomain(command, state);
    case 'AddDkimKey':
      return addDkimKey(command, state);
    case 'RemoveDkimKey':
      return removeDkimKey(command, state);
    case 'UseDkimKeys':
      return useDkimKeys(command, state);
    case 'PauseDelivery':
      return pauseDelivery(command, state);
    case 'ResumeDelivery':
      return resumeDelivery(state);
    default:
      return unreachable(command);
  }
}
