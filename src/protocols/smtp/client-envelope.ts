/**
 * The envelope of a message: what is asked of a server, and the commands that say it.
 *
 * Invariant: nothing a caller gives can break out of its place in a command.
 *
 * RFC 5321 §4.1.1.2, §4.1.1.3; RFC 1870 §4 (SIZE), RFC 6152 §2 (BODY), RFC 6531 §3.4 (SMTPUTF8),
 * RFC 8689 §2 (REQUIRETLS), RFC 4865 §4 (HOLDFOR, HOLDUNTIL), RFC 3461 §4 (DSN)
 */

import { Buffer } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { formatAddress, needsSmtpUtf8, parseAddress } from '#domain/values/address';
import { isAscii } from '#domain/values/text';
import { SmtpClientError } from './client-error.ts';
import type { Extensions } from './client-extensions.ts';
import type { OutgoingMessage, Survey } from './client-message.ts';

export interface Recipient {
  readonly address: string;
  /** RFC 3461 §4.1: of what the sender wants to hear. */
  readonly notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** RFC 3461 §4.2: the address that the sender wrote. */
  readonly originalRecipient?: string;
}

export interface Delivery extends OutgoingMessage {
  /** '' is the null reverse-path. */
  readonly mailFrom: string;
  readonly recipients: readonly Recipient[];
  /** The header needs it; for the addresses of the envelope we see that ourselves. */
  readonly smtpUtf8?: boolean;
  /** Only over verified TLS, and only to a server that asks the same of the next one. */
  readonly requireTls?: boolean;
  /** A message with octets above 127 does not go to a server that does not announce 8BITMIME. */
  readonly strict8bit?: boolean;
  readonly hold?: { readonly forSeconds: number } | { readonly until: string };
  /** Left out where the server does not know DSN. */
  readonly dsn?: { readonly ret?: 'FULL' | 'HDRS'; readonly envelopeId?: string };
  readonly signal?: AbortSignal;
}

/** An address of the envelope as it is said. */
export interface WireAddress {
  readonly text: string;
  readonly needsSmtpUtf8: boolean;
}

/** Domains are said in A-labels, which every server knows. */
export function wireAddress(text: string): WireAddress | undefined {
  const address = parseAddress(text, domainToASCII);
  if (address === undefined) return undefined;
  return { text: formatAddress(address), needsSmtpUtf8: needsSmtpUtf8(address) };
}

export interface Needs {
  readonly survey: Survey;
  readonly smtpUtf8: boolean;
  /** The connection is under TLS. */
  readonly isSecure: boolean;
}

/** Why the server is not even to be asked; undefined when it is. */
export function objection(
  delivery: Delivery,
  { survey, smtpUtf8, isSecure }: Needs,
  { words, sizeBytesMax = Infinity }: Extensions,
): SmtpClientError | undefined {
  if (survey.hasBareLineEnd) {
    const sentence = 'A line of the message does not end in CRLF.';
    return new SmtpClientError('BadMessage', sentence, { stage: 'mail', enhanced: '5.6.0' });
  }
  // RFC 8689 §4.2.1
  if (delivery.requireTls === true && !(isSecure && words.has('REQUIRETLS'))) {
    const lines = ['The server does not announce REQUIRETLS.'];
    const reply = { code: 554, enhanced: '5.7.30', lines };
    return new SmtpClientError('NotOffered', lines.join(), { stage: 'mail', reply });
  }
  // RFC 6531 §3.1 item 8
  if (smtpUtf8 && !words.has('SMTPUTF8')) return utf8NotOffered();
  if (delivery.strict8bit === true && survey.has8bit && !words.has('8BITMIME')) {
    return notOffered('5.6.3', 'The message needs 8BITMIME, which the server does not announce.');
  }
  if (delivery.hold !== undefined && !words.has('FUTURERELEASE')) {
    return notOffered('5.3.3', 'The server does not hold messages back (FUTURERELEASE).');
  }
  // RFC 1870 §6.1
  if (survey.sizeBytes > sizeBytesMax) {
    const sentence = `The message has ${survey.sizeBytes} octets, too many for ${sizeBytesMax}.`;
    return new SmtpClientError('TooLarge', sentence, { stage: 'mail', enhanced: '5.3.4' });
  }
  return undefined;
}

export function utf8NotOffered(): SmtpClientError {
  return notOffered('5.6.7', 'The message needs SMTPUTF8, which the server does not announce.');
}

function notOffered(enhanced: string, sentence: string): SmtpClientError {
  return new SmtpClientError('NotOffered', sentence, { stage: 'mail', enhanced });
}

/** Only what the server announces is said; what it must announce was looked at before. */
export function mailCommand(
  from: string,
  { hold, dsn, requireTls }: Delivery,
  { survey, smtpUtf8 }: Needs,
  { words }: Extensions,
): string {
  let line = `MAIL FROM:<${from}>`;
  if (words.has('SIZE')) line += ` SIZE=${survey.sizeBytes}`;
  if (survey.has8bit && words.has('8BITMIME')) line += ' BODY=8BITMIME';
  if (smtpUtf8) line += ' SMTPUTF8';
  if (requireTls === true) line += ' REQUIRETLS';
  if (hold !== undefined) line += ` ${holdParameter(hold)}`;
  if (dsn === undefined || !words.has('DSN')) return line;
  if (dsn.ret !== undefined) line += ` RET=${dsn.ret}`;
  return dsn.envelopeId === undefined ? line : `${line} ENVID=${xtext(dsn.envelopeId)}`;
}

/** RFC 4865 §4.1 future-release-interval, future-release-datetime */
function holdParameter(hold: NonNullable<Delivery['hold']>): string {
  if ('until' in hold) {
    if (/^[0-9]{4}-[0-9-]{5}T[0-9:.]{8,20}(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(hold.until)) {
      return `HOLDUNTIL=${hold.until}`;
    }
  } else if (Number.isInteger(hold.forSeconds) && hold.forSeconds > 0 && hold.forSeconds < 1e9) {
    return `HOLDFOR=${hold.forSeconds}`;
  }
  throw new SmtpClientError('BadArgument', 'This is no time to hold a message back.', {
    stage: 'mail',
    enhanced: '5.5.4',
  });
}

export function recipientCommand(
  address: WireAddress,
  { notify, originalRecipient }: Recipient,
  { words }: Extensions,
): string {
  let line = `RCPT TO:<${address.text}>`;
  if (!words.has('DSN')) return line;
  if (notify !== undefined && notify.length > 0) line += ` NOTIFY=${notify.join(',')}`;
  if (originalRecipient === undefined) return line;
  return `${line} ORCPT=${originalIn(originalRecipient)}`;
}

/** RFC 6533 §3: what is not ASCII is of another type, and says so in ASCII. */
function originalIn(address: string): string {
  if (isAscii(address)) return `rfc822;${xtext(address)}`;
  const written = address.replace(/[^!-*,-<>-[\]-~]/gu, (char) => {
    return `\\x{${(char.codePointAt(0) as number).toString(16).toUpperCase()}}`;
  });
  return `utf-8;${written}`;
}

/** RFC 3461 §4 xtext; of a non-ASCII text the octets of its UTF-8. */
function xtext(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^!-*,-<>-~]/g, (octet) => {
      return `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
}
