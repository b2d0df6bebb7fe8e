/**
 * Trace fields: what we write above a message about how it came to us.
 *
 * Invariants: whatever a client said, a field is one field: no line ends, no control characters,
 * nothing endless. Fields end in CRLF and are folded. RFC 5321 §4.4.
 */

import type { Instant } from '#domain/values/ids';
import type { TlsFacts } from '../ports.ts';
import { formatDate } from './date.ts';
import { formatField } from './header.ts';

/** What a Received field tells. */
export interface Received {
  /** What the client called itself, and its address; left out for mail of our own users. */
  readonly helo?: string;
  readonly ip?: string;
  readonly localIp?: string;
  /** Our host name. */
  readonly by: string;
  /** RFC 3848, RFC 6531 §4.3: `ESMTP`, `ESMTPSA`, `UTF8SMTPS`, … */
  readonly protocol: string;
  readonly receipt: string;
  readonly tls: Pick<TlsFacts, 'version' | 'cipher'> | undefined;
  /** RFC 8689: the sender asked for TLS all the way. */
  readonly requireTls?: boolean;
  /** Left out when there are several, who must not learn of each other. */
  readonly recipient: string | undefined;
  readonly at: Instant;
}

/** RFC 5321 §4.5.3.1.2: a domain has 255 octets at most. */
const NAME_CHARS_MAX = 255;
/** RFC 5321 §4.5.3.1.3, and the escapes that a quoted local part may need. */
const ADDRESS_CHARS_MAX = 512;
const PRINTABLE = /^[ -~]*$/;

export function formatReceived(received: Received): string {
  const { helo, ip, localIp, by, protocol, receipt, tls, requireTls, recipient, at } = received;
  const host = cleanName(by);
  const words = [
    'from',
    helo === undefined ? host : cleanName(helo),
    helo === undefined || ip === undefined ? '(submission)' : `([${formatIp(ip)}])`,
    'by',
    host,
    ...(localIp === undefined ? [] : [`([${formatIp(localIp)}])`]),
    'via',
    'tcp',
    'with',
    cleanName(protocol),
    'id',
    cleanName(receipt),
    ...(tls === undefined
      ? []
      : [`(${cleanName(tls.version).replace('TLSv', 'TLS')}`, `${cleanName(tls.cipher)})`]),
    ...(requireTls === true ? ['(requiretls)'] : []),
    ...(recipient === undefined ? [] : ['for', `<${cleanAddress(recipient)}>`]),
  ];
  // RFC 5321 §4.4: the date stands behind a semicolon.
  words.push(`${words.pop()};`, ...formatDate(at).split(' '));
  return formatField('Received', words);
}

export function formatDeliveredTo(address: string): string {
  return formatField('Delivered-To', [cleanAddress(address)]);
}

/** `mailFrom` without its brackets; '' is the null reverse-path. RFC 5321 §4.4. */
export function formatReturnPath(mailFrom: string): string {
  return formatField('Return-Path', [`<${cleanAddress(mailFrom)}>`]);
}

/**
 * RFC 8601 §2.7.4: mail from a user who has logged in. `mailFrom` as above; a null reverse-path is
 * nobody's, and nothing is said of it.
 */
export function formatAuthenticated(by: string, mailFrom: string): string {
  const sender = mailFrom === '' ? [] : [`smtp.mailfrom=${cleanAddress(mailFrom)}`];
  return formatField('Authentication-Results', [`${cleanName(by)};`, 'auth=pass', ...sender]);
}

/** A word that is no comment, no quoted string and no line end. */
function cleanName(name: string): string {
  const clean = name.slice(0, NAME_CHARS_MAX).replace(/[^\w.:[\]+*=/-]/g, '?');
  return clean === '' ? '?' : clean;
}

/** An address; quoted local parts may hold spaces. */
function cleanAddress(address: string): string {
  // Most need no look at what Unicode says of each character.
  if (address.length <= ADDRESS_CHARS_MAX && PRINTABLE.test(address)) return address;
  return address.slice(0, ADDRESS_CHARS_MAX).replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '?');
}

/** RFC 5321 §4.1.3, without the brackets; IPv4 as it came through an IPv6 socket is IPv4. */
function formatIp(ip: string): string {
  const clean = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/[^\d.:a-fA-F]/g, '');
  return clean.includes(':') ? `IPv6:${clean}` : clean;
}
