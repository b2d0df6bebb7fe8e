/**
 * Whose mail is that to an address, and who may send as it: an account, or the members of an alias.
 */

import { canonicalLocalpart } from '../values/address.ts';
import type { AccountId } from '../values/ids.ts';
import { INBOX } from '../values/mailbox-name.ts';
import { addressKey, addressOf } from './address-key.ts';
import type { AliasPlace } from './aliases.ts';
import type { Alias } from './events.ts';
import { accountOfAddress, openOwner, postmasterAccount, type DirectoryState } from './state.ts';

/** Whose mail is to be delivered, and where to. */
export interface Addressee {
  readonly accountId: AccountId;
  readonly mailbox: string;
}

export type MailTarget =
  | ({ readonly type: 'account' } & Addressee)
  | {
      readonly type: 'alias';
      /** Each account once. */
      readonly members: readonly Addressee[];
      /** Others than members may write to it. */
      readonly postPublic: boolean;
    }
  | { readonly type: 'unknown-domain' }
  | { readonly type: 'unknown-address' };

/** The alias that an address is, perhaps with a tag. */
export function aliasBehind(
  state: DirectoryState,
  localpart: string,
  domain: string,
): AliasPlace | undefined {
  const key = keyOf(state, localpart, domain);
  const alias = state.aliases.get(key);
  return alias === undefined ? undefined : { ...addressOf(key), alias };
}

/** Where mail for an address goes. `domain` is A-labels, '' for a bare `<Postmaster>`. */
export function mailTarget(state: DirectoryState, localpart: string, domain: string): MailTarget {
  if (domain !== '' && !state.domains.has(domain)) return { type: 'unknown-domain' };
  const place = aliasBehind(state, localpart, domain);
  if (place !== undefined) {
    const { alias } = place;
    const members = membersOf(state, alias).map((accountId) => ({ accountId, mailbox: INBOX }));
    // RFC 5321 §4.5.1: everybody may write to the postmaster, whatever is set.
    const postPublic = alias.postPublic || isPostmaster(place.localpart);
    return { type: 'alias', members, postPublic };
  }
  const accountId =
    accountOfAddress(state, localpart, domain) ??
    (isPostmaster(localpart) ? postmasterAccount(state) : undefined);
  if (accountId === undefined) return { type: 'unknown-address' };
  return { type: 'account', accountId, mailbox: INBOX };
}

/** Without the tag; of a domain that is not ours, as it was given. */
function keyOf(state: DirectoryState, localpart: string, domain: string): string {
  const rules = state.domains.get(domain);
  return addressKey(rules === undefined ? localpart : canonicalLocalpart(localpart, rules), domain);
}

/** Each account once. */
function membersOf(state: DirectoryState, alias: Alias): readonly AccountId[] {
  const accounts = alias.members.map((member) => openOwner(state, member));
  return [...new Set(accounts.filter((accountId) => accountId !== undefined))];
}

/** The accounts that may send as an address: whose it is, or members of an alias that allows it. */
export function accountsBehind(
  state: DirectoryState,
  localpart: string,
  domain: string,
): readonly AccountId[] {
  const alias = aliasBehind(state, localpart, domain)?.alias;
  if (alias !== undefined) return alias.allowMsgFrom ? membersOf(state, alias) : [];
  const accountId = accountOfAddress(state, localpart, domain);
  return accountId === undefined ? [] : [accountId];
}

function isPostmaster(localpart: string): boolean {
  return /^postmaster$/i.test(localpart);
}
