/**
 * A lane: the commands of one stream, one turn after the other.
 *
 * A turn takes every command that waits and fits into one append. Each is decided against the
 * state as the previous one left it, and its facts are applied at once, in a transaction that
 * stays open; then all facts are appended in one go, the transaction is committed, the facts are
 * announced, and every command is answered. Commands that come meanwhile wait for the next turn.
 *
 * Invariants: a command is answered only when its facts, and those of the commands that it was
 * decided after, are durable and can be seen; facts are announced once, in the order of the log.
 * Diagnostics: a conflict is decided again, a few times, then it is the Fault ConflictsSpent; a
 * failed append fails the whole turn, and the state is read from the log before the next one. What
 * one decision throws is thrown at its asker alone. What is durable and finds no room is applied
 * again with the room that is kept for it (ballast.ts). What cannot be applied although it is
 * durable is fatal: the process must stop, a replay repairs.
 */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { Cause, NewEvent } from '#domain/log/event';
import {
  APPEND_BYTES_MAX,
  APPEND_EVENTS_MAX,
  Conflict,
  EVENT_BYTES_MAX,
  type EventLog,
} from '#domain/log/event-log';
import { newEventOf, type Fact } from '#domain/log/fact';
import { baseFrom, modSeqAt, type DomainEvent } from '#domain/log/streams';
import { isRefusal, type Decision, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { Instant, ModSeq, Revision } from '#domain/values/ids';
import type { Checkpoint } from '#projections/checkpoints';
import type { Clock, Random } from '#protocols/ports';
import { isDiskFull } from './files.ts';

/** Commands that may wait at once. */
export const LANE_DEPTH_MAX = 10_000;
const DECISIONS_MAX = 8;

/** The state behind a lane; everything but `catchUp` is synchronous. */
export interface Ledger<State, Event> {
  readonly stream: string;
  /** The last fact that it has, committed or not. */
  readonly head: Checkpoint;
  /** Opens a transaction. */
  begin(): void;
  /** True at `head`, until the transaction ends. */
  readonly state: State;
  apply(fact: Fact<Event>): void;
  commit(): void;
  rollback(): void;
  /** Reads what the log has and the ledger has not; `told` hears of it, in order. */
  catchUp(told: (facts: readonly Fact<Event>[]) => void): Promise<void>;
  /** Does a little of what can wait; true when there is more. */
  tidy(): boolean;
}

export interface LanePorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Gives up room that was kept for when the disk is full. */
  readonly makeRoom?: () => void;
  /** Facts are durable and nobody can carry on from them. */
  readonly fatal: (error: unknown) => void;
}

/** A command was carried out, or had nothing to change. */
export interface Carried<Event, Answer> {
  readonly revision: Revision;
  readonly modSeq: ModSeq;
  readonly facts: readonly Fact<Event>[];
  readonly answer: Answer;
}

type Decide<State, Event, Answer> = (state: State, at: Instant) => Decision<Event, Answer>;

/** A command that waits for its turn; what it answers is its own affair. */
interface Waiting<State, Event> {
  readonly cause: Cause;
  /** Decides, keeps the answer to itself, and gives the events. */
  decide(state: State, at: Instant): readonly Event[];
  /** The facts of the last decision are durable. */
  answer(facts: readonly Fact<Event>[], revision: Revision, modSeq: ModSeq): void;
  reject(error: unknown): void;
}

/** What a turn is about to append. */
interface Draft<State, Event> {
  readonly expected: Revision;
  readonly taken: readonly {
    readonly command: Waiting<State, Event>;
    readonly facts: readonly Fact<Event>[];
  }[];
  readonly facts: readonly Fact<Event>[];
  readonly events: readonly NewEvent[];
}

export class Lane<State, Event extends DomainEvent> {
  readonly #ledger: Ledger<State, Event>;
  readonly #ports: LanePorts;
  readonly #announce: (facts: readonly Fact<Event>[]) => void;
  #waiting: Waiting<State, Event>[] = [];
  #running: Promise<void> | undefined;
  /** The log may hold facts that the ledger does not have. */
  #behind = false;
  #closed = false;

