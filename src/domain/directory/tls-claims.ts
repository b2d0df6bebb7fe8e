/**
 * Claims of TLS keys: which account a key is for.
 *
 * Invariants: a TLS key is claimed for one account, as one of its addresses.
 */

import { foldedLocalpart } from '../values/address.ts';
import { decided, refuse, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { addressKey } from './address-key.ts';
import type { DirectoryEvent } from './events.ts';
import { accountOfLogin, type DirectoryState } from './state.ts';

/** Given again by the account that has it, it changes the address at most. */
export interface ClaimTlsKey {
  readonly type: 'ClaimTlsKey';
  readonly fingerprint: string;
  readonly accountId: AccountId;
  readonly localpart: string;
  readonly domain: string;
  /** An account that has the claim and was seen to have no such key: it loses the claim. */
  readonly insteadOf?: AccountId;
}

export interface ReleaseTlsKey {
  readonly type: 'ReleaseTlsKey';
  readonly fingerprint: string;
  /** Of another account it is not released. */
  readonly accountId: AccountId;
}

export function claimTlsKey(
  command: ClaimTlsKey,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { fingerprint, accountId, domain, insteadOf } = command;
  const rules = state.domains.get(domain);
  const owner = accountOfLogin(state, command.localpart, domain);
  const address = addressKey(command.localpart, domain);
  if (rules === undefined || owner === undefined) return refuse('NoSuchAddress', address);
  if (owner !== accountId) return refuse('AddressOfAnother', address);
  const localpart = foldedLocalpart(command.localpart, rules.caseSensitive);
  const claim = state.tlsKeys.get(fingerprint);
  if (claim !== undefined && claim.accountId !== accountId && claim.accountId !== insteadOf) {
    return refuse('TlsKeyTaken', fingerprint);
  }
  const isSo = claim?.accountId === accountId && claim.address === addressKey(localpart, domain);
  return decided(
    isSo ? [] : [{ type: 'TlsKeyClaimed', fingerprint, accountId, localpart, domain }],
    {},
  );
}

export function releaseTlsKey(
  { fingerprint, accountId }: ReleaseTlsKey,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const isOwn = state.tlsKeys.get(fingerprint)?.accountId === accountId;
  return decided(isOwn ? [{ type: 'TlsKeyReleased', fingerprint }] : [], {});
}
