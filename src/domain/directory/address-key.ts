/**
 * How the maps of the directory name an address: `localpart@domain`, both canonical.
 */

import { formatAddress, type Address } from '../values/address.ts';

export function addressKey(localpart: string, domain: string): string {
  return `${localpart}@${domain}`;
}

/** The address behind a key. */
export function addressOf(key: string): Address {
  const at = key.lastIndexOf('@');
  return { localpart: key.slice(0, at), domain: key.slice(at + 1) };
}

/** For sentences: quoted where it has to be; the catchall is `@domain`. */
export function shownKey(key: string): string {
  const address = addressOf(key);
  return address.localpart === '' ? key : formatAddress(address);
}
