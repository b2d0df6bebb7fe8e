/**
 * How the maps of the directory name an address: `localpart@domain`, both canonical.
 */

import type { Address } from '../values/address.ts';

export function addressKey(localpart: string, domain: string): string {
  return `${localpart}@${domain}`;
}

/** The address behind a key. */
export function addressOf(key: string): Address {
  const at = key.lastIndexOf('@');
  return { localpart: key.slice(0, at), domain: key.slice(at + 1) };
}
