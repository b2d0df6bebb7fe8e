/**
 * A lane with as little state behind it as one can have: names of accounts in a list.
 */

import assert from 'node:assert/strict';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { CAUSE, testLog, type TestLog } from './lane-ports.ts';
import type { DirectoryEvent } from '#domain/directory/events';
import { directoryFactOf, type DirectoryFact } from '#domain/log/fact';
import { decided, isRefusal, refuse, type Decision, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import { Lane, type Carried, type Ledger } from '#infra/lane';
import { NOTHING_POSTED, type Checkpoint } from '#projections/checkpoints';

export type Names = readonly string[];

class NameLedger implements Ledger<Names, DirectoryEvent> {
  readonly stream = 'directory';
  readonly #log: TestLog;
  committed: { readonly names: Names; readonly head: Checkpoint } = {
    names: [],
    head: NOTHING_POSTED,
  };
  #names: Names = [];
  head: Checkpoint = NOTHING_POSTED;
  /** Called for every fact; what it throws, applying throws. */
  onApply: ((fact: DirectoryFact) => void) | undefined;
  /** Called before a commit; what it throws, the commit throws. */
  onCommit: (() => void) | undefined;
  open = false;

  constructor(log: TestLog) {
    this.#log = log;
  }

  get state(): Names {
    assert.ok(this.open, 'decided outside of a transaction');
    return this.#names;
  }

  begin(): void {
    assert.ok(!this.open, 'a transaction is open');
    this.open = true;
  }

  apply(fact: DirectoryFact): void {
    this.onApply?.(fact);
    if (fact.event.type === 'AccountAdded') this.#names = [...this.#names, fact.event.name];
    this.head = { revision: fact.revision, base: 0, lastAt: fact.at };
  }

  commit(): void {
    this.onCommit?.();
    this.committed = { names: this.#names, head: this.head };
    this.open = false;
  }

  rollback(): void {
    this.#names = this.committed.names;
    this.head = this.committed.head;
    this.open = false;
  }

  async catchUp(told: (facts: readonly DirectoryFact[]) => void): Promise<void> {
    const recorded = await this.#log.read(this.stream, this.head.revision + 1, 1000);
    const facts = recorded.map((event) => directoryFactOf(event));
    this.begin();
    for (const fact of facts) this.apply(fact);
    this.commit();
    told(facts);
  }

  tidy(): boolean {
    return false;
  }
}

export interface LaneBench {
  readonly log: TestLog;
  readonly clock: FakeClock;
  readonly ledger: NameLedger;
  readonly lane: Lane<Names, DirectoryEvent>;
  readonly announced: string[];
  readonly fatals: unknown[];
  /** Called when room is asked for. */
  onMakeRoom: (() => void) | undefined;
  /** Adds a name; refuses one that is there; changes nothing for ''. The answer: all names. */
  add(...names: readonly string[]): Promise<Carried<DirectoryEvent, Names> | Refusal>;
  /** Adds a name, and must succeed. */
  added(name: string): Promise<Carried<DirectoryEvent, Names>>;
}

export function laneBench(): LaneBench {
  const log = testLog();
  const clock = fakeClock();
  const ledger = new NameLedger(log);
  const announced: string[] = [];
  const fatals: unknown[] = [];
  const fatal = (error: unknown): void => void fatals.push(error);
  const makeRoom = (): void => made.onMakeRoom?.();
  const ports = { log, clock, random: fakeRandom(), makeRoom, fatal };
  const lane = new Lane(ledger, ports, (facts) => {
    for (const { event } of facts) if (event.type === 'AccountAdded') announced.push(event.name);
  });
  const add = (...names: readonly string[]): ReturnType<LaneBench['add']> =>
    lane.execute(CAUSE, (state) => addNames(state, names));
  const made: LaneBench = {
    log,
    clock,
    ledger,
    lane,
    announced,
    fatals,
    onMakeRoom: undefined,
    add,
    async added(name) {
      const outcome = await add(name);
      assert.ok(!isRefusal(outcome));
      return outcome;
    },
  };
  return made;
}

function addNames(state: Names, names: readonly string[]): Decision<DirectoryEvent, Names> {
  if (names.some((name) => state.includes(name))) return refuse('AccountExists');
  const events = names
    .filter((name) => name !== '')
    .map((name): DirectoryEvent => ({ type: 'AccountAdded', accountId: state.length + 1, name }));
  return decided(events, [...state, ...names]);
}

export const faultOf =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code;
