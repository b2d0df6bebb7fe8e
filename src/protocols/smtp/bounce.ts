/**
 * Tells a sender that a message could not be delivered: the notice as people and programs read it.
 *
 * Invariants: an explicit type and charset for every part; no line of ours above 998 octets;
 * nothing that others wrote adds a line; the original is quoted by its header only; the status part
 * is ASCII.
 * RFC 3464 (delivery status), RFC 6522 (multipart/report), RFC 6533 (addresses).
 */

import { Buffer } from 'node:buffer';
import type { AttemptReply } from '#domain/queue/events';
import type { Instant } from '#domain/values/ids';
import { formatDate } from '../message/date.ts';

export interface FailedDelivery {
  readonly hostName: string;
  /** Tells the parts apart; nobody else knows it. */
  readonly token: string;
  readonly at: Instant;
  readonly queuedAt: Instant;
  readonly sender: string;
  readonly recipient: string;
  /** With angle brackets. */
  readonly headerId: string;
  readonly reply: AttemptReply;
  /** Header of the original, one character per octet. */
  readonly originalHeader: string;
}

/** How much of an answer is told; a line may have 998 octets (RFC 5322 §2.1.1). */
const ANSWER_CHARS_MAX = 900;

export function formatBounce(failed: FailedDelivery): Buffer {
  const { hostName, token, at, sender, recipient, headerId } = failed;
  const boundary = `=_${token}`;
  const lines = [
    `From: <postmaster@${hostName}>`,
    `To: <${clean(sender)}>`,
    'Subject: mail delivery failed',
    `Message-ID: <${token}@${hostName}>`,
    `References: ${headerId.replace(/[^\u0021-\u007e]/g, '')}`,
    `Date: ${formatDate(at)}`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type="delivery-status";',
    `\tboundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    'Your message could not be delivered to',
    '',
    `  ${clean(recipient)}`,
    '',
    'and will not be tried again. This was the last answer:',
    '',
    ...wrapped(clean(smtpLine(failed.reply)).slice(0, ANSWER_CHARS_MAX)),
    '',
    `--${boundary}`,
    'Content-Type: message/delivery-status',
    '',
    ...statusLines(failed),
    '',
    `--${boundary}`,
    'Content-Type: text/rfc822-headers; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
  ];
  return Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n`, 'utf8'),
    Buffer.from(failed.originalHeader, 'latin1'),
    Buffer.from(`\r\n--${boundary}--\r\n`, 'utf8'),
  ]);
}

/** RFC 3464 §2.2, §2.3 */
function statusLines({
  hostName,
  queuedAt,
  at,
  recipient,
  reply,
}: FailedDelivery): readonly string[] {
  // RFC 3464 §2.3.4: what failed for good is 5, also when the last answer said 4.
  const status = reply.enhancedCode === '' ? '5.0.0' : `5${reply.enhancedCode.slice(1)}`;
  const answered = reply.code === 0 ? [] : [`Diagnostic-Code: smtp; ${ascii(smtpLine(reply))}`];
  return [
    `Reporting-MTA: dns; ${hostName}`,
    `Arrival-Date: ${formatDate(queuedAt)}`,
    '',
    `Final-Recipient: rfc822; ${ascii(recipient)}`,
    'Action: failed',
    `Status: ${status}`,
    ...answered,
    `Last-Attempt-Date: ${formatDate(at)}`,
  ];
}

function smtpLine({ code, enhancedCode, text }: AttemptReply): string {
  const parts = [code === 0 ? '' : String(code), enhancedCode, text];
  return parts.filter((part) => part !== '').join(' ');
}

/** RFC 6533 §3 utf-8-addr-xtext, for readers that know ASCII only. */
function ascii(text: string): string {
  const escaped = text.replace(
    /[^\u0020-\u007e]/gu,
    (char) => `\\x{${(char.codePointAt(0) as number).toString(16).toUpperCase()}}`,
  );
  return escaped.slice(0, ANSWER_CHARS_MAX);
}

function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function wrapped(text: string): readonly string[] {
  return text.match(/.{1,200}/gsu)?.map((part) => `  ${part}`) ?? [];
}
