/**
 * Tells the sender of a message what became of it: a delivery status notification, as people and as
 * programs read it.
 *
 * Invariants: every part says its type and charset; no line is longer than 998 octets; nothing that
 * others wrote adds a line, a field or a part; the original is quoted by its header only; without
 * `utf8` the status part is ASCII.
 * RFC 3464 (delivery status), RFC 6522 (multipart/report), RFC 6533 (both for UTF-8).
 */

import { Buffer, isUtf8 } from 'node:buffer';
import type { AttemptReply } from '#domain/queue/events';
import type { Instant } from '#domain/values/ids';
import { isAscii, utf8Length } from '#domain/values/text';
import { formatDate } from './date.ts';

export interface Notice {
  /** Our name: the reporting server. */
  readonly hostName: string;
  /** Domain of the postmaster who writes; the host name when absent. */
  readonly domain?: string;
  /** Makes the Message-ID and tells the parts apart; nobody else knows it. */
  readonly token: string;
  readonly at: Instant;
  /** MAIL FROM of the original; a message from nobody is the postmaster's concern. */
  readonly sender: string;
  readonly queuedAt: Instant;
  /** Of the original, with angle brackets; '' when it has none. */
  readonly headerId: string;
  /** RFC 4865: `for;<seconds>` or `until;<time>`. */
  readonly futureRelease?: string;
  /** The original was SMTPUTF8 mail, so its sender reads UTF-8. */
  readonly utf8: boolean;
  readonly outcome: NoticeOutcome;
  /** Usually one; several when one conversation failed for several. */
  readonly recipients: readonly [NoticeRecipient, ...NoticeRecipient[]];
  /** Header of the original as it was sent, one character per octet. */
  readonly originalHeader: string;
}

export type NoticeOutcome =
  | { readonly type: 'failed' }
  | {
      readonly type: 'delayed';
      /** When it will be tried again, up to the last time. */
      readonly nextAttemptsAt: readonly [Instant, ...Instant[]];
    };

export interface NoticeRecipient {
  readonly recipient: string;
  /** The last answer, or with code 0 our own words. */
  readonly reply: AttemptReply;
  /** Who gave the answer. */
  readonly remote?: { readonly host: string; readonly ip: string };
  readonly lastAttemptAt: Instant;
}

/** What a field tells of one thing: together with its name it fits on a line. */
const VALUE_BYTES_MAX = 900;
/** What people are told of an answer. */
const ANSWER_BYTES_MAX = 8_000;
/** RFC 5322 §2.1.1 */
const LINE_BYTES_MAX = 998;
/** Pieces of longer lines; a character has four octets at most. */
const PIECE = /.{1,240}/gsu;
const QUOTED_BYTES_MAX: number = 64 * 1024;
/** Control characters, and what else some take for the end of a line. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

export function formatNotice(notice: Notice): Buffer {
  const { hostName, domain = hostName, token, sender, headerId, utf8, outcome } = notice;
  const told = textLines(notice);
  const quoted = quotedLines(notice.originalHeader);
  const status = statusLines(notice);
  const boundary = freeBoundary(`=_${token}`, [...told, ...status, ...quoted]);
  const global = utf8 ? 'global-' : '';
  const references = bounded(headerId, (char) => (/[!-~]/.test(char) ? char : ''));
  const lines = [
    `From: <postmaster@${domain}>`,
    `To: <${sender === '' ? `postmaster@${domain}` : bounded(sender, plain)}>`,
    `Subject: mail delivery ${outcome.type}`,
    `Message-ID: <${token}@${hostName}>`,
    ...(references === '' ? [] : [`References: ${references}`]),
    `Date: ${formatDate(notice.at)}`,
    // RFC 3834 §5: nobody's machine is to answer.
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type="delivery-status";',
    `\tboundary="${boundary}"`,
    '',
    `--${boundary}`,
    ...withEncoding(`text/plain; charset=${charsetOf(told)}`, told),
    `--${boundary}`,
    ...withEncoding(`message/${global}delivery-status`, status),
    `--${boundary}`,
    ...withEncoding(
      utf8 ? 'message/global-headers' : `text/rfc822-headers; charset=${charsetOf(quoted)}`,
      quoted,
    ),
    `--${boundary}--`,
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

/** RFC 2046 §5.1.1: a boundary stands nowhere inside of the parts. */
function freeBoundary(wanted: string, lines: readonly string[]): string {
  let boundary = wanted;
  while (lines.some((line) => line.includes(boundary))) boundary += '_';
  return boundary;
}

function charsetOf(lines: readonly string[]): string {
  return lines.every(isAscii) ? 'us-ascii' : 'utf-8';
}

function withEncoding(type: string, lines: readonly string[]): readonly string[] {
  const encoding = lines.every(isAscii) ? '7bit' : '8bit';
  return [`Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`, '', ...lines, ''];
}

/** What people read. */
function textLines({ outcome, recipients }: Notice): readonly string[] {
  const names = recipients.map(({ recipient }) => `  ${bounded(recipient, plain)}`);
  const head =
    outcome.type === 'failed'
      ? ['Your message could not be delivered to', '', ...names, '', 'and is given up.']
      : [
          'Your message has not been delivered yet to',
          '',
          ...names,
          '',
          'You need not send it again. It will be tried again at these times:',
          '',
          ...outcome.nextAttemptsAt.map((at) => `  ${formatDate(at)}`),
        ];
  return [...head, ...recipients.flatMap(reasonLines)];
}

