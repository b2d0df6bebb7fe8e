/**
 * The stream of the month that recorders append to: opened where the last run left off, and left
 * for that of the next month when something of it is to be recorded.
 *
 * Invariants: appends go one after the other and never reject; months are taken in their order,
 * because views are posted month by month: should time have gone back, the last one goes on.
 * Diagnostics: what cannot be appended because the world failed is given back; anything else is a
 * bug.
 */

import type { Cause } from '#domain/log/event';
import type { Fact } from '#domain/log/fact';
import type { DomainEvent } from '#domain/log/streams';
import type { Decision } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { Instant } from '#domain/values/ids';
import { Lane, type LanePorts, type Ledger } from './lane.ts';

export interface MonthLedger<State, Event> extends Ledger<State, Event> {
  /** As of the last append. */
  readonly committed: State;
}

/** What goes into one command. */
export type Some<Item> = readonly [Item, ...Item[]];

/** What is recorded, and how. */
export interface Recording<Item, State, Event extends DomainEvent> {
  readonly cause: Cause;
  readonly isOurs: (stream: string) => boolean;
  openLedger(stream: string): Promise<MonthLedger<State, Event>>;
  /** Posts what was appended into the views. */
  follow(stream: string, facts: readonly Fact<Event>[]): void;
  decide(items: Some<Item>, state: State, at: Instant): Decision<Event, object>;
}

/** By stream. */
export type Batches<Item> = ReadonlyMap<string, readonly Some<Item>[]>;

interface Month<State, Event extends DomainEvent> {
  readonly ledger: MonthLedger<State, Event>;
  readonly lane: Lane<State, Event>;
}

export class MonthStream<Item, State, Event extends DomainEvent> {
  readonly #recording: Recording<Item, State, Event>;
  readonly #ports: LanePorts;
  #month: Month<State, Event>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    recording: Recording<Item, State, Event>,
    ports: LanePorts,
    month: Month<State, Event>,
  ) {
    this.#recording = recording;
    this.#ports = ports;
    this.#month = month;
  }

  /** The stream of this month, or a later one if there is one already. */
  static async open<Item, State, Event extends DomainEvent>(
    stream: string,
    recording: Recording<Item, State, Event>,
    ports: LanePorts,
  ): Promise<MonthStream<Item, State, Event>> {
    const months = [...(await ports.log.streams()).keys()].filter(recording.isOurs);
    const last = [...months, stream].sort().at(-1) ?? stream;
    return new MonthStream(recording, ports, await openMonth(last, recording, ports));
  }

  /** As of the last append. */
  get state(): State {
    return this.#month.ledger.committed;
  }

  /** Asks what there is when those before are done; `putBack` gets what is to be tried again. */
  append(
    take: () => Batches<Item>,
    putBack: (items: readonly Item[], fault: Fault) => void,
  ): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#appendAll(take(), putBack);
      } catch (error) {
        this.#ports.fatal(error);
      }
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#month.lane.close();
  }

  async #appendAll(
    batches: Batches<Item>,
    putBack: (items: readonly Item[], fault: Fault) => void,
  ): Promise<void> {
    const heeding = async (items: readonly Item[], work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        putBack(items, error);
      }
    };
    for (const [stream, lists] of [...batches].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (lists.length === 0) continue;
      await heeding(lists.flat(), async () => {
        await this.#goTo(stream);
        await Promise.all(lists.map((items) => heeding(items, () => this.#execute(items))));
      });
    }
  }

  async #execute(items: Some<Item>): Promise<void> {
    const { cause, decide } = this.#recording;
    await this.#month.lane.execute(cause, (state, at) => decide(items, state, at));
  }

  async #goTo(stream: string): Promise<void> {
    if (stream <= this.#month.ledger.stream) return;
    const next = await openMonth(stream, this.#recording, this.#ports);
    await this.#month.lane.close();
    this.#month = next;
  }
}

async function openMonth<Item, State, Event extends DomainEvent>(
  stream: string,
  { openLedger, follow }: Recording<Item, State, Event>,
  ports: LanePorts,
): Promise<Month<State, Event>> {
  const ledger = await openLedger(stream);
  const lane = new Lane(ledger, ports, (facts) => follow(stream, facts));
  return { ledger, lane };
}
