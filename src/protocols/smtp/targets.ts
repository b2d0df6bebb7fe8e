/**
 * From a recipient's address to whoever takes mail for it.
 */

import { formatAddress, type Address } from '#domain/values/address';
import type { AddressTarget, Directory } from '../ports.ts';

/** RFC 5321 §4.5.1: Postmaster without a domain is the one of this host. */
export function targetOf(
  directory: Directory,
  { localpart, domain }: Address,
  hostName: string,
): AddressTarget {
  return directory.target(localpart, domain === '' ? hostName : domain);
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
