/**
 * Aliases: addresses whose mail goes to several accounts of ours.
 *
 * Invariants: an alias is no address of an account; it has at least one member, each once, and
 * every member is an address of an account, as it stands in the directory.
 */

import { foldedLocalpart, type Address } from '../values/address.ts';
import { eventLists } from '../log/event-size.ts';
import { decided, isRefusal, refuse, type Decision, type Refusal } from '../values/decision.ts';
import { addressKey, addressOf, shownKey } from './address-key.ts';
import type {
  Alias,
  AliasMembersAdded,
  AliasMembersRemoved,
  AliasOptions,
  DirectoryEvent,
} from './events.ts';
import { openOwner, type DirectoryState } from './state.ts';
import { loginLostBy } from './tls-claims.ts';

/** Everybody may write to it, until that is changed. */
export interface AddAlias {
  readonly type: 'AddAlias';
  readonly alias: Address;
  readonly members: readonly Address[];
}

export interface ChangeAlias {
  readonly type: 'ChangeAlias';
  readonly alias: Address;
  /** What is left out stays as it is. */
  readonly options: Partial<AliasOptions>;
}

export interface RemoveAlias {
  readonly type: 'RemoveAlias';
  readonly alias: Address;
}

export interface AddAliasMembers {
  readonly type: 'AddAliasMembers';
  readonly alias: Address;
  readonly members: readonly Address[];
}

export interface RemoveAliasMembers {
  readonly type: 'RemoveAliasMembers';
  readonly alias: Address;
  readonly members: readonly Address[];
}

export type AliasCommand =
  AddAlias | ChangeAlias | RemoveAlias | AddAliasMembers | RemoveAliasMembers;

/** Each is a delivery of its own. */
export const ALIAS_MEMBERS_MAX = 1000;

const DEFAULT_OPTIONS: AliasOptions = { postPublic: true, listMembers: false, allowMsgFrom: false };

export function addAlias(
  command: AddAlias,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { domain } = command.alias;
  const rules = state.domains.get(domain);
  if (rules === undefined) return refuse('NoSuchDomain', domain);
  const localpart = foldedLocalpart(command.alias.localpart, rules.caseSensitive);
  const key = addressKey(localpart, domain);
  const isCut = Array.from(rules.catchallSeparator).some((one) => localpart.includes(one));
  if (localpart === '' || isCut) return refuse('AddressForbidden', key);
  const owner = state.addresses.get(key);
  if (owner !== undefined) {
    return refuse('AddressTaken', `${shownKey(key)}, of ${state.accounts.get(owner)?.name ?? ''}`);
  }
  if (state.aliases.has(key)) return refuse('AliasExists', shownKey(key));
  const members = newMembers([], command.members, state);
  if (isRefusal(members)) return members;
  const [first = [], ...more] = members;
  const place = { localpart, domain };
  const added = { type: 'AliasAdded', ...place, members: first, ...DEFAULT_OPTIONS } as const;
  const lost = loginLostBy(added, state);
  if (lost !== undefined) return refuse('AddressNeeded', `a TLS key logs in as ${lost}`);
  return decided([added, ...membersAdded(place, more)], {});
}

export function changeAlias(
  command: ChangeAlias,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const found = aliasAt(command.alias, state);
  if (isRefusal(found)) return found;
  const changed = Object.entries(command.options).filter(
    ([name, value]) => found.alias[name as keyof AliasOptions] !== value,
  );
  if (changed.length === 0) return decided([], {});
  const { localpart, domain } = found;
  const changes = Object.fromEntries(changed);
  return decided([{ type: 'AliasChanged', localpart, domain, changes }], {});
}

export function removeAlias(
  command: RemoveAlias,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const found = aliasAt(command.alias, state);
  if (isRefusal(found)) return found;
  const { localpart, domain } = found;
  return decided([{ type: 'AliasRemoved', localpart, domain }], {});
}