function reasonLines({ reply, remote }: NoticeRecipient): readonly string[] {
  const peer = remote === undefined ? '' : ` of ${hostIn(remote.host)}${ipIn(remote.ip)}`;
  const said = reply.code === 0 ? 'The last attempt ended so:' : `The last answer${peer} was:`;
  const keepLines = (char: string): string => (char === '\n' ? char : plain(char));
  const reason = bounded(smtpLine(reply).replace(/\r\n/g, '\n'), keepLines, ANSWER_BYTES_MAX);
  const pieces = reason.split('\n').flatMap((line) => line.match(PIECE) ?? []);
  return ['', said, '', ...pieces.map((piece) => `  ${piece}`)];
}

/** What programs read: RFC 3464 §2.2 about the message, §2.3 about each recipient. */
function statusLines(notice: Notice): readonly string[] {
  const { hostName, queuedAt, futureRelease, recipients } = notice;
  return [
    `Reporting-MTA: dns; ${hostName}`,
    `Arrival-Date: ${formatDate(queuedAt)}`,
    ...(futureRelease === undefined
      ? []
      : [`Future-Release-Request: ${bounded(futureRelease, escaped)}`]),
    ...recipients.flatMap((recipient) => ['', ...recipientLines(notice, recipient)]),
  ];
}

function recipientLines(
  { utf8, outcome }: Notice,
  { recipient, reply, remote, lastAttemptAt }: NoticeRecipient,
): readonly string[] {
  const answered = reply.code !== 0;
  return [
    `Final-Recipient: ${addressType(recipient, utf8)}${bounded(recipient, utf8 ? unitext : xtext)}`,
    `Action: ${outcome.type}`,
    `Status: ${statusOf(outcome, reply)}${comment(reply.text, utf8)}`,
    ...(answered && remote !== undefined
      ? [`Remote-MTA: dns;${hostIn(remote.host)}${ipIn(remote.ip, '(', ')')}`]
      : []),
    ...(answered
      ? [`Diagnostic-Code: smtp; ${bounded(smtpLine(reply), utf8 ? plain : escaped)}`]
      : []),
    `Last-Attempt-Date: ${formatDate(lastAttemptAt)}`,
    ...(outcome.type === 'delayed'
      ? [`Will-Retry-Until: ${formatDate(outcome.nextAttemptsAt.at(-1) as Instant)}`]
      : []),
  ];
}

/** RFC 6533 §3: what is not ASCII has a type of its own, however it is written. */
function addressType(recipient: string, utf8: boolean): string {
  return utf8 || !isAscii(recipient) ? 'utf-8;' : 'rfc822;';
}

/** RFC 3464 §2.3.4: what failed for good is 5, also when the last answer said 4. */
function statusOf({ type }: NoticeOutcome, { enhancedCode }: AttemptReply): string {
  const rest = /^[245]\.(\d{1,3}\.\d{1,3})$/.exec(enhancedCode)?.[1] ?? '0.0';
  return `${type === 'failed' ? 5 : 4}.${rest}`;
}

/** RFC 5322 §3.2.2 */
function comment(text: string, utf8: boolean): string {
  const write = utf8 ? plain : escaped;
  const inside = bounded(text, (char) => write(char).replace(/[()\\]/g, '\\$&'));
  return inside === '' ? '' : ` (${inside})`;
}

function smtpLine({ code, enhancedCode, text }: AttemptReply): string {
  const parts = [code === 0 ? '' : String(code), code === 0 ? '' : enhancedCode, text];
  return parts.filter((part) => part !== '').join(' ');
}

function hostIn(name: string): string {
  return name.slice(0, 255).replace(/[^\w.:[\]-]/g, '?');
}

function ipIn(ip: string, open = '', close = ''): string {
  const clean = ip.slice(0, 45).replace(/[^\d.:a-fA-F]/g, '');
  return clean === '' ? '' : ` ${open}[${clean}]${close}`;
}

/** As many characters as fit, each as `write` has it. */
function bounded(
  text: string,
  write: (char: string) => string,
  bytesMax: number = VALUE_BYTES_MAX,
): string {
  let written = '';
  let bytes = 0;
  for (const char of text) {
    const next = write(char);
    bytes += utf8Length(next);
    if (bytes > bytesMax) break;
    written += next;
  }
  return written;
}

function plain(char: string): string {
  return CONTROL.test(char) ? ' ' : char;
}

/** For readers that know ASCII only. */
function escaped(char: string): string {
  return isAscii(char) ? plain(char) : embedded(char);
}

/** RFC 6533 §3 utf-8-addr-xtext */
function xtext(char: string): string {
  return /[!-~]/.test(char) && !/[+=\\]/.test(char) ? char : embedded(char);
}

/** RFC 6533 §3 utf-8-address, in one line whatever comes. */
function unitext(char: string): string {
  return CONTROL.test(char) ? embedded(char) : char;
}

/** RFC 6533 §3 EmbeddedUnicodeChar */
function embedded(char: string): string {
  return `\\x{${(char.codePointAt(0) as number).toString(16)}}`;
}

/**
 * The header of the original: octets that are no UTF-8 are taken for latin1, lines that are too
 * long are folded, and none is empty.
 */
function quotedLines(header: string): readonly string[] {
  const cut = header.length <= QUOTED_BYTES_MAX ? -1 : header.lastIndexOf('\n', QUOTED_BYTES_MAX);
  const octets = Buffer.from(header.slice(0, cut < 0 ? QUOTED_BYTES_MAX : cut), 'latin1');
  const lines = (isUtf8(octets) ? octets.toString('utf8') : octets.toString('latin1'))
    .split(/\r\n|[\r\n]/)
    .filter((line) => line !== '')
    .map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '?'));
  return lines.flatMap((line) => (utf8Length(line) <= LINE_BYTES_MAX ? [line] : foldedLine(line)));
}

function foldedLine(line: string): readonly string[] {
  return (line.match(PIECE) ?? []).map((piece, i) => (i === 0 ? piece : ` ${piece}`));
}
