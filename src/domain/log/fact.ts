/**
 * Facts as events of the log, and back: the only place where what is stored gets its type again.
 *
 * Whoever calls these trusts the log: events went in through deciders and come out upcast.
 */

import { AUDIT_EVENTS, type AuditEvent } from '../audit/events.ts';
import { BODY_EVENTS } from '../body/events.ts';
import { CREDENTIAL_EVENTS } from '../credential/events.ts';
import { DIRECTORY_EVENTS, type DirectoryEvent } from '../directory/events.ts';
import { MAILBOX_EVENTS } from '../mailbox/events.ts';
import { MESSAGE_EVENTS } from '../message/events.ts';
import { QUEUE_EVENTS } from '../queue/events.ts';
import { REPORT_EVENTS, type ReportEvent } from '../report/events.ts';
import { SUPPRESSION_EVENTS } from '../suppression/events.ts';
import { WEBHOOK_EVENTS } from '../webhook/events.ts';
import type { Instant, ModSeq, Revision } from '../values/ids.ts';
import type { Cause, NewEvent, RecordedEvent } from './event.ts';
import {
  baseFrom,
  modSeqAt,
  type AccountEvent,
  type AccountFact,
  type DomainEvent,
} from './streams.ts';
import { currentVersion, UPCASTS } from './upcast.ts';

/** A fact of any stream in its place; see AccountFact. */
export interface Fact<Event> {
  readonly revision: Revision;
  readonly modSeq: ModSeq;
  readonly at: Instant;
  readonly cause: Cause;
  readonly event: Event;
}

export type DirectoryFact = Fact<DirectoryEvent>;
export type AuditFact = Fact<AuditEvent>;
export type ReportFact = Fact<ReportEvent>;

const ACCOUNT_EVENTS: Readonly<Record<AccountEvent['type'], string>> = {
  ...MAILBOX_EVENTS,
  ...MESSAGE_EVENTS,
  ...BODY_EVENTS,
  ...QUEUE_EVENTS,
  ...SUPPRESSION_EVENTS,
  ...WEBHOOK_EVENTS,
  ...CREDENTIAL_EVENTS,
};

/** The event that records a fact. */
export function newEventOf(event: DomainEvent, id: string, at: Instant, cause: Cause): NewEvent {
  const { type, ...data } = event;
  return { id, type, version: currentVersion(type, UPCASTS), at, data, cause };
}

/** What events of an account's stream say that follow each other; `base` is that before them. */
export function accountFactsOf(
  recorded: readonly RecordedEvent[],
  base: number,
): readonly AccountFact[] {
  let known = base;
  return recorded.map((event) => {
    const fact = factOf<AccountEvent>(event, known, ACCOUNT_EVENTS);
    known = baseOf(fact);
    return fact;
  });
}

/** The base behind the modseq of a fact; see modSeqAt. */
export function baseOf({ revision, modSeq }: Pick<AccountFact, 'revision' | 'modSeq'>): number {
  return modSeq - modSeqAt(revision, 0);
}

/** What an event of the directory's stream says. */
export function directoryFactOf(recorded: RecordedEvent): DirectoryFact {
  return factOf<DirectoryEvent>(recorded, 0, DIRECTORY_EVENTS);
}

/** What an event of a month's stream of attempts to log in says. */
export function auditFactOf(recorded: RecordedEvent): AuditFact {
  return factOf<AuditEvent>(recorded, 0, AUDIT_EVENTS);
}

/** What an event of a month's stream of reports says. */
export function reportFactOf(recorded: RecordedEvent): ReportFact {
  return factOf<ReportEvent>(recorded, 0, REPORT_EVENTS);
}

function factOf<Event extends DomainEvent>(
  recorded: RecordedEvent,
  base: number,
  known: Readonly<Record<string, string>>,
): Fact<Event> {
  const { revision, at, cause, type, data } = recorded;
  if (!Object.hasOwn(known, type)) {
    throw new Error(`${recorded.stream} holds ${type} at ${revision}, which nobody knows`);
  }
  const event = { type, ...data } as Event;
  return { revision, modSeq: modSeqAt(revision, baseFrom(event, base)), at, cause, event };
}
