/**
 * Commands of the administrator and their rules: uniqueness and references.
 */

import type { AccountId } from '../values/ids.ts';

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

export type DirectoryCommand = AddDomain | AddAccount | AddAddress;

export interface DirectoryAnswers {
  readonly AddDomain: object;
  readonly AddAccount: { readonly accountId: AccountId };
  readonly AddAddress: object;
}
