/**
 * Reads what other servers report about mail that we sent: delivery status notifications.
 *
 * Reads what is in the wild: a report without its type, wrapped by a list, with encoded parts, with
 * empty lines where none belong and none where they do, with parts missing. Never refuses; what
 * cannot be understood, or is said twice in two ways, is left out. Nothing here is proven: anybody
 * can write a report, and who reads it decides what to believe.
 * RFC 3464, RFC 6522, RFC 6533, RFC 3463 (status codes).
 */

import type { Buffer } from 'node:buffer';
import { SMTP_RECIPIENTS_MAX } from '../limits.ts';
import { decodeWords, readHeader, valueOf, type Field } from './header.ts';
import { parameterOf } from './parameters.ts';
import { readStructure, type Part } from './part.ts';
import { decodeTransfer, encodingOf } from './transfer-encoding.ts';

export interface DeliveryReport {
  readonly reportingMta: string;
  /** RFC 3464 §2.2.1: the ENVID that we sent along. */
  readonly envelopeId: string;
  /** Empty when the report says nothing that programs understand. */
  readonly recipients: readonly ReportedRecipient[];
  /** Message-ID of the returned original, with angle brackets. */
  readonly originalId: string;
}

/** What is not told, or cannot be understood, is ''. */
export interface ReportedRecipient {
  readonly finalRecipient: string;
  readonly originalRecipient: string;
  /** Undefined for a word that RFC 3464 §2.3.3 does not have. */
  readonly action: DeliveryAction | undefined;
  /** RFC 3463, `5.1.1`. */
  readonly status: string;
  /** Of the answer that the reporting server got; of the status when it tells none; or 0. */
  readonly code: number;
  /** `5.1.1`, from where the code is. */
  readonly enhancedCode: string;
  /** The answer itself. */
  readonly diagnostic: string;
  readonly remoteMta: string;
}

export type DeliveryAction = (typeof ACTIONS)[number];

const ACTIONS = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;

/** What is looked at of a part, and of a field. */
const PART_BYTES_MAX: number = 256 * 1024;
const VALUE_CHARS_MAX = 4000;
/** RFC 5322 §2.1.1: what is longer than a line is no id. */
const MESSAGE_ID = /<[^<>\s\u0000-\u001f]{1,996}>/;
const STATUS_CODE = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])/;

const STATUS_TYPES: readonly string[] = ['delivery-status', 'global-delivery-status'];
const RETURNED_TYPES: readonly string[] = [
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
];

const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['reporting-mta', 'original-envelope-id']);
/** Whom a group is about: neither of them comes twice in one. */
const NAMING_FIELDS: ReadonlySet<string> = new Set(['original-recipient', 'final-recipient']);
const RECIPIENT_FIELDS: ReadonlySet<string> = new Set([
  ...NAMING_FIELDS,
  'action',
  'status',
  'remote-mta',
  'diagnostic-code',
]);

/** Undefined when the message is no report about a delivery. */
export function readDeliveryReport(message: Buffer): DeliveryReport | undefined {
  const report = reportIn(readStructure(message));
  if (report === undefined) return undefined;
  const status = report.children.find(isStatus);
  const groups = groupsOf(status === undefined ? '' : textOf(message, status));
  const returned = report.children.find(isReturned);
  return {
    reportingMta: nameOf(groups.message.get('reporting-mta') ?? ''),
    envelopeId: groups.message.get('original-envelope-id') ?? '',
    recipients: groups.recipients.map(recipientOf),
    originalId: returned === undefined ? '' : messageIdOf(textOf(message, returned)),
  };
}

/** The message itself, or one that a list has put a footer to. */
function reportIn(message: Part): Part | undefined {
  if (message.kind !== 'multipart') return undefined;
  return [message, ...message.children].find(isReport);
}

function isReport({ kind, contentType: { subtype, parameters }, children }: Part): boolean {
  if (kind !== 'multipart') return false;
  const type = parameterOf(parameters, 'report-type')?.trim().toLowerCase() ?? '';
  return (subtype === 'report' && STATUS_TYPES.includes(type)) || children.some(isStatus);
}

function isStatus({ contentType: { type, subtype } }: Part): boolean {
  return type === 'message' && STATUS_TYPES.includes(subtype);
}

function isReturned({ contentType: { type, subtype } }: Part): boolean {
  return RETURNED_TYPES.includes(`${type}/${subtype}`);
}

/** The beginning of a part, one character per octet, without empty lines before it. */
function textOf(message: Buffer, part: Part): string {
  const end = Math.min(part.bodyEnd, part.bodyStart + PART_BYTES_MAX);
  const raw = message.subarray(part.bodyStart, end);
  const octets = decodeTransfer(encodingOf(part), raw) ?? raw;
  return octets.toString('latin1').replace(/^[\r\n]+/, '');
}

function messageIdOf(header: string): string {
  const value = valueOf(readHeader(header), 'message-id') ?? '';
  return MESSAGE_ID.exec(value.slice(0, VALUE_CHARS_MAX))?.[0] ?? '';
}

type Fields = Map<string, string>;

