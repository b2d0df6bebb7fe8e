/**
 * Accounts as lists and their filters know them: by name, also those that were removed, while their
 * history is kept.
 */

import { accountNamed, type DirectoryAccount, type DirectoryState } from '#domain/directory/state';
import { refuse, type Refusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';

type Accounts = Pick<DirectoryState, 'accounts' | 'removed'>;

/** One that is there counts more than one that was. */
export function listedAccount(
  { accounts, removed }: Accounts,
  name: string,
): DirectoryAccount | undefined {
  return accountNamed({ accounts }, name) ?? accountNamed({ accounts: removed }, name);
}

/** '' when nothing is known of it. */
export function listedName({ accounts, removed }: Accounts, accountId: AccountId): string {
  return (accounts.get(accountId) ?? removed.get(accountId))?.name ?? '';
}

/** The filter with the number of the account instead of its name. */
export function filterById<Filter extends { readonly account?: string }>(
  known: Accounts,
  { account, ...filter }: Filter,
): (Omit<Filter, 'account'> & { readonly accountId?: AccountId }) | Refusal {
  if (account === undefined) return filter;
  const found = listedAccount(known, account);
  if (found === undefined) return refuse('NoSuchAccount', account);
  return { ...filter, accountId: found.accountId };
}
