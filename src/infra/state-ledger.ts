/**
 * A ledger that keeps its state in memory: small enough to be copied for every turn, so that a turn
 * that is rolled back leaves no trace.
 *
 * Invariants: `committed` changes only in `commit`, and is never written to afterwards.
 */

import type { RecordedEvent } from '#domain/log/event';
import type { EventLog } from '#domain/log/event-log';
import type { Fact } from '#domain/log/fact';
import type { Instant } from '#domain/values/ids';
import { NOTHING_POSTED, type Checkpoint } from '#projections/checkpoints';
import type { Ledger } from './lane.ts';

const PAGE_EVENTS = 1000;

/** How facts of a stream become a state. */
export interface Posting<State, Event> {
  readonly empty: State;
  /** A state of its own that says the same. */
  readonly copy: (state: State) => State;
  readonly evolve: (draft: State, event: Event, at: Instant) => void;
  readonly factOf: (recorded: RecordedEvent) => Fact<Event>;
}

export class StateLedger<State, Event> implements Ledger<State, Event> {
  readonly stream: string;
  readonly #log: EventLog;
  readonly #posting: Posting<State, Event>;
  #committed: State;
  #draft: State;
  #committedHead: Checkpoint = NOTHING_POSTED;
  #head: Checkpoint = NOTHING_POSTED;

  constructor(log: EventLog, stream: string, posting: Posting<State, Event>) {
    this.#log = log;
    this.stream = stream;
    this.#posting = posting;
    this.#committed = this.#draft = posting.empty;
  }

  /** As of the last committed turn. */
  get committed(): State {
    return this.#committed;
  }

  get head(): Checkpoint {
    return this.#head;
  }

  get state(): State {
    return this.#draft;
  }

  begin(): void {
    this.#draft = this.#posting.copy(this.#committed);
  }

  apply({ event, revision, at }: Fact<Event>): void {
    this.#posting.evolve(this.#draft, event, at);
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

  /** Posts events that were read already, as a turn. */
  post(recorded: readonly RecordedEvent[]): readonly Fact<Event>[] {
    const facts = recorded.map((event) => this.#posting.factOf(event));
    this.begin();
    for (const fact of facts) this.apply(fact);
    this.commit();
    return facts;
  }

  async catchUp(told: (facts: readonly Fact<Event>[]) => void): Promise<void> {
    for (;;) {
      const recorded = await this.#log.read(this.stream, this.#head.revision + 1, PAGE_EVENTS);
      if (recorded.length === 0) return;
      told(this.post(recorded));
    }
  }

  tidy(): boolean {
    return false;
  }
}
