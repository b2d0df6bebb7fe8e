/**
 * The state behind the lane of a month: how many attempts to log in were recorded today.
 *
 * Only the facts of the day that is going on are read when it is opened.
 */

import type { AuditEvent } from '#domain/audit/events';
import {
  copyOfAudit,
  emptyAudit,
  evolveAudit,
  type AuditRecords,
  type AuditState,
} from '#domain/audit/state';
import type { RecordedEvent } from '#domain/log/event';
import type { EventLog } from '#domain/log/event-log';
import { auditFactOf, type AuditFact } from '#domain/log/fact';
import type { Instant } from '#domain/values/ids';
import { NOTHING_POSTED, type Checkpoint } from '#projections/checkpoints';
import type { Ledger } from './lane.ts';

const PAGE_EVENTS = 1000;
const DAY_MS = 86_400_000;

export class AuditLedger implements Ledger<AuditState, AuditEvent> {
  readonly stream: string;
  readonly #log: EventLog;
  #committed: AuditRecords = emptyAudit();
  #draft: AuditRecords = this.#committed;
  #committedHead: Checkpoint = NOTHING_POSTED;
  #head: Checkpoint = NOTHING_POSTED;

  private constructor(log: EventLog, stream: string) {
    this.#log = log;
    this.stream = stream;
  }

  static async open(log: EventLog, stream: string, now: Instant): Promise<AuditLedger> {
    const ledger = new AuditLedger(log, stream);
    ledger.begin();
    for (const event of await latest(log, stream, now)) ledger.apply(auditFactOf(event));
    ledger.commit();
    return ledger;
  }

  /** As of the last committed turn. */
  get committed(): AuditState {
    return this.#committed;
  }

  get head(): Checkpoint {
    return this.#head;
  }

  get state(): AuditState {
    return this.#draft;
  }

  begin(): void {
    this.#draft = copyOfAudit(this.#committed);
  }

  apply({ event, revision, at }: AuditFact): void {
    evolveAudit(this.#draft, event, at);
    this.#head = { revision, base: 0, lastAt: at };
  }

  commit(): void {
    this.#committed = this.#draft;
    this.#committedHead = this.#head;
  }

  rollback(): void {
    this.#draft = this.#committed;
    this.#head = this.#committedHead;
  }

  async catchUp(told: (facts: readonly AuditFact[]) => void): Promise<void> {
    for (;;) {
      const recorded = await this.#log.read(this.stream, this.#head.revision + 1, PAGE_EVENTS);
      if (recorded.length === 0) return;
      const facts = recorded.map((event) => auditFactOf(event));
      this.begin();
      for (const fact of facts) this.apply(fact);
      this.commit();
      told(facts);
    }
  }

  tidy(): boolean {
    return false;
  }
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
