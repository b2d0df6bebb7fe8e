/**
 * From a recipient's address to whoever takes mail for it.
 */

import type { MailTarget } from '#domain/directory/mail-targets';
import { formatAddress, type Address } from '#domain/values/address';
import type { Directory } from '../ports.ts';

/** RFC 5321 §4.5.1: this host has a Postmaster, also when it is no domain of ours. */
export function targetOf(
  directory: Directory,
  { localpart, domain }: Address,
  hostName: string,
): MailTarget {
  const isHere = domain === '' || domain === hostName;
  const target = directory.target(localpart, isHere ? hostName : domain);
  return isHere && target.type === 'unknown-domain' ? directory.target(localpart, '') : target;
}

/** True for an alias to which its members only may write. */
export function isMembersOnly(target: MailTarget): boolean {
  return target.type === 'alias' && !target.postPublic;
}

export function isAddressLiteral({ domain }: Address): boolean {
  return domain.startsWith('[');
}

/**
 * Two recipients with the same key get one copy. Different addresses of one account get one copy
 * each: `Delivered-To` and filters may tell them apart.
 */
export function recipientKey(address: Address): string {
  return formatAddress(address);
}
