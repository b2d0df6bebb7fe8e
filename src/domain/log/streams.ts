/**
 * Which streams there are, which facts each of them holds, and how a revision becomes a modseq.
 */

import type { AuditEvent } from '../audit/events.ts';
import type { BodyEvent } from '../body/events.ts';
import type { CredentialEvent } from '../credential/events.ts';
import type { DirectoryEvent } from '../directory/events.ts';
import type { MailboxEvent } from '../mailbox/events.ts';
import type { MessageEvent } from '../message/events.ts';
import type { QueueEvent } from '../queue/events.ts';
import type { ReportEvent } from '../report/events.ts';
import type { SuppressionEvent } from '../suppression/events.ts';
import type { WebhookEvent } from '../webhook/events.ts';
import type { AccountId, Instant, ModSeq, Revision } from '../values/ids.ts';
import type { Cause } from './event.ts';

/** Everything that one account's stream holds: one append, one order, one modseq. */
export type AccountEvent =
  | MailboxEvent
  | MessageEvent
  | BodyEvent
  | QueueEvent
  | SuppressionEvent
  | WebhookEvent
  | CredentialEvent;

/** Ends a switch over all facts about mailboxes and messages. */
export function aboutNoMail(_event: Exclude<AccountEvent, MailboxEvent | MessageEvent>): void {}

export type DomainEvent = AccountEvent | DirectoryEvent | AuditEvent | ReportEvent;

/** A fact of an account as deciders, views and listeners see it. */
export interface AccountFact {
  readonly revision: Revision;
  readonly modSeq: ModSeq;
  readonly at: number;
  readonly cause: Cause;
  readonly event: AccountEvent;
}

export const DIRECTORY_STREAM = 'directory';
const ACCOUNT_STREAM_PREFIX = 'account-';
const AUDIT_STREAM_PREFIX = 'audit-';
const REPORT_STREAM_PREFIX = 'reports-';

export function accountStream(accountId: AccountId): string {
  return `${ACCOUNT_STREAM_PREFIX}${accountId}`;
}

/** The account whose stream this is, or undefined for other streams. */
export function accountOfStream(stream: string): AccountId | undefined {
  return stream.startsWith(ACCOUNT_STREAM_PREFIX)
    ? Number(stream.slice(ACCOUNT_STREAM_PREFIX.length))
    : undefined;
}

/** The stream of the month (UTC); in order of name the streams are in order of time. */
export function auditStream(at: Instant): string {
  return AUDIT_STREAM_PREFIX + monthOf(new Date(at).toISOString());
}

export function isAuditStream(stream: string): boolean {
  return stream.startsWith(AUDIT_STREAM_PREFIX);
}

/** The stream for the month of a day (`2026-01-31`), in order like those above. */
export function reportStream(day: string): string {
  return REPORT_STREAM_PREFIX + monthOf(day);
}

export function isReportStream(stream: string): boolean {
  return stream.startsWith(REPORT_STREAM_PREFIX);
}

/** Months since the year 0, UTC. */
export function monthNumber(at: Instant): number {
  const day = new Date(at);
  return day.getUTCFullYear() * 12 + day.getUTCMonth();
}

/** The month that a stream is about; undefined for streams that are about none. */
export function monthOfStream(stream: string): number | undefined {
  if (!isAuditStream(stream) && !isReportStream(stream)) return undefined;
  const digits = stream.slice(stream.indexOf('-') + 1);
  return Number(digits.slice(0, -2)) * 12 + Number(digits.slice(-2)) - 1;
}

/** `202601` */
function monthOf(isoDate: string): string {
  return isoDate.slice(0, 7).replace('-', '');
}

/**
 * The only place where a revision becomes a modseq. `base` is 0 until a restore raises it, so
 * that a restored copy never hands out an old modseq with new content.
 * RFC 7162 §3.1: modseqs are positive, revisions start at 0.
 */
export function modSeqAt(revision: Revision, base: number): ModSeq {
  return revision + 1 + base;
}

/** The base that holds for the modseq of an event and of those behind it. */
export function baseFrom(event: DomainEvent, base: number): number {
  return event.type === 'MailboxesRenumbered' ? base + event.modSeqRaise : base;
}
