/**
 * Claims of TLS keys: which account a key is for.
 *
 * Invariants: a TLS key is claimed for one account, as one of its addresses.
 */

import { foldedLocalpart } from '../values/address.ts';
import { decided, refuse, type Decision } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { addressKey, addressOf } from './address-key.ts';
import type { DirectoryEvent } from './events.ts';
import { evolveDirectory } from './evolve.ts';
import { accountOfLogin, copyOfDirectory, type DirectoryState, type TlsKeyClaim } from './state.ts';

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

/** The login of a TLS key that would not be one after the event. */
export function loginLostBy(event: DirectoryEvent, state: DirectoryState): string | undefined {
  if (state.tlsKeys.size === 0) return undefined;
  const after = evolveDirectory(copyOfDirectory(state), event);
  const isLogin = ({ accountId, address }: TlsKeyClaim, of: DirectoryState): boolean => {
    const { localpart, domain } = addressOf(address);
    return accountOfLogin(of, localpart, domain) === accountId;
  };
  const claims = state.tlsKeys.values();
  return claims.find((claim) => isLogin(claim, state) && !isLogin(claim, after))?.address;
}

export function releaseTlsKey(
  { fingerprint, accountId }: ReleaseTlsKey,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const isOwn = state.tlsKeys.get(fingerprint)?.accountId === accountId;
  return decided(isOwn ? [{ type: 'TlsKeyReleased', fingerprint }] : [], {});
}
