/**
 * Addresses: whose they are.
 *
 * Invariants: an address belongs to one account, and mail for it finds it; the postmaster has one;
 * one that a TLS key logs in as stays, and the only member of an alias.
 */

import { fitOneAppend } from '../log/event-size.ts';
import { foldedLocalpart } from '../values/address.ts';
import { decided, isRefusal, refuse, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { addressKey, addressOf, shownKey } from './address-key.ts';
import { aliasesWithout } from './aliases.ts';
import type { DirectoryEvent } from './events.ts';
import { evolveDirectory } from './evolve.ts';
import {
  accountOfAddress,
  copyOfDirectory,
  postmasterAccount,
  refuseUnlessOpen,
  type DirectoryState,
} from './state.ts';
import { loginLostBy } from './tls-claims.ts';

/** '' as localpart is the catchall of the domain. */
export interface AddAddress {
  readonly type: 'AddAddress';
  readonly localpart: string;
  readonly domain: string;
  readonly accountId: AccountId;
}

export interface RemoveAddress {
  readonly type: 'RemoveAddress';
  readonly localpart: string;
  readonly domain: string;
}

export function addAddress(
  command: AddAddress,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { domain, accountId } = command;
  const rules = state.domains.get(domain);
  if (rules === undefined) return refuse('NoSuchDomain', domain);
  const closed = refuseUnlessOpen(state, accountId);
  if (closed !== undefined) return closed;
  const localpart = foldedLocalpart(command.localpart, rules.caseSensitive);
  // Look-ups cut at the separator: mail would never find such an address.
  if (Array.from(rules.catchallSeparator).some((separator) => localpart.includes(separator))) {
    return refuse('AddressForbidden', localpart);
  }
  const address = addressKey(localpart, domain);
  const owner = state.addresses.get(address);
  if (owner !== undefined) {
    return refuse(
      'AddressTaken',
      `${shownKey(address)}, of ${state.accounts.get(owner)?.name ?? ''}`,
    );
  }
  if (state.aliases.has(address)) return refuse('AliasExists', shownKey(address));
  const added = { type: 'AddressAdded', localpart, domain, accountId } as const;
  const lost = loginLostBy(added, state);
  if (lost !== undefined) return refuse('AddressNeeded', `a TLS key logs in as ${lost}`);
  return decided([added], {});
}

export function removeAddress(
  command: RemoveAddress,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { domain } = command;
  const isCaseSensitive = state.domains.get(domain)?.caseSensitive === true;
  const localpart = foldedLocalpart(command.localpart, isCaseSensitive);
  const address = addressKey(localpart, domain);
  const accountId = state.addresses.get(address);
  if (accountId === undefined) {
    const shown = shownKey(address);
    const isAlias = state.aliases.has(address);
    return refuse('NoSuchAddress', isAlias ? `${shown}, which is an alias` : shown);
  }
  const all = [...state.addresses].filter(([, owner]) => owner === accountId);
  if (accountId === postmasterAccount(state) && all.length === 1) {
    return refuse('AddressNeeded', `${shownKey(address)} is the only one of the postmaster`);
  }
  const removed: DirectoryEvent = { type: 'AddressRemoved', localpart, domain, accountId };
  const lost = loginLostBy(removed, state);
  if (lost !== undefined) return refuse('AddressNeeded', `a TLS key logs in as ${lost}`);
  const aliases = aliasesWithout(state, [address]);
  if (isRefusal(aliases)) return aliases;
  const events = [...aliases, removed];
  return fitOneAppend(events) ? decided(events, {}) : refuse('TooMuchAtOnce');
}

/** Those of the addresses that belong to the account because it has this one. */
export function dependentOn(
  { localpart, domain }: Pick<RemoveAddress, 'localpart' | 'domain'>,
  addresses: readonly string[],
  accountId: AccountId,
  state: DirectoryState,
): readonly string[] {
  const removed = { type: 'AddressRemoved', localpart, domain, accountId } as const;
  const without = evolveDirectory(copyOfDirectory(state), removed);
  const isOwn = (address: string, of: DirectoryState): boolean => {
    const { localpart: base, domain: place } = addressOf(address);
    return accountOfAddress(of, base, place) === accountId;
  };
  return addresses.filter((address) => isOwn(address, state) && !isOwn(address, without));
}
