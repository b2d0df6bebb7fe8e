/**
 * A message as programs hand it to sendmail, made into one that a server takes: line ends, who it
 * is from, to whom, when.
 *
 * Invariants: nobody learns of recipients in Bcc; From is the configured address; the body stays as
 * it is but for its line ends.
 *
 * RFC 5322 §3.6 (fields), RFC 2047 §2 (names), RFC 8689 §5 (TLS-Required)
 */

import { Buffer } from 'node:buffer';
import { parseAddresses } from '../message/addresses.ts';
import { formatDate } from '../message/date.ts';
import { decodeWords, fieldValue, formatField, readHeader, valueOf } from '../message/header.ts';
import type { Field, Header } from '../message/header.ts';
import type { Clock, Random } from '../ports.ts';
import type { SubmissionSettings } from './submission.ts';

/** Header and body, each with one character per octet and CRLF. */
export interface GivenMessage {
  readonly header: Header;
  readonly body: string;
}

export interface Composed {
  readonly fromName: string | undefined;
  readonly recipients: readonly string[];
  readonly settings: SubmissionSettings;
  readonly clock: Clock;
  readonly random: Random;
}

const RECIPIENTS_MAX = 10_000;
const MESSAGE_ID_BYTES = 16;
/** RFC 2047 §2: an encoded word has at most 75 characters. */
const WORD_BYTES_MAX = 42;
const RECIPIENT_FIELDS: ReadonlySet<string> = new Set(['to', 'cc', 'bcc']);
/** Ours, or nobody's business. */
const DROPPED: ReadonlySet<string> = new Set(['from', 'bcc', 'return-path']);

export function readGiven(octets: Buffer): GivenMessage {
  const text = octets
    .toString('latin1')
    // Some programs write mailboxes, in which messages begin so.
    .replace(/^From [^\n]*\n/, '')
    .replace(/\r\n|\r|\n/g, '\r\n');
  const { fields } = readHeader(text);
  const stranger = fields.findIndex(({ name }) => name === '');
  // Without an empty line the body begins where there is no field any more.
  const own = stranger < 0 ? fields : fields.slice(0, stranger);
  const end = own.at(-1)?.end ?? 0;
  const behind = text.slice(end);
  const headerText = text.slice(0, end);
  const header = readHeader(
    headerText.endsWith('\n') || end === 0 ? headerText : `${headerText}\r\n`,
  );
  return { header, body: behind.startsWith('\r\n') ? behind.slice(2) : behind };
}

/** The addresses in To, Cc and Bcc, as they stand there. */
export function recipientsIn({ header }: GivenMessage): readonly string[] {
  return header.fields
    .filter(({ name }) => RECIPIENT_FIELDS.has(name))
    .flatMap((field) => addressesIn(utf8Of(fieldValue(header, field))));
}

/** Addresses of a list, without names; one without a domain stays as it is. */
export function addressesIn(list: string): readonly string[] {
  return parseAddresses(list, RECIPIENTS_MAX).flatMap(({ mailbox, host }) => {
    if (!mailbox || host === undefined) return [];
    return [host === '' ? mailbox : `${quotedLocalpart(mailbox)}@${host}`];
  });
}

/** The message for the server. */
export function composed(given: GivenMessage, options: Composed): Buffer {
  const { header, body } = given;
  const { settings, recipients, clock, random } = options;
  const kept = header.fields.filter(({ name }) => !DROPPED.has(name));
  const has = (name: string): boolean => kept.some((field) => field.name === name);
  const id = random.bytes(MESSAGE_ID_BYTES).toString('base64url');
  const added = [
    formatField('From', fromWords(header, options)),
    has('to') || has('cc') ? '' : formatField('To', toWords(header, recipients)),
    has('date') ? '' : formatField('Date', [formatDate(clock.now())]),
    has('message-id') ? '' : formatField('Message-ID', [`<${id}@${settings.hostName}>`]),
    settings.requireTls === false ? formatField('TLS-Required', ['No']) : '',
  ].join('');
  const rest = kept.map((field) => textOf(header, field)).join('');
  return Buffer.concat([Buffer.from(added, 'utf8'), Buffer.from(`${rest}\r\n${body}`, 'latin1')]);
}

function textOf({ text }: Header, { start, end }: Field): string {
  return text.slice(start, end);
}

function toWords(header: Header, recipients: readonly string[]): readonly string[] {
  if (valueOf(header, 'bcc') !== undefined) return ['undisclosed-recipients:;'];
  return recipients.map((address, i) => (i < recipients.length - 1 ? `${address},` : address));
}

function fromWords(header: Header, { fromName, settings }: Composed): readonly string[] {
  const [shown] = parseAddresses(valueOf(header, 'from') ?? '', 1);
  const name = fromName ?? (shown?.name === undefined ? '' : decodeWords(shown.name));
  const clean = name.replace(/\p{Cc}+/gu, ' ').trim();
  return clean === '' ? [settings.from] : [...nameWords(clean), `<${settings.from}>`];
}

function nameWords(name: string): readonly string[] {
  if (/^[ -~]*$/.test(name)) return [`"${name.replace(/["\\]/g, '\\$&')}"`];
  const words: string[] = [];
  let piece = '';
  for (const letter of name) {
    if (Buffer.byteLength(piece + letter) > WORD_BYTES_MAX) {
      words.push(piece);
      piece = '';
    }
    piece += letter;
  }
  return [...words, piece].map((text) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`);
}

function quotedLocalpart(mailbox: string): string {
  if (/^[^\x00-\x20\x7f()<>[\]:;@\\,"]+$/.test(mailbox)) return mailbox;
  return `"${mailbox.replace(/["\\]/g, '\\$&')}"`;
}

/** Headers are held with one character per octet. */
function utf8Of(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}
