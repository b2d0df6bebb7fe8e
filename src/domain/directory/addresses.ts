/**
 * Addresses: whose they are.
 *
 * Invariants: an address belongs to one account, and mail for it finds it.
 */

import { foldedLocalpart } from '../values/address.ts';
import { decided, refuse, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import type { DirectoryEvent } from './events.ts';
import { addressKey, type DirectoryState } from './state.ts';

/** '' as localpart is the catchall of the domain. */
export interface AddAddress {
  readonly type: 'AddAddress';
  readonly localpart: string;
  readonly domain: string;
  readonly accountId: AccountId;
}

export function addAddress(
  command: AddAddress,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
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
