/**
 * Aliases: addresses whose mail goes to several accounts of ours.
 *
 * Invariants: an alias is no address of an account; it has at least one member, each once, and
 * every member is an address of an account, as it stands in the directory.
 */

import { foldedLocalpart, type Address } from '../values/address.ts';
import { decided, isRefusal, refuse, type Decision, type Refusal } from '../values/decision.ts';
import type { Alias, AliasChanged, DirectoryEvent } from './events.ts';
import { addressKey, openOwner, type DirectoryState } from './state.ts';

export type AliasOptions = Omit<Alias, 'members'>;

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
    return refuse('AddressTaken', `${key}, of ${state.accounts.get(owner)?.name ?? ''}`);
  }
  if (state.aliases.has(key)) return refuse('AliasExists', key);
  const members = membersWith([], command.members, state);
  if (isRefusal(members)) return members;
  return decided([{ type: 'AliasAdded', localpart, domain, members, ...DEFAULT_OPTIONS }], {});
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
  return decided([changeOf(found, Object.fromEntries(changed))], {});
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
  const members = membersWith(found.alias.members, command.members, state);
  return isRefusal(members) ? members : decided([changeOf(found, { members })], {});
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
  const left = aliasWithout(found, leaving);
  if (left === undefined) return decided([], {});
  return isRefusal(left) ? left : decided([left], {});
}

/**
 * What becomes of the aliases when the addresses (keys of `addresses`) are nobody's any more: they
 * leave them; refused when one of them would have no members.
 */
export function aliasesWithout(
  state: DirectoryState,
  addresses: Iterable<string>,
): readonly AliasChanged[] | Refusal {
  const leaving = new Set(addresses);
  const changes: AliasChanged[] = [];
  for (const found of placesOf(state)) {
    const change = aliasWithout(found, leaving);
    if (change === undefined) continue;
    if (isRefusal(change)) return change;
    changes.push(change);
  }
  return changes;
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
  return alias === undefined ? refuse('NoSuchAlias', key) : { ...addressOf(key), alias };
}

function placesOf(state: DirectoryState): readonly AliasPlace[] {
  return [...state.aliases].map(([key, alias]) => ({ ...addressOf(key), alias }));
}

/** What stands behind a key of `aliases` or `addresses`. */
export function addressOf(key: string): Address {
  const at = key.lastIndexOf('@');
  return { localpart: key.slice(0, at), domain: key.slice(at + 1) };
}

/** As it stands in the directory; of a domain that is not ours, as it was given. */
function keyOf({ localpart, domain }: Address, state: DirectoryState): string {
  const { caseSensitive = true } = state.domains.get(domain) ?? {};
  return addressKey(foldedLocalpart(localpart, caseSensitive), domain);
}

function membersWith(
  members: readonly string[],
  added: readonly Address[],
  state: DirectoryState,
): readonly string[] | Refusal {
  const all = new Set(members);
  for (const member of added) {
    const key = keyOf(member, state);
    if (member.localpart === '' || openOwner(state, key) === undefined)
      return refuse('NoSuchAddress', key);
    if (all.has(key)) return refuse('AliasMemberTwice', key);
    all.add(key);
  }
  if (all.size === 0) return refuse('LastAliasMember');
  if (all.size > ALIAS_MEMBERS_MAX) return refuse('TooManyAliasMembers');
  return [...all];
}

/** Undefined when nobody leaves it. */
function aliasWithout(
  found: AliasPlace,
  leaving: ReadonlySet<string>,
): AliasChanged | Refusal | undefined {
  const { members } = found.alias;
  const staying = members.filter((member) => !leaving.has(member));
  if (staying.length === members.length) return undefined;
  if (staying.length > 0) return changeOf(found, { members: staying });
  return refuse('LastAliasMember', addressKey(found.localpart, found.domain));
}

function changeOf({ localpart, domain }: AliasPlace, changes: Partial<Alias>): AliasChanged {
  return { type: 'AliasChanged', localpart, domain, changes };
}
