/**
 * What the administrator decided so far, as plain maps, and whose an address is.
 *
 * The whole directory is small and stands in memory; decisions and look-ups ask the same maps,
 * and every event is written into them (`evolve.ts`).
 */

import { canonicalLocalpart, foldedLocalpart, type LocalpartRules } from '../values/address.ts';
import { refuse, unreachable, type Refusal } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { transportByRoute, type Route, type Routed } from '../queue/route.ts';
import { addressKey } from './address-key.ts';
import type { DkimKey } from './dkim-keys.ts';
import type { Alias, PauseReason, RouteScope } from './events.ts';
import type { HoldRule } from './hold-rules.ts';
import { DEFAULT_SETTINGS, type AccountPolicy, type AccountSettings } from './settings.ts';

export interface DirectoryAccount {
  readonly accountId: AccountId;
  readonly name: string;
}

/** Whose a TLS key is, and under which address it logs in. */
export interface TlsKeyClaim {
  readonly accountId: AccountId;
  /** As in `addresses`. */
  readonly address: string;
}

export interface DirectoryState {
  /** By name: lower-case A-labels. */
  readonly domains: ReadonlyMap<string, LocalpartRules>;
  readonly accounts: ReadonlyMap<AccountId, DirectoryAccount>;
  readonly nextAccountId: AccountId;
  /** Of `accounts`, those that are being removed. */
  readonly closed: ReadonlySet<AccountId>;
  /** Accounts that were, of which there is something left. */
  readonly removed: ReadonlyMap<AccountId, DirectoryAccount>;
  /** By `localpart@domain`, both canonical; `@domain` is the catchall. */
  readonly addresses: ReadonlyMap<string, AccountId>;
  /** By `localpart@domain`, both canonical. */
  readonly aliases: ReadonlyMap<string, Alias>;
  /** By fingerprint. */
  readonly tlsKeys: ReadonlyMap<string, TlsKeyClaim>;
  /** Of accounts that have others than everybody. */
  readonly settings: ReadonlyMap<AccountId, AccountSettings>;
  /** In the order in which they were made. */
  readonly holdRules: readonly HoldRule[];
  readonly nextHoldRuleId: number;
  /** By `scopeKey`. */
  readonly routes: ReadonlyMap<string, readonly Route[]>;
  readonly disabledDomains: ReadonlySet<string>;
  /** Why nothing is sent; null when mail goes. */
  readonly pausedFor: PauseReason | null;
  /** By domain; those of a domain that was removed are there again when it comes back. */
  readonly dkimKeys: ReadonlyMap<string, readonly DkimKey[]>;
}

/** The state with its maps open for writing. */
export interface DirectoryRecords extends DirectoryState {
  readonly domains: Map<string, LocalpartRules>;
  readonly accounts: Map<AccountId, DirectoryAccount>;
  nextAccountId: AccountId;
  readonly closed: Set<AccountId>;
  readonly removed: Map<AccountId, DirectoryAccount>;
  readonly addresses: Map<string, AccountId>;
  readonly aliases: Map<string, Alias>;
  readonly tlsKeys: Map<string, TlsKeyClaim>;
  readonly settings: Map<AccountId, AccountSettings>;
  holdRules: readonly HoldRule[];
  nextHoldRuleId: number;
  readonly routes: Map<string, readonly Route[]>;
  readonly disabledDomains: Set<string>;
  pausedFor: PauseReason | null;
  readonly dkimKeys: Map<string, readonly DkimKey[]>;
}

export function emptyDirectory(): DirectoryRecords {
  return {
    domains: new Map(),
    accounts: new Map(),
    nextAccountId: 1,
    closed: new Set(),
    removed: new Map(),
    addresses: new Map(),
    aliases: new Map(),
    tlsKeys: new Map(),
    settings: new Map(),
    holdRules: [],
    nextHoldRuleId: 1,
    routes: new Map(),
    disabledDomains: new Set(),
    pausedFor: null,
    dkimKeys: new Map(),
  };
}

/** Records of their own that say the same. */
export function copyOfDirectory(state: DirectoryState): DirectoryRecords {
  return {
    domains: new Map(state.domains),
    accounts: new Map(state.accounts),
    nextAccountId: state.nextAccountId,
    closed: new Set(state.closed),
    removed: new Map(state.removed),
    addresses: new Map(state.addresses),
    aliases: new Map(state.aliases),
    tlsKeys: new Map(state.tlsKeys),
    settings: new Map(state.settings),
    holdRules: state.holdRules,
    nextHoldRuleId: state.nextHoldRuleId,
    routes: new Map(state.routes),
    disabledDomains: new Set(state.disabledDomains),
    pausedFor: state.pausedFor,
    dkimKeys: new Map(state.dkimKeys),
  };
}

