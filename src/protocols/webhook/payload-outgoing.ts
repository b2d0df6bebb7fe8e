/**
 * The body of a webhook call about mail that was sent: what became of it.
 *
 * Invariant: names and their order are those that receivers know.
 */

import type { Buffer } from 'node:buffer';
import type { OutgoingEvent, OutgoingOccasion } from '#domain/webhook/events';
import type { Instant } from '#domain/values/ids';
import { decodeWords, readHeader, valueOf } from '../message/header.ts';
import { MIME_HEADER_BYTES_MAX } from '../limits.ts';
import { formatHookJson } from './json.ts';

interface OutgoingPayload {
  readonly Version: 0;
  readonly Event: OutgoingEvent;
  readonly DSN: boolean;
  readonly Suppressing: boolean;
  readonly QueueMsgID: number;
  /** '' where there is none. */
  readonly FromID: string;
  /** With angle brackets. */
  readonly MessageID: string;
  /** '' when the message is gone. */
  readonly Subject: string;
  readonly WebhookQueued: string;
  /** 0 where there was no reply. */
  readonly SMTPCode: number;
  /** With its class: `5.1.1`. */
  readonly SMTPEnhancedCode: string;
  readonly Error: string;
  readonly Extra: Readonly<Record<string, string>>;
}

/** `header` is that of the message, undefined when the message is gone. */
export function outgoingPayload(
  occasion: OutgoingOccasion,
  queuedAt: Instant,
  header: Buffer | undefined,
): string {
  const payload: OutgoingPayload = {
    Version: 0,
    Event: occasion.event,
    DSN: occasion.isDsn,
    Suppressing: occasion.suppressing,
    QueueMsgID: occasion.queueId,
    FromID: occasion.fromId ?? '',
    MessageID: occasion.headerId,
    Subject: subjectIn(header),
    WebhookQueued: new Date(queuedAt).toISOString(),
    SMTPCode: occasion.code,
    SMTPEnhancedCode: occasion.enhancedCode,
    Error: occasion.text,
    Extra: occasion.extra ?? {},
  };
  return formatHookJson(payload);
}

function subjectIn(header: Buffer | undefined): string {
  if (header === undefined) return '';
  const text = header.toString('latin1', 0, MIME_HEADER_BYTES_MAX);
  return decodeWords(valueOf(readHeader(text), 'subject') ?? '');
}