  constructor(
    ledger: Ledger<State, Event>,
    ports: LanePorts,
    announce: (facts: readonly Fact<Event>[]) => void,
  ) {
    this.#ledger = ledger;
    this.#ports = ports;
    this.#announce = announce;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Durable, and seen by everybody, when it resolves. */
  execute<Answer>(
    cause: Cause,
    decide: Decide<State, Event, Answer>,
  ): Promise<Carried<Event, Answer> | Refusal> {
    if (this.#closed) return Promise.reject(new Fault('Closing', 'The server is stopping.'));
    if (this.#waiting.length >= LANE_DEPTH_MAX) {
      return Promise.reject(new Fault('LaneBusy', `${this.#ledger.stream} has too much to do.`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(waiting(cause, decide, resolve, reject));
      this.#running ??= this.#run();
    });
  }

  /** Brings the ledger to the head of the log; commands wait. */
  catchUp(): Promise<void> {
    return this.between(() => this.#catchUp());
  }

  /** Does what could wait, unless commands come. */
  tidy(): Promise<void> {
    return this.between(() => this.#tidy());
  }

  /** Runs `task` while no turn does; commands wait. */
  async between<T>(task: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running;
    const done = Promise.withResolvers<void>();
    this.#running = done.promise;
    try {
      return await task();
    } finally {
      this.#running = this.#waiting.length > 0 ? this.#run() : undefined;
      done.resolve();
    }
  }

  /** Takes no more commands; resolves when those that wait are answered. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // Commands that are given at the same time share the first turn.
    await Promise.resolve();
    do {
      while (this.#waiting.length > 0) await this.#turn();
      await this.#tidy();
    } while (this.#waiting.length > 0);
    this.#running = undefined;
  }

  async #tidy(): Promise<void> {
    try {
      while (!this.#behind && this.#waiting.length === 0 && this.#ledger.tidy()) await nextRound();
    } catch (error) {
      // What could wait can wait longer, for room on the disk say.
      if (!(error instanceof Fault)) this.#ports.fatal(error);
    }
  }

  async #turn(): Promise<void> {
    const turn = this.#waiting.splice(0, APPEND_EVENTS_MAX);
    try {
      for (let tries = 1; tries <= DECISIONS_MAX; tries++) {
        if (await this.#attempt(turn)) return;
      }
      throw new Fault('ConflictsSpent', `Others keep writing to ${this.#ledger.stream}.`);
    } catch (error) {
      for (const command of turn) command.reject(error);
      this.#giveUp(error);
    }
  }

  /** A Fault is the world's, and the next turn begins with reading the log. */
  #giveUp(error: unknown): void {
    this.#behind = true;
    try {
      this.#ledger.rollback();
    } catch (cause) {
      this.#ports.fatal(cause);
    }
    if (!(error instanceof Fault)) this.#ports.fatal(error);
  }

  /** False when somebody else wrote to the stream meanwhile. */
  async #attempt(turn: Waiting<State, Event>[]): Promise<boolean> {
    if (this.#behind) await this.#catchUp();
    const ledger = this.#ledger;
    const draft = this.#draft(turn);
    const { expected, facts, events } = draft;
    if (events.length === 0) {
      ledger.rollback();
      this.#answer(draft);
      return true;
    }
    try {
      await this.#ports.log.append(ledger.stream, expected, events);
    } catch (error) {
      ledger.rollback();
      this.#behind = true;
      if (error instanceof Conflict) return false;
      // Too late for this turn; outcomes that have to be recorded come again.
      if (isDiskFull(error)) this.#ports.makeRoom?.();
      throw appendFault(error);
    }
    await this.#commit(facts);
    this.#answer(draft);
    return true;
  }

  /** The log has the facts: whoever is told that they failed would send them again. */
  async #commit(facts: readonly Fact<Event>[]): Promise<void> {
    this.#behind = true;
    try {
      this.#ledger.commit();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#ledger.rollback();
      this.#ports.makeRoom?.();
      return await this.#catchUp();
    }
    this.#behind = false;
    this.#tell(facts);
  }

  async #catchUp(): Promise<void> {
    await this.#ledger.catchUp((facts) => this.#tell(facts));
    this.#behind = false;
  }

  /** Whoever cannot follow has missed facts for good: only a new start repairs that. */
  #tell(facts: readonly Fact<Event>[]): void {
    try {
      this.#announce(facts);
    } catch (error) {
      this.#ports.fatal(error);
    }
  }

  /** Decides and applies; commands that do not fit any more go back to the front of the queue. */
  #draft(turn: Waiting<State, Event>[]): Draft<State, Event> {
    for (;;) {
      const tried = this.#tryDraft(turn);
      if ('draft' in tried) return tried.draft;
      // The facts of the others stand on those of the one that failed: all over again.
      this.#ledger.rollback();
      const { failed, error } = tried;
      turn.splice(turn.indexOf(failed), 1);
      failed.reject(error);
    }
  }

