/**
 * Who a message says it is from. RFC 5322 §3.6.2.
 */

import { Buffer } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { parseDomain, type Address } from '#domain/values/address';
import { parseAddresses, type Address as HeaderAddress } from '../message/addresses.ts';
import { valueOf, type Header } from '../message/header.ts';

/** Undefined unless it is one address in one field. */
export function fromOf(header: Header): Address | undefined {
  if (header.fields.filter(({ name }) => name === 'from').length !== 1) return undefined;
  const addresses = parseAddresses(valueOf(header, 'from') ?? '', 2);
  const [only] = addresses;
  return addresses.length === 1 && only !== undefined ? mailAddress(only) : undefined;
}

function mailAddress({ mailbox, host }: HeaderAddress): Address | undefined {
  if (!mailbox || !host) return undefined;
  const domain = parseDomain(utf8Of(host), domainToASCII);
  return domain === undefined ? undefined : { localpart: utf8Of(mailbox), domain };
}

/** Headers are held with one character per octet. */
function utf8Of(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}
