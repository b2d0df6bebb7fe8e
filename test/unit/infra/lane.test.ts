/**
 * What a lane promises, with as little state behind it as a lane can have.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAUSE, testLog, type TestLog } from '../../support/lane-ports.ts';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';
import type { DirectoryEvent } from '#domain/directory/events';
import { APPEND_EVENTS_MAX, Conflict } from '#domain/log/event-log';
import { directoryFactOf, type DirectoryFact } from '#domain/log/fact';
import { decided, isRefusal, refuse, type Decision, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import { Lane, LANE_DEPTH_MAX, type Carried, type Ledger } from '#infra/lane';
import { NOTHING_POSTED, type Checkpoint } from '#projections/checkpoints';

type Names = readonly string[];

/** Names of accounts in a list: as little state as a lane can have. */
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

interface Bench {
  readonly log: TestLog;
  readonly clock: FakeClock;
  readonly ledger: NameLedger;
  readonly lane: Lane<Names, DirectoryEvent>;
  readonly announced: string[];
  readonly fatals: unknown[];
  /** Adds a name; refuses one that is there; changes nothing for ''. The answer: all names. */
  add(...names: readonly string[]): Promise<Carried<DirectoryEvent, Names> | Refusal>;
  /** Adds a name, and must succeed. */
  added(name: string): Promise<Carried<DirectoryEvent, Names>>;
}

function bench(): Bench {
  const log = testLog();
  const clock = fakeClock();
  const ledger = new NameLedger(log);
  const announced: string[] = [];
  const fatals: unknown[] = [];
  const fatal = (error: unknown): void => void fatals.push(error);
  const lane = new Lane(ledger, { log, clock, random: fakeRandom(), fatal }, (facts) => {
    for (const { event } of facts) if (event.type === 'AccountAdded') announced.push(event.name);
  });
  const add = (...names: readonly string[]): ReturnType<Bench['add']> =>
    lane.execute(CAUSE, (state) => addNames(state, names));
  return {
    log,
    clock,
    ledger,
    lane,
    announced,
    fatals,
    add,
    async added(name) {
      const outcome = await add(name);
      assert.ok(!isRefusal(outcome));
      return outcome;
    },
  };
}

function addNames(state: Names, names: readonly string[]): Decision<DirectoryEvent, Names> {
  if (names.some((name) => state.includes(name))) return refuse('AccountExists');
  const events = names
    .filter((name) => name !== '')
    .map((name): DirectoryEvent => ({ type: 'AccountAdded', accountId: state.length + 1, name }));
  return decided(events, [...state, ...names]);
}

const faultOf =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code;

describe('a turn', () => {
  it('takes every command that waits, each decided on what the one before left', async () => {
    const { log, added, ledger } = bench();
    const outcomes = await Promise.all([added('a'), added('b'), added('c')]);
    assert.deepEqual(log.appends, [3]);
    assert.deepEqual(
      outcomes.map(({ revision, answer }) => [revision, answer]),
      [
        [0, ['a']],
        [1, ['a', 'b']],
        [2, ['a', 'b', 'c']],
      ],
    );
    assert.deepEqual(ledger.committed.names, ['a', 'b', 'c']);
  });

  it('leaves commands that come while it writes to the next one', async () => {
    const { log, added } = bench();
    let later: Promise<unknown> | undefined;
    log.before = () => {
      log.before = undefined;
      later = Promise.all([added('b'), added('c')]);
    };
    await added('a');
    await later;
    assert.deepEqual(log.appends, [1, 2]);
  });

  it('answers a refusal, and appends nothing for it', async () => {
    const { log, added, add } = bench();
    const [, refusal] = await Promise.all([added('a'), add('a')]);
    assert.deepEqual(refusal, { refused: 'AccountExists' });
    assert.deepEqual(log.appends, [1]);
  });

  it('answers a command that changes nothing with the head, and appends nothing', async () => {
    const { log, added } = bench();
    await added('a');
    const { revision, modSeq, facts } = await added('');
    assert.deepEqual({ revision, modSeq, facts }, { revision: 0, modSeq: 1, facts: [] });
    assert.deepEqual(log.appends, [1]);
  });

  it('announces facts when they are committed, before anybody is answered', async () => {
    const { added, announced, log } = bench();
    const order: string[] = [];
    log.before = () => void order.push(`announced ${announced.length}`);
    await added('a').then(() => order.push(`answered, announced ${announced.length}`));
    assert.deepEqual(order, ['announced 0', 'answered, announced 1']);
  });

  it('holds no more events than an append', async () => {
    const { log, added } = bench();
    const names = Array.from({ length: APPEND_EVENTS_MAX + 100 }, (_, i) => `n${i}`);
    const outcomes = await Promise.all(names.map(added));
    assert.deepEqual(log.appends, [APPEND_EVENTS_MAX, 100]);
    assert.deepEqual(
      outcomes.map(({ revision }) => revision),
      names.map((_, i) => i),
    );
  });

  it('holds no more octets than an append', async () => {
    const { log, added } = bench();
    const long = 'x'.repeat(200_000);
    await Promise.all(['a', 'b', 'c'].map((name) => added(name + long)));
    assert.deepEqual(log.appends, [2, 1]);
  });

  it('has one time, that never goes back', async () => {
    const { added, clock } = bench();
    const first = await Promise.all([added('a'), added('b')]);
    clock.advance(-60_000);
    const { facts } = await added('c');
    const times = [...first.flatMap((outcome) => outcome.facts), ...facts].map(({ at }) => at);
    assert.equal(new Set(times).size, 1);
  });
});

