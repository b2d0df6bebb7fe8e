/**
 * What the administrator decided: domains, accounts, addresses. Stored for ever, in the stream
 * `directory`.
 */

import type { AccountId } from '../values/ids.ts';

export interface DomainAdded {
  readonly type: 'DomainAdded';
  /** A-label form, lower-case. */
  readonly domain: string;
  /** Localparts are cut at the first of these: `daybook+shop@` is `daybook@`. '' for none. */
  readonly catchallSeparator: string;
  readonly caseSensitive: boolean;
}

export interface AccountAdded {
  readonly type: 'AccountAdded';
  readonly accountId: AccountId;
  readonly name: string;
}

/** Mail for the address goes to the account, and the address may log in. */
export interface AddressAdded {
  readonly type: 'AddressAdded';
  /** Canonical localpart; '' takes every localpart that is nobody's (catchall). */
  readonly localpart: string;
  readonly domain: string;
  readonly accountId: AccountId;
}

export type DirectoryEvent = DomainAdded | AccountAdded | AddressAdded;

export const DIRECTORY_EVENTS: Record<DirectoryEvent['type'], string> = {
  DomainAdded: 'A domain became one of ours.',
  AccountAdded: 'An account was made.',
  AddressAdded: 'An address (or a catchall) was given to an account.',
};
