/**
 * Domains: which are ours, and whose mail waits.
 *
 * Invariants: a domain is removed when nothing uses it; one that comes back has the signing keys
 * that it had.
 */

import { isDomainName } from '../values/address.ts';
import { decided, refuse, type Decision, type Refusal } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { addressKey, shownKey } from './address-key.ts';
import { addAccount } from './accounts.ts';
import { addAddress } from './addresses.ts';
import type { DkimKey } from './dkim-keys.ts';
import type { DirectoryEvent } from './events.ts';
import { addDkimKey } from './outgoing.ts';
import { evolveDirectory } from './evolve.ts';
import {
  accountNamed,
  copyOfDirectory,
  dkimKeysOf,
  postmasterAccount,
  type DirectoryState,
} from './state.ts';

const POSTMASTER = 'postmaster';
/** Of what uses a domain, in a refusal. */
const USERS_NAMED = 10;

export interface AddDomain {
  readonly type: 'AddDomain';
  readonly domain: string;
  readonly catchallSeparator: string;
  readonly caseSensitive: boolean;
}

/** A domain with all that it needs to be of use, in one step. */
export interface SetUpDomain {
  readonly type: 'SetUpDomain';
  readonly domain: string;
  readonly catchallSeparator: string;
  readonly isDisabled: boolean;
  /** By name; made when there is none, and then `localpart` is its first address here. */
  readonly account: string;
  readonly localpart?: string;
  /** For a domain without any from before. */
  readonly dkimKeys: readonly DkimKey[];
}

export interface RemoveDomain {
  readonly type: 'RemoveDomain';
  readonly domain: string;
}

export interface DisableDomain {
  readonly type: 'DisableDomain';
  readonly domain: string;
}

export interface EnableDomain {
  readonly type: 'EnableDomain';
  readonly domain: string;
}

export function addDomain(
  command: AddDomain,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { domain, catchallSeparator, caseSensitive } = command;
  if (!isDomainName(domain)) return refuse('DomainForbidden', domain);
  if (state.domains.has(domain)) return refuse('DomainExists', domain);
  return decided([{ type: 'DomainAdded', domain, catchallSeparator, caseSensitive }], {});
}

export interface DomainSetUp {
  readonly accountId: AccountId;
  readonly isNewAccount: boolean;
}

export function setUpDomain(
  command: SetUpDomain,
  state: DirectoryState,
): Decision<DirectoryEvent, DomainSetUp> {
  const { domain, catchallSeparator, localpart } = command;
  const events: DirectoryEvent[] = [];
  const now = copyOfDirectory(state);
  const take = (decision: Decision<DirectoryEvent, object>): Refusal | undefined => {
    if ('refused' in decision) return decision;
    for (const event of decision.events) evolveDirectory(now, event);
    events.push(...decision.events);
    return undefined;
  };
  const rules = { catchallSeparator, caseSensitive: false };
  const added = take(addDomain({ type: 'AddDomain', domain, ...rules }, now));
  if (added !== undefined) return added;
  const known = accountNamed(state, command.account);
  if (known === undefined && localpart === undefined) {
    return refuse('NoSuchAccount', command.account);
  }
  if (known !== undefined && localpart !== undefined) return refuse('AccountExists', known.name);
  const accountId = known?.accountId ?? state.nextAccountId;
  const refusal =
    (localpart === undefined ? undefined : take(newAccount(command.account, localpart))) ??
    postmasterOf();
  if (refusal !== undefined) return refusal;
  if (command.isDisabled) take(switchDomain({ type: 'DisableDomain', domain }, now));
  if (dkimKeysOf(now, domain).length === 0) {
    for (const key of command.dkimKeys) take(addDkimKey({ type: 'AddDkimKey', domain, key }, now));
  }
  return decided(events, { accountId, isNewAccount: known === undefined });

  function newAccount(name: string, first: string): Decision<DirectoryEvent, object> {
    return addAccount({ type: 'AddAccount', name, address: { localpart: first, domain } }, now);
  }

  /** RFC 5321 §4.5.1: every domain has a postmaster; the first account is everybody's. */
  function postmasterOf(): Refusal | undefined {
    const has = now.addresses.has(addressKey(POSTMASTER, domain));
    if (has || postmasterAccount(now) === accountId) return undefined;
    return take(addAddress({ type: 'AddAddress', localpart: POSTMASTER, domain, accountId }, now));
  }
}

export function removeDomain(
  { domain }: RemoveDomain,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const users = usersOf(domain, state);
  if (users.length === 0) return decided([{ type: 'DomainRemoved', domain }], {});
  const named = users.slice(0, USERS_NAMED).join(', ');
  return refuse('DomainInUse', users.length > USERS_NAMED ? `${named} and more` : named);
}

/** What would lead nowhere without the domain. */
function usersOf(domain: string, state: DirectoryState): readonly string[] {
  const isHere = (address: string): boolean => address.endsWith(`@${domain}`);
  const addresses = [...state.addresses]
    .filter(([address]) => isHere(address))
    .map(([address, owner]) => `${shownKey(address)} of ${state.accounts.get(owner)?.name ?? ''}`);
  const aliases = [...state.aliases.keys()]
    .filter(isHere)
    .map((address) => `alias ${shownKey(address)}`);
  return [...addresses, ...aliases];
}

export function switchDomain(
  { type, domain }: DisableDomain | EnableDomain,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const isDisabled = state.disabledDomains.has(domain);
  if (isDisabled === (type === 'DisableDomain')) return decided([], {});
  return decided([{ type: isDisabled ? 'DomainEnabled' : 'DomainDisabled', domain }], {});
}