describe('what one command does wrong', () => {
  it('is thrown at its asker alone', async () => {
    const { lane, added, log } = bench();
    const outcomes = await Promise.allSettled([
      added('a'),
      lane.execute(CAUSE, () => {
        throw new RangeError('a bug');
      }),
      added('b'),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(log.appends, [2]);
  });

  it('is thrown at its asker also when it shows in applying', async () => {
    const { ledger, added, fatals } = bench();
    ledger.onApply = ({ event }) => {
      if (event.type === 'AccountAdded' && event.name === 'b') throw new RangeError('a bug');
    };
    const outcomes = await Promise.allSettled([added('a'), added('b'), added('c')]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(ledger.committed.names, ['a', 'c']);
    assert.deepEqual(fatals, []);
  });

  it('is a Fault when it decides on more than an append holds', async () => {
    const { add, added, log } = bench();
    const names = Array.from({ length: APPEND_EVENTS_MAX + 1 }, (_, i) => `n${i}`);
    await assert.rejects(add(...names), faultOf('AppendTooLarge'));
    await assert.rejects(add('x'.repeat(300_000)), faultOf('AppendTooLarge'));
    await added('a');
    assert.deepEqual(log.appends, [1]);
  });
});

describe('when somebody else writes to the stream', () => {
  const intrude = async ({ log }: Bench, name: string): Promise<void> => {
    const { before } = log;
    log.before = undefined;
    const head = await log.head('directory');
    await log.append('directory', head, [
      {
        id: `00000000-0000-4000-8000-${String(head + 1).padStart(12, '0')}`,
        type: 'AccountAdded',
        version: 1,
        at: 1,
        data: { accountId: 99, name },
        cause: CAUSE,
      },
    ]);
    log.before = before;
  };

  it('the commands are decided again on what is there now', async () => {
    const b = bench();
    b.log.before = async () => {
      b.log.before = undefined;
      await intrude(b, 'b');
    };
    const [a, refusal] = await Promise.all([b.added('a'), b.add('b')]);
    assert.deepEqual(a.answer, ['b', 'a']);
    assert.equal(a.revision, 1);
    assert.deepEqual(refusal, { refused: 'AccountExists' });
    assert.deepEqual(b.announced, ['b', 'a']);
  });

  it('time and again, it is a Fault in the end', async () => {
    const b = bench();
    let n = 0;
    b.log.before = () => intrude(b, `other ${n++}`);
    await assert.rejects(b.added('a'), faultOf('ConflictsSpent'));
    assert.equal(n, 8);
    b.log.before = undefined;
    assert.equal((await b.added('a')).revision, 8);
  });
});

describe('when the append fails', () => {
  it('every command of the turn is told, and nothing has changed', async () => {
    const { log, ledger, added, announced } = bench();
    log.before = () => {
      throw new Fault('DiskFull', 'no room');
    };
    const outcomes = await Promise.allSettled([added('a'), added('b')]);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && faultOf('DiskFull')(outcome.reason));
    }
    assert.deepEqual([ledger.committed.names, announced, ledger.open], [[], [], false]);
    log.before = undefined;
    assert.equal((await added('a')).revision, 0);
  });

  it('and has happened all the same, its facts are found before the next turn', async () => {
    const { log, added, announced, fatals } = bench();
    log.after = () => {
      log.after = undefined;
      throw new Error('the answer was lost');
    };
    await assert.rejects(added('a'), faultOf('LogUnavailable'));
    const { revision, answer } = await added('b');
    assert.deepEqual([revision, answer], [1, ['a', 'b']]);
    assert.deepEqual(announced, ['a', 'b']);
    assert.deepEqual(fatals, []);
  });

  it('with a conflict that never ends, the stream is not touched', async () => {
    const { log, added } = bench();
    log.before = () => {
      throw new Conflict('directory', -1, 5);
    };
    await assert.rejects(added('a'), faultOf('ConflictsSpent'));
    assert.equal(await log.head('directory'), -1);
  });
});

describe('facts that are durable and cannot be applied', () => {
  it('are fatal', async () => {
    const { log, ledger, added, fatals } = bench();
    log.after = () => {
      log.after = undefined;
      throw new Error('the answer was lost');
    };
    await assert.rejects(added('a'));
    ledger.onApply = () => {
      throw new RangeError('a bug');
    };
    await assert.rejects(added('b'));
    assert.equal(fatals.length, 1);
  });
});

describe('a lane', () => {
  it('refuses to let more wait than it can take', async () => {
    const { log, lane, added } = bench();
    const gate = Promise.withResolvers<void>();
    log.before = () => gate.promise;
    const first = added('first');
    await Promise.resolve();
    await Promise.resolve();
    const others = Array.from({ length: LANE_DEPTH_MAX }, () =>
      lane.execute(CAUSE, () => refuse('AccountExists')),
    );
    await assert.rejects(added('one too many'), faultOf('LaneBusy'));
    gate.resolve();
    log.before = undefined;
    await Promise.all([first, ...others]);
  });

  it('finishes what waits when it is closed, and takes nothing more', async () => {
    const { lane, added, log } = bench();
    const waiting = [added('a'), added('b')];
    await lane.close();
    await Promise.all(waiting);
    assert.deepEqual(log.appends, [2]);
    await assert.rejects(added('c'), faultOf('Closing'));
  });

  it('lets a task run between turns', async () => {
    const { lane, added, log } = bench();
    const gate = Promise.withResolvers<void>();
    const task = lane.between(() => gate.promise);
    const waiting = added('a');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(log.appends, []);
    gate.resolve();
    await Promise.all([task, waiting]);
    assert.deepEqual(log.appends, [1]);
    await lane.close();
    assert.ok(lane.isIdle);
  });
});