export function addAliasMembers(
  command: AddAliasMembers,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const found = aliasAt(command.alias, state);
  if (isRefusal(found)) return found;
  const members = newMembers(found.alias.members, command.members, state);
  return isRefusal(members) ? members : decided(membersAdded(found, members), {});
}

export function removeAliasMembers(
  command: RemoveAliasMembers,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const found = aliasAt(command.alias, state);
  if (isRefusal(found)) return found;
  const leaving = new Set<string>();
  for (const member of command.members) {
    const key = keyOf(member, state);
    if (!found.alias.members.includes(key)) return refuse('NotAliasMember', key);
    leaving.add(key);
  }
  const left = membersRemoved(found, leaving);
  return isRefusal(left) ? left : decided(left, {});
}

/**
 * What becomes of the aliases when the addresses (keys of `addresses`) are nobody's any more: they
 * leave them; refused when one of them would have no members.
 */
export function aliasesWithout(
  state: DirectoryState,
  addresses: Iterable<string>,
): readonly AliasMembersRemoved[] | Refusal {
  const leaving = new Set(addresses);
  const removals: AliasMembersRemoved[] = [];
  for (const found of placesOf(state)) {
    const removed = membersRemoved(found, leaving);
    if (isRefusal(removed)) return removed;
    removals.push(...removed);
  }
  return removals;
}

/** By address, those of one domain. */
export function aliasesOf(state: DirectoryState, domain: string): readonly AliasPlace[] {
  return placesOf(state).filter((one) => one.domain === domain);
}

/** An alias with its address. */
export interface AliasPlace {
  readonly localpart: string;
  readonly domain: string;
  readonly alias: Alias;
}

/** The alias of that address. */
export function aliasAt(address: Address, state: DirectoryState): AliasPlace | Refusal {
  const key = keyOf(address, state);
  const alias = state.aliases.get(key);
  return alias === undefined ? refuse('NoSuchAlias', shownKey(key)) : { ...addressOf(key), alias };
}

function placesOf(state: DirectoryState): readonly AliasPlace[] {
  return [...state.aliases].map(([key, alias]) => ({ ...addressOf(key), alias }));
}

/** As it stands in the directory; of a domain that is not ours, as it was given. */
function keyOf({ localpart, domain }: Address, state: DirectoryState): string {
  const { caseSensitive = true } = state.domains.get(domain) ?? {};
  return addressKey(foldedLocalpart(localpart, caseSensitive), domain);
}

/** Those that are added, in lists that fit into an event each. */
function newMembers(
  members: readonly string[],
  added: readonly Address[],
  state: DirectoryState,
): readonly (readonly string[])[] | Refusal {
  const all = new Set(members);
  for (const member of added) {
    const key = keyOf(member, state);
    if (member.localpart === '' || openOwner(state, key) === undefined) {
      return refuse('NoSuchAddress', shownKey(key));
    }
    if (all.has(key)) return refuse('AliasMemberTwice', shownKey(key));
    all.add(key);
  }
  if (all.size === 0) return refuse('LastAliasMember');
  if (all.size > ALIAS_MEMBERS_MAX) return refuse('TooManyAliasMembers');
  return eventLists([...all].slice(members.length)) ?? refuse('TooMuchAtOnce');
}

function membersAdded(
  { localpart, domain }: Address,
  lists: readonly (readonly string[])[],
): readonly AliasMembersAdded[] {
  return lists.map((members) => ({ type: 'AliasMembersAdded', localpart, domain, members }));
}

/** None when nobody leaves it. */
function membersRemoved(
  { localpart, domain, alias }: AliasPlace,
  leaving: ReadonlySet<string>,
): readonly AliasMembersRemoved[] | Refusal {
  const removed = alias.members.filter((member) => leaving.has(member));
  if (removed.length === 0) return [];
  if (removed.length === alias.members.length) {
    return refuse('LastAliasMember', shownKey(addressKey(localpart, domain)));
  }
  const lists = eventLists(removed);
  if (lists === undefined) return refuse('TooMuchAtOnce');
  return lists.map((members) => ({ type: 'AliasMembersRemoved', localpart, domain, members }));
}