/**
 * RFC 3464 §2.1: groups with empty lines between them, the first about the message. Here a group
 * begins when it must: where somebody is named anew, or where something is told again.
 */
function groupsOf(text: string): { readonly message: Fields; readonly recipients: Fields[] } {
  const message: Fields = new Map();
  const recipients: Fields[] = [];
  let current: Fields | undefined;
  for (const block of text.split(/\r?\n(?:[ \t]*\r?\n)+/)) {
    const { text: lines, fields } = readHeader(block);
    if (fields.some(({ name }) => current?.has(name) === true)) current = undefined;
    for (const field of fields) {
      if (MESSAGE_FIELDS.has(field.name)) note(message, field, lines);
      if (!RECIPIENT_FIELDS.has(field.name)) continue;
      if (NAMING_FIELDS.has(field.name) && current?.has(field.name) === true) current = undefined;
      if (current === undefined) {
        if (recipients.length === SMTP_RECIPIENTS_MAX) return { message, recipients };
        current = new Map();
        recipients.push(current);
      }
      note(current, field, lines);
    }
  }
  return { message, recipients };
}

/** What is said twice, and not the same, is not said. */
function note(fields: Fields, { name, valueStart, end }: Field, text: string): void {
  const raw = text.slice(valueStart, Math.min(end, valueStart + VALUE_CHARS_MAX));
  const value = decodeWords(raw.replace(/\r?\n/g, ''))
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .trim();
  fields.set(name, (fields.get(name) ?? value) === value ? value : '');
}

function recipientOf(fields: Fields): ReportedRecipient {
  const word = withoutComments(fields.get('action') ?? '').toLowerCase();
  const status = STATUS_CODE.exec(withoutComments(fields.get('status') ?? ''))?.[0] ?? '';
  const diagnostic = typedValue(fields.get('diagnostic-code') ?? '');
  return {
    finalRecipient: addressOf(fields.get('final-recipient') ?? ''),
    originalRecipient: addressOf(fields.get('original-recipient') ?? ''),
    action: ACTIONS.find((action) => action === word),
    status,
    ...codesOf(diagnostic, status),
    diagnostic: diagnostic.value,
    remoteMta: nameOf(fields.get('remote-mta') ?? ''),
  };
}

interface TypedValue {
  /** Lower-case; '' where none is named. */
  readonly type: string;
  readonly value: string;
}

/** RFC 3464 §2.1.2: `type; value`. */
function typedValue(text: string): TypedValue {
  const semicolon = text.indexOf(';');
  const type = semicolon < 0 ? undefined : text.slice(0, semicolon).trim().toLowerCase();
  // not RFC 3464 §2.3.6: some leave the type out, and a semicolon in their text is none behind it.
  if (type === undefined || !/^[\w+.-]*$/.test(type)) return { type: '', value: text };
  return { type, value: text.slice(semicolon + 1).trim() };
}

/** What `550-5.1.1 …`, `550 #5.1.1 …` and `550 …` say; else what the status says. */
function codesOf(
  { type, value }: TypedValue,
  status: string,
): Pick<ReportedRecipient, 'code' | 'enhancedCode'> {
  const answer = type === 'smtp' || type === '' ? value : '';
  const [, digits, enhanced] =
    /^([2-5]\d\d)(?:$|[ -](?:#?([245]\.\d{1,3}\.\d{1,3})(?!\d))?)/.exec(answer) ?? [];
  if (digits === undefined) {
    const told = status.startsWith('4') || status.startsWith('5');
    return told
      ? { code: Number(status[0]) * 100, enhancedCode: status }
      : { code: 0, enhancedCode: '' };
  }
  const fitting = status[0] === digits[0] ? status : '';
  return { code: Number(digits), enhancedCode: enhanced ?? fitting };
}

/** The address of a recipient, unescaped; '' for one of another kind than mail has. */
function addressOf(text: string): string {
  const { type, value } = typedValue(withoutComments(text));
  if (!['rfc822', 'utf-8', ''].includes(type)) return '';
  return unescaped(/^<(.*)>$/.exec(value)?.[1] ?? value);
}

/** RFC 6533 §3 EmbeddedUnicodeChar; many write it with the type rfc822 too. */
function unescaped(text: string): string {
  return text.replace(/\\x\{([\dA-Fa-f]{1,6})\}/g, (escape, hex: string) => {
    const code = parseInt(hex, 16);
    const char = code <= 0x10ffff ? String.fromCodePoint(code) : '';
    return char === '' || /[\p{Cc}\p{Cs}]/u.test(char) ? escape : char;
  });
}

/** `dns; mx.example.org ([192.0.2.1])` */
function nameOf(text: string): string {
  return typedValue(withoutComments(text)).value;
}

/** RFC 5322 §3.2.2; parentheses in quotes are none. */
function withoutComments(text: string): string {
  let kept = '';
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const isPair = char === '\\' && (quoted || depth > 0);
    if (char === '"' && depth === 0) quoted = !quoted;
    if (char === '(' && !quoted) depth++;
    if (depth === 0) kept += isPair ? text.slice(i, i + 2) : char;
    else if (char === ')') depth--;
    if (isPair) i++;
  }
  return kept.trim();
}
