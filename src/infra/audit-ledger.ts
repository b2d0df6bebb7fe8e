/**
 * The state behind the lane of a month: how many attempts to log in were recorded today.
 *
 * Only the facts of the day that is going on are read when it is opened.
 */

import type { AuditEvent } from '#domain/audit/events';
import { copyOfAudit, emptyAudit, evolveAudit, type AuditRecords } from '#domain/audit/state';
import type { RecordedEvent } from '#domain/log/event';
import type { EventLog } from '#domain/log/event-log';
import { auditFactOf } from '#domain/log/fact';
import type { Instant } from '#domain/values/ids';
import { StateLedger } from './state-ledger.ts';

const PAGE_EVENTS = 1000;
const DAY_MS = 86_400_000;

export type AuditLedger = StateLedger<AuditRecords, AuditEvent>;

export async function openAuditLedger(
  log: EventLog,
  stream: string,
  now: Instant,
): Promise<AuditLedger> {
  const ledger: AuditLedger = new StateLedger<AuditRecords, AuditEvent>(log, stream, {
    empty: emptyAudit(),
    copy: copyOfAudit,
    evolve: evolveAudit,
    factOf: auditFactOf,
  });
  ledger.post(await latest(log, stream, now));
  return ledger;
}

/** The events of the last day, and the last one in any case. */
async function latest(
  log: EventLog,
  stream: string,
  now: Instant,
): Promise<readonly RecordedEvent[]> {
  const dayBegan = now - (now % DAY_MS);
  let end = (await log.head(stream)) + 1;
  let events: readonly RecordedEvent[] = [];
  while (end > 0 && (events[0]?.at ?? dayBegan) >= dayBegan) {
    const from = Math.max(0, end - PAGE_EVENTS);
    events = [...(await log.read(stream, from, end - from)), ...events];
    end = from;
  }
  return events;
}
