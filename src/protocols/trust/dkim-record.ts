/**
 * The public half of a signing key as it stands in DNS. RFC 6376 §3.6.1, RFC 8463 §4.
 */

import type { PublishedKey } from '../ports-dkim.ts';

/** not RFC 1035 §3.3: 255 octets fit, but some forms of DNS providers take less. */
const STRING_CHARS_MAX = 100;

export function dkimRecordName(selector: string, domain: string): string {
  return `${selector}._domainkey.${domain}`;
}

/** RFC 8301 §3.1: nothing but SHA-256. */
export function dkimRecordText({
  algorithm,
  publicKey,
}: Pick<PublishedKey, 'algorithm' | 'publicKey'>): string {
  return `v=DKIM1;h=sha256;k=${algorithm};p=${publicKey}`;
}

/** A line of a zone file: one text in as many strings as it takes. */
export function zoneLine(name: string, text: string): string {
  const strings = text.match(new RegExp(`.{1,${STRING_CHARS_MAX}}`, 'g')) ?? [''];
  return `${name}. TXT ${strings.map((one) => `"${one}"`).join(' ')}`;
}
