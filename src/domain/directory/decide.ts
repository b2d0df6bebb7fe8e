/**
 * Commands of the administrator and their rules: uniqueness and references.
 *
 * Invariants: account numbers count from 1 and are never reused; no two accounts have names that
 * differ in case alone; an address belongs to one account; a TLS key is claimed for one account,
 * as one of its addresses.
 */

import { foldedLocalpart, isDomainName } from '../values/address.ts';
import { decided, refuse, unreachable, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import type { Route } from '../queue/route.ts';
import { isSelectorOf, type DkimKey } from './dkim-keys.ts';
import type { DirectoryEvent, RouteScope } from './events.ts';
import type { HoldRule } from './hold-rules.ts';
import { changedSettings, type AccountSettings } from './settings.ts';
import {
  accountOfLogin,
  addressKey,
  dkimKeysOf,
  settingsOf,
  type DirectoryState,
} from './state.ts';

export interface AddDomain {
  readonly type: 'AddDomain';
  readonly domain: string;
  readonly catchallSeparator: string;
  readonly caseSensitive: boolean;
}

export interface AddAccount {
  readonly type: 'AddAccount';
  readonly name: string;
}

/** '' as localpart is the catchall of the domain. */
export interface AddAddress {
  readonly type: 'AddAddress';
  readonly localpart: string;
  readonly domain: string;
  readonly accountId: AccountId;
}

/** Given again by the account that has it, it changes the address at most. */
export interface ClaimTlsKey {
  readonly type: 'ClaimTlsKey';
  readonly fingerprint: string;
  readonly accountId: AccountId;
  readonly localpart: string;
  readonly domain: string;
  /** An account that has the claim and was seen to have no such key: it loses the claim. */
  readonly insteadOf?: AccountId;
}

export interface ReleaseTlsKey {
  readonly type: 'ReleaseTlsKey';
  readonly fingerprint: string;
  /** Of another account it is not released. */
  readonly accountId: AccountId;
}

export interface ChangeAccountSettings {
  readonly type: 'ChangeAccountSettings';
  readonly accountId: AccountId;
  /** What is left out stays as it is. */
  readonly changes: Partial<AccountSettings>;
}

/** The same rule twice is one rule. */
export interface AddHoldRule {
  readonly type: 'AddHoldRule';
  readonly rule: Omit<HoldRule, 'ruleId'>;
}

export interface RemoveHoldRule {
  readonly type: 'RemoveHoldRule';
  readonly ruleId: number;
}

export interface ChangeRoutes {
  readonly type: 'ChangeRoutes';
  readonly scope: RouteScope;
  readonly routes: readonly Route[];
  /** The transports that there are: a route to another one is refused. */
  readonly transports: readonly string[];
}

export interface DisableDomain {
  readonly type: 'DisableDomain';
  readonly domain: string;
}

export interface EnableDomain {
  readonly type: 'EnableDomain';
  readonly domain: string;
}

export interface AddDkimKey {
  readonly type: 'AddDkimKey';
  readonly domain: string;
  readonly key: DkimKey;
}

export interface RemoveDkimKey {
  readonly type: 'RemoveDkimKey';
  readonly domain: string;
  readonly name: string;
}

export type DirectoryCommand =
  | AddDomain
  | AddAccount
  | AddAddress
  | ClaimTlsKey
  | ReleaseTlsKey
  | ChangeAccountSettings
  | AddHoldRule
  | RemoveHoldRule
  | ChangeRoutes
  | DisableDomain
  | EnableDomain
  | AddDkimKey
  | RemoveDkimKey;

export interface DirectoryAnswers {
  readonly AddDomain: object;
  readonly AddAccount: { readonly accountId: AccountId };
  readonly AddAddress: object;
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
    case 'ClaimTlsKey':
      return claimTlsKey(command, state);
    case 'ReleaseTlsKey': {
      const { fingerprint, accountId } = command;
      const isOwn = state.tlsKeys.get(fingerprint)?.accountId === accountId;
      return decided(isOwn ? [{ type: 'TlsKeyReleased', fingerprint }] : [], {});
    }
    case 'ChangeAccountSettings':
      return changeAccountSettings(command, state);
    case 'AddHoldRule':
      return addHoldRule(command, state);
    case 'RemoveHoldRule': {
      const { ruleId } = command;
      if (!state.holdRules.some((rule) => rule.ruleId === ruleId)) {
        return refuse('NoSuchHoldRule', String(ruleId));
      }
      return decided([{ type: 'HoldRuleRemoved', ruleId }], {});
    }
    case 'ChangeRoutes':
      return changeRoutes(command, state);
    case 'DisableDomain':
    case 'EnableDomain':
      return switchDomain(command, state);
    case 'AddDkimKey':
      return addDkimKey(command, state);
    case 'RemoveDkimKey':
      return removeDkimKey(command, state);
    default:
      return unreachable(command);
  }
}

function addDomain(command: AddDomain, state: DirectoryState): Outcome<AddDomain> {
  const { domain, catchallSeparator, caseSensitive } = command;
  if (!isDomainName(domain)) return refuse('DomainForbidden', domain);
  if (state.domains.has(domain)) return refuse('DomainExists', domain);
  return decided([{ type: 'DomainAdded', domain, catchallSeparator, caseSensitive }], {});
}

function addAccount(command: AddAccount, state: DirectoryState): Outcome<AddAccount> {
  const { name } = command;
  if (!isAccountName(name)) return refuse('AccountNameForbidden', name);
  const folded = name.toLowerCase();
  for (const account of state.accounts.values()) {
    if (account.name.toLowerCase() === folded) return refuse('AccountExists', account.name);
  }
  const accountId = Math.max(0, ...state.accounts.keys()) + 1;
  return decided([{ type: 'AccountAdded', accountId, name }], { accountId });
}