/** True for an account that is not being removed. */
export function isOpenAccount(state: DirectoryState, accountId: AccountId): boolean {
  return state.accounts.has(accountId) && !state.closed.has(accountId);
}

/** For what is decided about an account: it must be there, and not about to go. */
export function refuseUnlessOpen(state: DirectoryState, accountId: AccountId): Refusal | undefined {
  if (isOpenAccount(state, accountId)) return undefined;
  return refuse('NoSuchAccount', state.accounts.get(accountId)?.name ?? String(accountId));
}

/** Names that differ in case alone are one. */
export function accountNamed(
  { accounts }: Pick<DirectoryState, 'accounts'>,
  name: string,
): DirectoryAccount | undefined {
  const folded = name.toLowerCase();
  return accounts.values().find((account) => account.name.toLowerCase() === folded);
}

/** For whoever asks by name. */
export function accountCalled(
  state: Pick<DirectoryState, 'accounts'>,
  name: string,
): DirectoryAccount | Refusal {
  return accountNamed(state, name) ?? refuse('NoSuchAccount', name);
}

export function settingsOf(state: DirectoryState, accountId: AccountId): AccountSettings {
  return state.settings.get(accountId) ?? DEFAULT_SETTINGS;
}

/** In the order in which they were added. */
export function dkimKeysOf(state: DirectoryState, domain: string): readonly DkimKey[] {
  return state.domains.has(domain) ? (state.dkimKeys.get(domain) ?? []) : [];
}

/** Under which routes stand. */
export function scopeKey(scope: RouteScope): string {
  switch (scope.type) {
    case 'global':
      return '';
    case 'domain':
      return scope.domain;
    case 'account':
      return String(scope.accountId);
    default:
      return unreachable(scope);
  }
}

export function routesOf(state: DirectoryState, scope: RouteScope): readonly Route[] {
  return state.routes.get(scopeKey(scope)) ?? [];
}

/** The transport for mail of an account by the routes; undefined is direct delivery. */
export function routedTransport(
  state: DirectoryState,
  accountId: AccountId,
  routed: Routed,
): string | undefined {
  const lists = [
    routesOf(state, { type: 'account', accountId }),
    routesOf(state, { type: 'domain', domain: routed.fromDomain }),
    routesOf(state, { type: 'global' }),
  ];
  return transportByRoute(lists, routed);
}

/** What decisions of the account go by. */
export function policyOf(state: DirectoryState, accountId: AccountId): AccountPolicy {
  const isClosed = accountId < state.nextAccountId && !isOpenAccount(state, accountId);
  return { settings: settingsOf(state, accountId), holdRules: state.holdRules, isClosed };
}

/** The account that an address (or else the catchall of its domain) was given to. */
export function accountOfAddress(
  state: DirectoryState,
  localpart: string,
  domain: string,
): AccountId | undefined {
  const rules = state.domains.get(domain);
  if (rules === undefined) return undefined;
  const key = addressKey(canonicalLocalpart(localpart, rules), domain);
  const accountId = openOwner(state, key);
  // Nobody sends or logs in as an alias because the rest of the domain is theirs.
  if (accountId !== undefined || state.aliases.has(key)) return accountId;
  return openOwner(state, addressKey('', domain));
}

/** Addresses of an account that is being removed are nobody's. */
export function openOwner(state: DirectoryState, address: string): AccountId | undefined {
  const accountId = state.addresses.get(address);
  return accountId !== undefined && !state.closed.has(accountId) ? accountId : undefined;
}

/** The account that logs in with an address: one that was given to it, to the letter. */
export function accountOfLogin(
  state: DirectoryState,
  localpart: string,
  domain: string,
): AccountId | undefined {
  const rules = state.domains.get(domain);
  if (rules === undefined || localpart === '') return undefined;
  const login = addressKey(foldedLocalpart(localpart, rules.caseSensitive), domain);
  const accountId = openOwner(state, login);
  if (accountId !== undefined) return accountId;
  // Behind a separator only what the account has named as a login.
  const owner = accountOfAddress(state, localpart, domain);
  return owner !== undefined && hasFromIds(state, owner, login) ? owner : undefined;
}

/** True when mail handed in under the login (folded) gets reverse-paths of its own. */
export function hasFromIds(state: DirectoryState, accountId: AccountId, login: string): boolean {
  return settingsOf(state, accountId).fromIdLogins.includes(login);
}

/** RFC 5321 §4.5.1: mail for the postmaster is never refused; the first account is theirs. */
export function postmasterAccount(state: DirectoryState): AccountId | undefined {
  const [first] = state.accounts.keys();
  return first;
}
