/**
 * What a lane promises, with as little state behind it as a lane can have.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAUSE } from '../../support/lane-ports.ts';
import { faultOf, laneBench, type LaneBench } from '../../support/lane-bench.ts';
import { APPEND_EVENTS_MAX, Conflict } from '#domain/log/event-log';
import { isRefusal, refuse } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import { LANE_DEPTH_MAX } from '#infra/lane';

describe('a turn', () => {
  it('takes every command that waits, each decided on what the one before left', async () => {
    const { log, added, ledger } = laneBench();
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
    const { log, added } = laneBench();
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
    const { log, added, add } = laneBench();
    const [, refusal] = await Promise.all([added('a'), add('a')]);
    assert.deepEqual(refusal, { refused: 'AccountExists' });
    assert.deepEqual(log.appends, [1]);
  });

  it('answers a command that changes nothing with the head, and appends nothing', async () => {
    const { log, added } = laneBench();
    await added('a');
    const { revision, modSeq, facts } = await added('');
    assert.deepEqual({ revision, modSeq, facts }, { revision: 0, modSeq: 1, facts: [] });
    assert.deepEqual(log.appends, [1]);
  });

  it('announces facts when they are committed, before anybody is answered', async () => {
    const { added, announced, log } = laneBench();
    const order: string[] = [];
    log.before = () => void order.push(`announced ${announced.length}`);
    await added('a').then(() => order.push(`answered, announced ${announced.length}`));
    assert.deepEqual(order, ['announced 0', 'answered, announced 1']);
  });

  it('holds no more events than an append', async () => {
    const { log, added } = laneBench();
    const names = Array.from({ length: APPEND_EVENTS_MAX + 100 }, (_, i) => `n${i}`);
    const outcomes = await Promise.all(names.map(added));
    assert.deepEqual(log.appends, [APPEND_EVENTS_MAX, 100]);
    assert.deepEqual(
      outcomes.map(({ revision }) => revision),
      names.map((_, i) => i),
    );
  });

  it('holds no more octets than an append', async () => {
    const { log, added } = laneBench();
    const long = 'x'.repeat(200_000);
    await Promise.all(['a', 'b', 'c'].map((name) => added(name + long)));
    assert.deepEqual(log.appends, [2, 1]);
  });

  it('has one time, that never goes back', async () => {
    const { added, clock } = laneBench();
    const first = await Promise.all([added('a'), added('b')]);
    clock.advance(-60_000);
    const { facts } = await added('c');
    const times = [...first.flatMap((outcome) => outcome.facts), ...facts].map(({ at }) => at);
    assert.equal(new Set(times).size, 1);
  });
});

describe('what one command does wrong', () => {
  it('is thrown at its asker alone', async () => {
    const { lane, added, log } = laneBench();
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
    const { ledger, added, fatals } = laneBench();
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
    const { add, added, log } = laneBench();
    const names = Array.from({ length: APPEND_EVENTS_MAX + 1 }, (_, i) => `n${i}`);
    await assert.rejects(add(...names), faultOf('AppendTooLarge'));
    await assert.rejects(add('x'.repeat(300_000)), faultOf('AppendTooLarge'));
    await added('a');
    assert.deepEqual(log.appends, [1]);
  });
});

describe('when somebody else writes to the stream', () => {
  const intrude = async ({ log }: LaneBench, name: string): Promise<void> => {
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
    const b = laneBench();
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
    const b = laneBench();
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
    const { log, ledger, added, announced } = laneBench();
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
    const { log, added, announced, fatals } = laneBench();
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
    const { log, added } = laneBench();
    log.before = () => {
      throw new Conflict('directory', -1, 5);
    };
    await assert.rejects(added('a'), faultOf('ConflictsSpent'));
    assert.equal(await log.head('directory'), -1);
  });
});

describe('facts that are durable and find no room', () => {
  const full = (): never => {
    throw new Fault('DiskFull', 'no room');
  };

  it('are applied with the room that was kept, and nobody is told of a failure', async () => {
    const b = laneBench();
    b.ledger.onCommit = full;
    b.onMakeRoom = () => (b.ledger.onCommit = undefined);
    const [first, second] = await Promise.all([b.added('a'), b.add('a')]);
    assert.deepEqual([first.revision, first.answer], [0, ['a']]);
    assert.ok(isRefusal(second));
    assert.deepEqual([b.ledger.committed.names, b.announced], [['a'], ['a']]);
    assert.equal((await b.added('b')).revision, 1);
    assert.deepEqual(b.fatals, []);
  });

  it('are a Fault where none was kept, and found before the next turn', async () => {
    const b = laneBench();
    b.ledger.onCommit = full;
    await assert.rejects(b.added('a'), faultOf('DiskFull'));
    b.ledger.onCommit = undefined;
    assert.equal((await b.added('b')).revision, 1);
    assert.deepEqual([b.announced, b.fatals], [['a', 'b'], []]);
  });

  it('make room for others when the log itself has none', async () => {
    const b = laneBench();
    b.log.before = full;
    b.onMakeRoom = () => (b.log.before = undefined);
    await assert.rejects(b.added('a'), faultOf('DiskFull'));
    assert.equal((await b.added('a')).revision, 0);
  });
});

describe('facts that are durable and cannot be applied', () => {
  it('are fatal', async () => {
    const { log, ledger, added, fatals } = laneBench();
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
    const { log, lane, added } = laneBench();
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
    const { lane, added, log } = laneBench();
    const waiting = [added('a'), added('b')];
    await lane.close();
    await Promise.all(waiting);
    assert.deepEqual(log.appends, [2]);
    await assert.rejects(added('c'), faultOf('Closing'));
  });

  it('lets a task run between turns', async () => {
    const { lane, added, log } = laneBench();
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
