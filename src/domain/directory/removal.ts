/**
 * The end of an account, in three steps: closed to everybody, removed from the directory, erased.
 * What is done between them to its mail and its data, docs/adr/0029-removing-accounts.md tells.
 *
 * Invariants: the account of the postmaster stays, and so does the only member of an alias; no step
 * is taken twice, and none is left out.
 */

import { fitOneAppend } from '../log/event-size.ts';
import { decided, isRefusal, refuse, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { aliasesWithout } from './aliases.ts';
import type { DirectoryEvent } from './events.ts';
import { postmasterAccount, type DirectoryState } from './state.ts';

export interface CloseAccount {
  readonly type: 'CloseAccount';
  readonly accountId: AccountId;
}

/** To be given when nothing of the account's mail waits any more. */
export interface RemoveAccount {
  readonly type: 'RemoveAccount';
  readonly accountId: AccountId;
}

/** To be given when everything that the account had is gone. */
export interface EraseAccount {
  readonly type: 'EraseAccount';
  readonly accountId: AccountId;
}

export function closeAccount(
  { accountId }: CloseAccount,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const account = state.accounts.get(accountId);
  if (account === undefined) return refuse('NoSuchAccount', String(accountId));
  if (accountId === postmasterAccount(state)) return refuse('AccountIsPostmaster', account.name);
  if (state.closed.has(accountId)) return decided([], {});
  const addresses = [...state.addresses].filter(([, owner]) => owner === accountId);
  const aliases = aliasesWithout(
    state,
    addresses.map(([address]) => address),
  );
  if (isRefusal(aliases)) return aliases;
  const events: readonly DirectoryEvent[] = [...aliases, { type: 'AccountClosed', accountId }];
  return fitOneAppend(events) ? decided(events, {}) : refuse('TooMuchAtOnce');
}

export function removeAccount(
  { accountId }: RemoveAccount,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.closed.has(accountId)) return refuse('NoSuchAccount', String(accountId));
  return decided([{ type: 'AccountRemoved', accountId }], {});
}

export function eraseAccount(
  { accountId }: EraseAccount,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.removed.has(accountId)) return refuse('NoSuchAccount', String(accountId));
  return decided([{ type: 'AccountErased', accountId }], {});
}
