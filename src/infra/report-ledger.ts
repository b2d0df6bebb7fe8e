/**
 * The state behind the lane of a month of reports: only how far the stream has come, for what is
 * recorded there depends on nothing that was recorded before.
 */

import type { EventLog } from '#domain/log/event-log';
import { reportFactOf, type ReportFact } from '#domain/log/fact';
import type { ReportEvent } from '#domain/report/events';
import { NOTHING_POSTED, type Checkpoint } from '#projections/checkpoints';
import type { Ledger } from './lane.ts';

const PAGE_EVENTS = 1000;

export class ReportLedger implements Ledger<undefined, ReportEvent> {
  readonly stream: string;
  readonly state = undefined;
  readonly #log: EventLog;
  #committedHead: Checkpoint;
  #head: Checkpoint;

  private constructor(log: EventLog, stream: string, head: Checkpoint) {
    this.#log = log;
    this.stream = stream;
    this.#committedHead = head;
    this.#head = head;
  }

  static async open(log: EventLog, stream: string): Promise<ReportLedger> {
    const revision = await log.head(stream);
    const [last] = revision < 0 ? [] : await log.read(stream, revision, 1);
    const head = last === undefined ? NOTHING_POSTED : { revision, base: 0, lastAt: last.at };
    return new ReportLedger(log, stream, head);
  }

  get head(): Checkpoint {
    return this.#head;
  }

  begin(): void {
    this.#head = this.#committedHead;
  }

  apply({ revision, at }: ReportFact): void {
    this.#head = { revision, base: 0, lastAt: at };
  }

  commit(): void {
    this.#committedHead = this.#head;
  }

  rollback(): void {
    this.#head = this.#committedHead;
  }

  async catchUp(told: (facts: readonly ReportFact[]) => void): Promise<void> {
    for (;;) {
      const recorded = await this.#log.read(this.stream, this.#head.revision + 1, PAGE_EVENTS);
      if (recorded.length === 0) return;
      const facts = recorded.map((event) => reportFactOf(event));
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