/** Names that cannot be the name of a file on Windows, with any extension. */
const DEVICE_NAME = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Names are shown in paths: letters, digits, `.`, `_`, `-`, and nothing that climbs or hides. */
function isAccountName(name: string): boolean {
  return (
    /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]{0,63}$/u.test(name) &&
    name.normalize('NFC') === name &&
    !name.includes('..') &&
    !name.endsWith('.') &&
    !DEVICE_NAME.test(name)
  );
}

function addAddress(command: AddAddress, state: DirectoryState): Outcome<AddAddress> {
  const { domain, accountId } = command;
  const rules = state.domains.get(domain);
  if (rules === undefined) return refuse('NoSuchDomain', domain);
  if (!state.accounts.has(accountId)) return refuse('NoSuchAccount', String(accountId));
  const localpart = foldedLocalpart(command.localpart, rules.caseSensitive);
  // Look-ups cut at the separator: mail would never find such an address.
  if (Array.from(rules.catchallSeparator).some((separator) => localpart.includes(separator))) {
    return refuse('AddressForbidden', localpart);
  }
  if (state.addresses.has(addressKey(localpart, domain))) {
    return refuse('AddressTaken', addressKey(localpart, domain));
  }
  return decided([{ type: 'AddressAdded', localpart, domain, accountId }], {});
}

function claimTlsKey(command: ClaimTlsKey, state: DirectoryState): Outcome<ClaimTlsKey> {
  const { fingerprint, accountId, domain, insteadOf } = command;
  const rules = state.domains.get(domain);
  const owner = accountOfLogin(state, command.localpart, domain);
  const address = addressKey(command.localpart, domain);
  if (rules === undefined || owner === undefined) return refuse('NoSuchAddress', address);
  if (owner !== accountId) return refuse('AddressOfAnother', address);
  const localpart = foldedLocalpart(command.localpart, rules.caseSensitive);
  const claim = state.tlsKeys.get(fingerprint);
  if (claim !== undefined && claim.accountId !== accountId && claim.accountId !== insteadOf) {
    return refuse('TlsKeyTaken', fingerprint);
  }
  const isSo = claim?.accountId === accountId && claim.address === addressKey(localpart, domain);
  return decided(
    isSo ? [] : [{ type: 'TlsKeyClaimed', fingerprint, accountId, localpart, domain }],
    {},
  );
}

function changeAccountSettings(
  command: ChangeAccountSettings,
  state: DirectoryState,
): Outcome<ChangeAccountSettings> {
  const { accountId } = command;
  if (!state.accounts.has(accountId)) return refuse('NoSuchAccount', String(accountId));
  const changes = changedSettings(settingsOf(state, accountId), command.changes);
  if (Object.keys(changes).length === 0) return decided([], {});
  return decided([{ type: 'AccountSettingsChanged', accountId, changes }], {});
}

function changeRoutes(command: ChangeRoutes, state: DirectoryState): Outcome<ChangeRoutes> {
  const { scope, routes, transports } = command;
  if (scope.type === 'domain' && !state.domains.has(scope.domain)) {
    return refuse('NoSuchDomain', scope.domain);
  }
  if (scope.type === 'account' && !state.accounts.has(scope.accountId)) {
    return refuse('NoSuchAccount', String(scope.accountId));
  }
  const lost = routes.find(({ transport }) => !transports.includes(transport));
  if (lost !== undefined) return refuse('NoSuchTransport', lost.transport);
  const wrong = routes
    .flatMap(({ fromDomain, toDomain }) => [...fromDomain, ...toDomain])
    .find((pattern) => pattern !== '.' && !isDomainName(pattern.replace(/^\./, '')));
  if (wrong !== undefined) return refuse('DomainForbidden', wrong);
  return decided([{ type: 'RoutesChanged', scope, routes }], {});
}

function switchDomain(
  { type, domain }: DisableDomain | EnableDomain,
  state: DirectoryState,
): Outcome<DisableDomain> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const isDisabled = state.disabledDomains.has(domain);
  if (isDisabled === (type === 'DisableDomain')) return decided([], {});
  return decided([{ type: isDisabled ? 'DomainEnabled' : 'DomainDisabled', domain }], {});
}

function addDkimKey({ domain, key }: AddDkimKey, state: DirectoryState): Outcome<AddDkimKey> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  if (!isSelectorOf(key.name, domain)) return refuse('DkimKeyForbidden', key.name);
  const keys = dkimKeysOf(state, domain);
  if (keys.some(({ name }) => name === key.name)) return refuse('DkimKeyExists', key.name);
  return decided([{ type: 'DkimKeysChanged', domain, keys: [...keys, key] }], {});
}

function removeDkimKey(
  { domain, name }: RemoveDkimKey,
  state: DirectoryState,
): Outcome<RemoveDkimKey> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const keys = dkimKeysOf(state, domain);
  const others = keys.filter((key) => key.name !== name);
  if (others.length === keys.length) return refuse('NoSuchDkimKey', name);
  return decided([{ type: 'DkimKeysChanged', domain, keys: others }], {});
}

function addHoldRule({ rule }: AddHoldRule, state: DirectoryState): Outcome<AddHoldRule> {
  const { accountId, sender, recipient } = rule;
  if (accountId !== undefined && !state.accounts.has(accountId)) {
    return refuse('NoSuchAccount', String(accountId));
  }
  const same = state.holdRules.find(
    (other) =>
      other.accountId === accountId && other.sender === sender && other.recipient === recipient,
  );
  if (same !== undefined) return decided([], { ruleId: same.ruleId });
  const ruleId = state.nextHoldRuleId;
  return decided([{ type: 'HoldRuleAdded', rule: { ruleId, ...rule } }], { ruleId });
}
