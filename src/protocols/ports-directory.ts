/**
 * What the command line asks of the running server about accounts, addresses and domains: which
 * there are, and what there is to be. Ports like those of `ports.ts`.
 *
 * Accounts go by their name, in any case. Addresses have A-labels; '' as localpart is the catchall.
 */

import type { AliasPlace } from '#domain/directory/aliases';
import type { Cause } from '#domain/log/event';
import type { Address } from '#domain/values/address';
import type { Refusal } from '#domain/values/decision';

export interface ListedAccount {
  readonly name: string;
  /** Why nobody may log in; undefined when one may. */
  readonly forbidden: string | undefined;
  /** It is being removed. */
  readonly isClosed: boolean;
}

export interface RemovedAccount {
  /**
   * `closed`: its mail is still coming to an end; `removed`: mail that left its queue is remembered
   * for a while; `erased`: nothing is left of it.
   */
  readonly state: 'closed' | 'removed' | 'erased';
}

export interface UnfitPassword {
  /** A sentence for whoever chose it. */
  readonly unfit: string;
}

export interface AdministeredAccountList {
  accounts(): readonly ListedAccount[];
  add(name: string, address: Address, cause: Cause): Promise<object | Refusal>;
  /** For good, with everything that it has. Asked again, it goes on with what was begun. */
  remove(name: string, cause: Cause): Promise<RemovedAccount | Refusal>;
  /** Every login is answered with the reason; mail still comes. */
  forbidLogin(name: string, reason: string, cause: Cause): Promise<object | Refusal>;
  allowLogin(name: string, cause: Cause): Promise<object | Refusal>;
  setPassword(
    name: string,
    password: string,
    cause: Cause,
  ): Promise<object | UnfitPassword | Refusal>;
}

/** An account by its name, or an alias. */
export type AddressOwner =
  | { readonly type: 'account'; readonly name: string }
  | { readonly type: 'alias'; readonly place: AliasPlace };

export interface AdministeredAddresses {
  /** Of one account. */
  addressesOf(account: string): readonly Address[] | Refusal;
  /** Who gets mail for the address. */
  ownerOf(address: Address): AddressOwner | Refusal;
  add(address: Address, account: string, cause: Cause): Promise<object | Refusal>;
  remove(address: Address, cause: Cause): Promise<object | Refusal>;
}

export interface ListedDomain {
  readonly domain: string;
  readonly isDisabled: boolean;
}

export interface NewDomain extends ListedDomain {
  readonly account: string;
  /** Of a new account, and of no other. */
  readonly localpart: string | undefined;
}

export interface AdministeredDomains {
  domains(): readonly ListedDomain[];
  /** With an account, a postmaster, and keys to sign with. */
  add(domain: NewDomain, cause: Cause): Promise<object | Refusal>;
  remove(domain: string, cause: Cause): Promise<object | Refusal>;
}
