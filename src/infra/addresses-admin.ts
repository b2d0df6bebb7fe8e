/**
 * Whose addresses are, for administrators.
 *
 * Invariants: an address stays while mail that was sent from it waits, so that what comes back
 * about it finds its sender. Mail that is handed in at that very moment is not waited for.
 */

import { dependentOn } from '#domain/directory/addresses';
import { addressKey, addressOf, shownKey } from '#domain/directory/address-key';
import { aliasBehind, mailTarget } from '#domain/directory/mail-targets';
import { accountCalled } from '#domain/directory/state';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import { canonicalLocalpart, type Address } from '#domain/values/address';
import { sendersOf } from '#projections/queue-lists';
import type { AdministeredAddresses } from '#protocols/ports-directory';
import type { DirectoryLane } from './directory-lane.ts';
import type { ServerBooks } from './server-books.ts';

export interface AddressesAdminPorts {
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly books: Pick<ServerBooks, 'read'>;
}

export function addressesAdmin(ports: AddressesAdminPorts): AdministeredAddresses {
  const { directory } = ports;
  return {
    addressesOf(name) {
      const account = accountCalled(directory.state, name);
      if (isRefusal(account)) return account;
      return [...directory.state.addresses]
        .filter(([, owner]) => owner === account.accountId)
        .map(([address]) => addressOf(address));
    },

    ownerOf({ localpart, domain }) {
      const { state } = directory;
      const place = aliasBehind(state, localpart, domain);
      if (place !== undefined) return { type: 'alias', place };
      const target = mailTarget(state, localpart, domain);
      const account = target.type === 'account' ? state.accounts.get(target.accountId) : undefined;
      if (account !== undefined) return { type: 'account', name: account.name };
      return refuse('NoSuchAddress', shownKey(addressKey(localpart, domain)));
    },

    async add(address, name, cause) {
      const account = accountCalled(directory.state, name);
      if (isRefusal(account)) return account;
      const { accountId } = account;
      return await directory.execute({ type: 'AddAddress', ...address, accountId }, cause);
    },

    async remove(address, cause) {
      const waiting = waitingFrom(address, ports);
      if (waiting !== undefined && isRefusal(waiting)) return waiting;
      return await directory.execute({ type: 'RemoveAddress', ...address }, cause);
    },
  };
}

/** A refusal while mail from the address waits. */
function waitingFrom(
  { localpart, domain }: Address,
  { directory: { state }, books }: AddressesAdminPorts,
): Refusal | undefined {
  const rules = state.domains.get(domain);
  if (rules === undefined) return undefined;
  const canonical = { localpart: canonicalLocalpart(localpart, rules), domain };
  const accountId = state.addresses.get(addressKey(canonical.localpart, domain));
  if (accountId === undefined) return undefined;
  const senders = books.read((sql) => sendersOf(sql, accountId));
  const [sender] = dependentOn(canonical, senders, accountId, state);
  return sender === undefined
    ? undefined
    : refuse('AddressNeeded', `mail from ${sender} waits in the queue`);
}
