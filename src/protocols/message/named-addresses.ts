/**
 * Addresses of a field as programs get them: names decoded, domains in Unicode.
 *
 * Invariant: every address that stands there is told; one that is none as it is written.
 * RFC 5322 §3.4 (a group is told by its members), RFC 2047, RFC 5890 §2.3.2.1.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { displayAddress, formatAddress, parseAddress } from '#domain/values/address';
import { MIME_ADDRESSES_MAX } from '../limits.ts';
import { parseAddresses, type Address } from './addresses.ts';
import { decodeWords, joinedValueOf, type Header } from './header.ts';

export interface NamedAddress {
  /** '' where there is none. */
  readonly Name: string;
  readonly Address: string;
}

/** Of all fields of that (lower-case) name. */
export function namedAddresses(header: Header, name: string): readonly NamedAddress[] {
  const found: NamedAddress[] = [];
  for (const address of parseAddresses(joinedValueOf(header, name) ?? '', MIME_ADDRESSES_MAX)) {
    // The two ends of a group.
    if (address.host === undefined) continue;
    found.push({ Name: decodeWords(address.name ?? ''), Address: shown(address) });
  }
  return found;
}

function shown({ mailbox = '', host = '' }: Address): string {
  const localpart = decodeWords(mailbox);
  if (host === '') return localpart;
  const quoted = formatAddress({ localpart, domain: '' });
  const address = parseAddress(`${quoted}@${decodeWords(host)}`, domainToASCII);
  if (address !== undefined) return displayAddress(address, domainToUnicode);
  return `${localpart}@${decodeWords(host)}`;
}
