/**
 * What a submission says and lacks in its header: the fields that are added, those that do not
 * travel, and those that are meant for us.
 *
 * Invariants: nothing that is there is changed, but for Bcc and for fields that say nothing; what
 * is added tells nothing about the user's machine.
 * RFC 6409 §8 (what a submission server may change), RFC 5322 §3.6, RFC 8689 §3 (TLS-Required).
 */

import type { Instant } from '#domain/values/ids';
import { utf8Length } from '#domain/values/text';
import { EXTRA_BYTES_MAX, EXTRA_KEYS_MAX } from '../limits.ts';
import { parseAddresses } from '../message/addresses.ts';
import { formatDate } from '../message/date.ts';
import {
  decodeWords,
  fieldValue,
  valueOf,
  withoutFields,
  type Field,
  type Header,
} from '../message/header.ts';
import { isForgedResult } from './forged-results.ts';
import { reply, type Reply } from './reply.ts';

export interface Completion {
  /** Of the message as it is sent, with angle brackets; '' when its own can be nobody's key. */
  readonly headerId: string;
  /** To stand above the header. */
  readonly fields: string;
}

export interface CompletionFacts {
  readonly hostName: string;
  /** Makes the Message-ID; never used before. */
  readonly token: string;
  readonly at: Instant;
  /** The message has octets above 127. */
  readonly eightBit: boolean;
}

/** RFC 6409 §8.2, §8.3: Date and Message-ID where they are missing, and the kind of text. */
export function completionOf(
  header: Header,
  { hostName, token, at, eightBit }: CompletionFacts,
): Completion {
  const given = valuesOf(header, 'message-id')[0] ?? '';
  const headerId = given === '' ? `<${token}@${hostName}>` : bracketedId(given);
  const fields = [
    given === '' ? `Message-ID: ${headerId}\r\n` : '',
    valuesOf(header, 'date').length === 0 ? `Date: ${formatDate(at)}\r\n` : '',
    contentFields(header, eightBit),
  ];
  return { headerId, fields: fields.join('') };
}

/** Of the fields of that name that say something. */
function valuesOf(header: Header, name: string): readonly string[] {
  return header.fields
    .filter((field) => field.name === name)
    .map((field) => fieldValue(header, field))
    .filter((value) => value !== '');
}

/** RFC 5322 §2.1.1: an id is a part of a line. */
const BRACKETED = /<[!-;=?-~\u0080-\u00ff]{1,996}>/;

/** Some programs leave the brackets out. */
function bracketedId(given: string): string {
  return BRACKETED.exec(given)?.[0] ?? BRACKETED.exec(`<${given}>`)?.[0] ?? '';
}

/** RFC 2045 §5.2 defaults, written out for readers that have others. */
function contentFields(header: Header, eightBit: boolean): string {
  if (valueOf(header, 'content-type') !== undefined) return '';
  const version = valueOf(header, 'mime-version') === undefined ? 'MIME-Version: 1.0\r\n' : '';
  const charset = eightBit ? 'utf-8' : 'us-ascii';
  const encoding =
    eightBit && valueOf(header, 'content-transfer-encoding') === undefined
      ? 'Content-Transfer-Encoding: 8bit\r\n'
      : '';
  return `${version}Content-Type: text/plain; charset=${charset}\r\n${encoding}`;
}

/** Enough to see whether anybody stands in To or Cc. */
const ADDRESSES_LOOKED_AT = 100;
/** RFC 5322 §3.6: which come once at most, so that an empty one must not stand beside ours. */
const COMPLETED: readonly string[] = ['message-id', 'date'];

/**
 * The header as it travels, with its empty line: without Bcc where the recipients see somebody in
 * To or Cc (RFC 5322 §3.6.3), and without empty fields of those that are completed.
 */
export function travellingHeader(header: Header, hostName: string): string {
  const shown = ['to', 'cc'].some((name) =>
    parseAddresses(valueOf(header, name) ?? '', ADDRESSES_LOOKED_AT).some(({ host }) => host),
  );
  return withoutFields(header, (field) => {
    if (COMPLETED.includes(field.name)) return fieldValue(header, field) === '';
    return (shown && field.name === 'bcc') || isForgedResult(header, field, hostName);
  });
}

/**
 * RFC 8689 §3: false when the sender wants the message to go whatever TLS proves; undefined when
 * nothing is said, or two things. The REQUIRETLS parameter of MAIL counts more.
 */
export function tlsRequiredOf(header: Header): false | undefined {
  const fields = header.fields.filter(({ name }) => name === 'tls-required');
  const isNo = (field: Field): boolean => /^no$/i.test(fieldValue(header, field));
  return fields.length > 0 && fields.every(isNo) ? false : undefined;
}

const EXTRA_PREFIX = 'x-mox-extra-';
const EXTRA_TWICE = reply(554, '5.6.0', 'A key of extra data is there twice.');
const EXTRA_TOO_MUCH = reply(554, '5.6.0', 'There is too much extra data.');

export type ExtraData =
  | { readonly type: 'extra'; readonly extra: Readonly<Record<string, string>> }
  | { readonly type: 'refused'; readonly reply: Reply };

/**
 * What the application wants to hear again with each outcome: `X-Mox-Extra-<Key>: value`. The keys
 * are written like names of fields (`user-id` is `User-Id`); the fields stay in the message.
 */
export function extraDataOf(header: Header): ExtraData {
  const extra = new Map<string, string>();
  let bytes = 0;
  for (const field of header.fields) {
    const key = canonicalKey(field.name.slice(EXTRA_PREFIX.length));
    if (!field.name.startsWith(EXTRA_PREFIX) || key === '') continue;
    if (extra.has(key)) return { type: 'refused', reply: EXTRA_TWICE };
    const value = decodeWords(fieldValue(header, field));
    bytes += utf8Length(key) + utf8Length(value);
    if (bytes > EXTRA_BYTES_MAX || extra.size === EXTRA_KEYS_MAX) {
      return { type: 'refused', reply: EXTRA_TOO_MUCH };
    }
    extra.set(key, value);
  }
  return { type: 'extra', extra: Object.fromEntries(extra) };
}

function canonicalKey(lowerKey: string): string {
  return lowerKey.replace(/(?:^|(?<=-))[a-z]/g, (letter) => letter.toUpperCase());
}
