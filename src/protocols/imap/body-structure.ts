/**
 * ENVELOPE, BODY and BODYSTRUCTURE as IMAP wire text, from the structure of a message.
 *
 * Texts hold one character per octet (latin1), so that raw 8-bit header octets survive and the
 * lengths of literals are lengths of the text. RFC 9051 §7.5.2.
 */

import { MIME_ADDRESSES_MAX } from '../limits.ts';
import { parseAddresses, type Address } from '../message/addresses.ts';
import { joinedValueOf, valueOf, type Header } from '../message/header.ts';
import { parseDisposition, type Parameter } from '../message/parameters.ts';
import type { Part } from '../message/part.ts';
import { encodingOf } from '../message/transfer-encoding.ts';

export interface StructureWire {
  readonly envelope: string;
  readonly body: string;
  readonly bodyStructure: string;
}

/** How many more addresses the message may show; shared by its attached messages. */
interface Budget {
  addresses: number;
}

const NIL = 'NIL';
/** Longer strings go as literals, so that no line grows too long. */
const QUOTED_CHARS_MAX = 1024;

export function formatStructure(message: Part): StructureWire {
  const budget: Budget = { addresses: MIME_ADDRESSES_MAX };
  const envelope = formatEnvelope(message.header, budget);
  return { envelope, ...formatPart(message, budget) };
}

/** RFC 9051 §7.5.2: fields that are missing are NIL, empty ones are "". */
function formatEnvelope(header: Header, budget: Budget): string {
  const from = formatAddresses(header, 'from', budget);
  const sender = formatAddresses(header, 'sender', budget);
  const replyTo = formatAddresses(header, 'reply-to', budget);
  const parts = [
    nstring(valueOf(header, 'date')),
    nstring(valueOf(header, 'subject')),
    from,
    // RFC 9051 §7.5.2: Sender and Reply-To that are missing or empty are the same as From.
    sender === NIL ? from : sender,
    replyTo === NIL ? from : replyTo,
    formatAddresses(header, 'to', budget),
    formatAddresses(header, 'cc', budget),
    formatAddresses(header, 'bcc', budget),
    nstring(valueOf(header, 'in-reply-to')),
    nstring(valueOf(header, 'message-id')),
  ];
  return `(${parts.join(' ')})`;
}

function formatAddresses(header: Header, name: string, budget: Budget): string {
  // A field that stands there twice counts as one: nobody sees another sender than we checked.
  const value = joinedValueOf(header, name);
  if (value === undefined || value === '') return NIL;
  const addresses = parseAddresses(value, budget.addresses);
  if (addresses.length === 0) return NIL;
  budget.addresses = Math.max(0, budget.addresses - addresses.length);
  let list = '(';
  for (const address of addresses) list += formatAddress(address);
  return `${list})`;
}

function formatAddress({ name, route, mailbox, host }: Address): string {
  return `(${nstring(name)} ${nstring(route)} ${nstring(mailbox)} ${nstring(host)})`;
}

interface PartWire {
  /** Without extension data. */
  readonly body: string;
  /** With it. */
  readonly bodyStructure: string;
}

function formatPart(part: Part, budget: Budget): PartWire {
  if (part.kind === 'multipart') return formatMultipart(part, budget);
  const basic = formatBasic(part);
  const extension = `${nstring(valueOf(part.header, 'content-md5'))} ${formatExtension(part)}`;
  const message = part.children[0];
  if (part.kind === 'message' && message !== undefined) {
    const envelope = formatEnvelope(message.header, budget);
    const { body, bodyStructure } = formatPart(message, budget);
    return {
      body: `(${basic} ${envelope} ${body} ${part.lines})`,
      bodyStructure: `(${basic} ${envelope} ${bodyStructure} ${part.lines} ${extension})`,
    };
  }
  const whole = part.contentType.type === 'text' ? `${basic} ${part.lines}` : basic;
  return { body: `(${whole})`, bodyStructure: `(${whole} ${extension})` };
}

/** RFC 9051 §9 body-type-mpart: no space between the parts. */
function formatMultipart(part: Part, budget: Budget): PartWire {
  let bodies = '';
  let bodyStructures = '';
  for (const child of part.children) {
    const { body, bodyStructure } = formatPart(child, budget);
    bodies += body;
    bodyStructures += bodyStructure;
  }
  const subtype = wireString(part.contentType.subtype);
  const parameters = formatParameters(part.contentType.parameters);
  return {
    body: `(${bodies} ${subtype})`,
    bodyStructure: `(${bodyStructures} ${subtype} ${parameters} ${formatExtension(part)})`,
  };
}

/** Type, body-fields. */
function formatBasic(part: Part): string {
  const { type, subtype, parameters } = part.contentType;
  return [
    wireString(type),
    wireString(subtype),
    formatParameters(parameters),
    nstring(valueOf(part.header, 'content-id')),
    nstring(valueOf(part.header, 'content-description')),
    wireString(encodingOf(part)),
    part.bodyEnd - part.bodyStart,
  ].join(' ');
}

/** Disposition, languages, location: what both kinds of extension data end with. */
function formatExtension({ header }: Part): string {
  const field = valueOf(header, 'content-disposition');
  const disposition = field === undefined ? undefined : parseDisposition(field);
  const location = valueOf(header, 'content-location');
  return [
    disposition === undefined
      ? NIL
      : `(${wireString(disposition.type)} ${formatParameters(disposition.parameters)})`,
    formatLanguages(valueOf(header, 'content-language') ?? ''),
    // RFC 2557 §4.1: white space is no part of a URI.
    nstring(location?.replace(/\s+/g, '')),
  ].join(' ');
}

/** RFC 3282 §2: language tags with commas between them, and comments. */
function formatLanguages(value: string): string {
  const tags = value
    .replace(/\([^()]*\)/g, '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  return tags.length === 0 ? NIL : `(${tags.map(wireString).join(' ')})`;
}

function formatParameters(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return NIL;
  const pairs = parameters.map(({ name, value }) => `${wireString(name)} ${wireString(value)}`);
  return `(${pairs.join(' ')})`;
}

function nstring(text: string | undefined): string {
  return text === undefined ? NIL : wireString(text);
}

/** RFC 9051 §9 string: quoted where a quoted string can hold it, else a literal. */
function wireString(text: string): string {
  if (text.length <= QUOTED_CHARS_MAX) {
    if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
    if (/^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/.test(text)) return `"${text.replace(/["\\]/g, '\\$&')}"`;
  }
  // RFC 9051 §9 CHAR8: not even a literal holds NUL.
  return `{${text.length}}\r\n${text.replaceAll('\0', '?')}`;
}