  #tryDraft(
    turn: Waiting<State, Event>[],
  ):
    | { readonly draft: Draft<State, Event> }
    | { readonly failed: Waiting<State, Event>; readonly error: unknown } {
    const ledger = this.#ledger;
    const { revision: expected, lastAt } = ledger.head;
    const at = Math.max(this.#ports.clock.now(), lastAt);
    const taken: { command: Waiting<State, Event>; facts: readonly Fact<Event>[] }[] = [];
    const events: NewEvent[] = [];
    let bytes = 0;
    ledger.begin();
    for (const [i, command] of turn.entries()) {
      try {
        const decided = command.decide(ledger.state, at);
        const own = decided.map((event) =>
          newEventOf(event, this.#ports.random.uuid(), at, command.cause),
        );
        const ownBytes = bytesOf(own);
        if (events.length + own.length > APPEND_EVENTS_MAX || bytes + ownBytes > APPEND_BYTES_MAX) {
          this.#waiting.unshift(...turn.splice(i));
          break;
        }
        const facts = this.#applied(decided, at, command.cause);
        events.push(...own);
        bytes += ownBytes;
        taken.push({ command, facts });
      } catch (error) {
        return { failed: command, error };
      }
    }
    return { draft: { expected, taken, events, facts: taken.flatMap(({ facts }) => facts) } };
  }

  #applied(events: readonly Event[], at: Instant, cause: Cause): readonly Fact<Event>[] {
    return events.map((event) => {
      const revision = this.#ledger.head.revision + 1;
      const modSeq = modSeqAt(revision, baseFrom(event, this.#ledger.head.base));
      const fact = { revision, modSeq, at, cause, event };
      this.#ledger.apply(fact);
      return fact;
    });
  }

  #answer({ taken }: Draft<State, Event>): void {
    const { revision, base } = this.#ledger.head;
    for (const { command, facts } of taken) {
      const last = facts.at(-1);
      const modSeq = last?.modSeq ?? modSeqAt(revision, base);
      command.answer(facts, last?.revision ?? revision, modSeq);
    }
  }
}

function waiting<State, Event, Answer>(
  cause: Cause,
  decide: Decide<State, Event, Answer>,
  resolve: (outcome: Carried<Event, Answer> | Refusal) => void,
  reject: (error: unknown) => void,
): Waiting<State, Event> {
  let decision: Decision<Event, Answer> | undefined;
  return {
    cause,
    reject,
    decide(state, at) {
      decision = decide(state, at);
      return isRefusal(decision) ? [] : decision.events;
    },
    answer(facts, revision, modSeq) {
      if (decision === undefined) return;
      if (isRefusal(decision)) resolve(decision);
      else resolve({ revision, modSeq, facts, answer: decision.answer });
    },
  };
}

/** Octets of the events of one decision. Throws when no append can hold them. */
function bytesOf(events: readonly NewEvent[]): number {
  let total = 0;
  for (const { type, data, cause } of events) {
    const bytes =
      Buffer.byteLength(JSON.stringify(data)) + Buffer.byteLength(JSON.stringify(cause));
    if (bytes > EVENT_BYTES_MAX) throw tooLarge(`a ${type} of ${bytes} octets`);
    total += bytes;
  }
  if (events.length > APPEND_EVENTS_MAX) throw tooLarge(`${events.length} events`);
  if (total > APPEND_BYTES_MAX) throw tooLarge(`events of ${total} octets`);
  return total;
}

function tooLarge(what: string): Fault {
  return new Fault('AppendTooLarge', `One command made ${what}.`, { temporary: false });
}

/** Whatever an engine throws, the outcome is unknown to those who wait. */
function appendFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('LogUnavailable', 'The append failed.', { cause: error });
}
