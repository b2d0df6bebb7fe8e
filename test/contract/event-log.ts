/**
 * What every engine of the event log keeps, as one suite over an engine.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewEvent, RecordedEvent } from '#domain/log/event';
import {
  APPEND_EVENTS_MAX,
  AppendTooLarge,
  Conflict,
  EVENT_BYTES_MAX,
  type EventLog,
} from '#domain/log/event-log';
import { type Upcasts, UPCASTS } from '#domain/log/upcast';
import { Fault } from '#domain/values/fault';
import { someEvent, someEvents } from '../support/events.ts';
import { droppingContract } from './event-log-dropping.ts';

/** One log that can be closed and opened again with what it holds. */
export interface LogUnderTest extends AsyncDisposable {
  readonly log: EventLog;
  /** Closes the log and opens it again; `log` is the new one afterwards. */
  reopen(upcasts: Upcasts): Promise<EventLog>;
}

export type LogEngine = () => Promise<LogUnderTest>;

export function eventLogContract(name: string, open: LogEngine): void {
  describe(`event log, ${name}`, () => {
    appendingContract(open);
    repeatingContract(open);
    refusingContract(open);
    readingContract(open);
    followingContract(open);
    droppingContract(open);
    lastingContract(open);
  });
}

function appendingContract(open: LogEngine): void {
  it('counts revisions of a stream from 0', async () => {
    await using engine = await open();
    const { log } = engine;
    assert.equal(await log.head('account-1'), -1);
    assert.equal((await log.append('account-1', -1, [someEvent('a')])).revision, 0);
    assert.equal((await log.append('account-1', 0, [someEvent('b')])).revision, 1);
    assert.equal((await log.append('account-2', -1, [someEvent('c')])).revision, 0);
    assert.equal(await log.head('account-1'), 1);
    assert.deepEqual(
      await log.streams(),
      new Map([
        ['account-1', 1],
        ['account-2', 0],
      ]),
    );
  });

  it('gives the events of one append consecutive revisions and rising positions', async () => {
    await using engine = await open();
    const { log } = engine;
    const first = await log.append('account-1', -1, someEvents('a', 3));
    assert.equal(first.revision, 2);
    const second = await log.append('account-1', 2, someEvents('b', 2));
    assert.ok(second.position > first.position);
    const all = await log.readAll(0, 100);
    assert.deepEqual(
      all.map(({ revision }) => revision),
      [0, 1, 2, 3, 4],
    );
    assert.equal(all[2]?.position, first.position);
    assert.equal(all[4]?.position, second.position);
  });

  it('gives back every event as it was given', async () => {
    await using engine = await open();
    const data = { text: 'ü\u0000\ud800 "quoted"\n', list: [1, null, true, { deep: [] }], n: 0.5 };
    const given: NewEvent = { ...someEvent('a', data), cause: { actor: 'imap:x', ip: '::1' } };
    const { position } = await engine.log.append('account-1', -1, [given]);
    const expected: RecordedEvent = { ...given, stream: 'account-1', revision: 0, position };
    assert.deepEqual(await engine.log.read('account-1', 0, 10), [expected]);
    assert.deepEqual(await engine.log.readAll(0, 10), [expected]);
  });

  it('lets exactly one of many appenders have each revision', async () => {
    await using engine = await open();
    const { log } = engine;
    const taken: number[] = [];
    let conflicts = 0;
    const calls = Array.from({ length: 100 }, async (_, index) => {
      for (let round = 0; round < 5; round++) {
        const head = await log.head('account-1');
        try {
          const event = someEvent(`${index} ${round}`);
          taken.push((await log.append('account-1', head, [event])).revision);
        } catch (error) {
          assert.ok(error instanceof Conflict);
          conflicts++;
        }
      }
    });
    await Promise.all(calls);
    assert.deepEqual(
      taken.toSorted((a, b) => a - b),
      [...taken.keys()],
    );
    assert.equal(taken.length + conflicts, 500);
    assert.equal(await log.head('account-1'), taken.length - 1);
  });
}

function repeatingContract(open: LogEngine): void {
  it('answers a repeat like the first time, and stores nothing', async () => {
    await using engine = await open();
    const { log } = engine;
    const events = someEvents('a', 3);
    await log.append('account-1', -1, someEvents('before', 2));
    const first = await log.append('account-1', 1, events);
    assert.deepEqual(await log.append('account-1', 1, events), first);
    await log.append('account-1', 4, someEvents('after', 2));
    assert.deepEqual(await log.append('account-1', 1, events), first);
    assert.equal(await log.head('account-1'), 6);
  });

  it('knows a repeat after 10,000 more events and after opening again', async () => {
    await using engine = await open();
    const events = someEvents('a', 2);
    const first = await engine.log.append('account-1', -1, events);
    for (let batch = 0; batch < 20; batch++) {
      const more = someEvents(`more ${batch}`, 500);
      await engine.log.append('account-1', 1 + batch * 500, more);
    }
    assert.deepEqual(await engine.log.append('account-1', -1, events), first);
    const again = await engine.reopen(UPCASTS);
    assert.deepEqual(await again.append('account-1', -1, events), first);
    assert.equal(await again.head('account-1'), 10_001);
  });

  it('knows a repeat that is sent while the first is still being written', async () => {
    await using engine = await open();
    const events = someEvents('a', 2);
    const [first, second] = await Promise.all([
      engine.log.append('account-1', -1, events),
      engine.log.append('account-1', -1, events),
    ]);
    assert.deepEqual(first, second);
    assert.equal(await engine.log.head('account-1'), 1);
  });

  it('takes half a repeat for a conflict', async () => {
    await using engine = await open();
    const { log } = engine;
    const [one, two] = [someEvent('one'), someEvent('two')];
    await log.append('account-1', -1, [one, two]);
    await conflicts(log.append('account-1', -1, [one, someEvent('other')]), 1);
    await conflicts(log.append('account-1', -1, [someEvent('other'), two]), 1);
    await conflicts(log.append('account-1', -1, [one, two, someEvent('three')]), 1);
    assert.equal(await log.head('account-1'), 1);
  });
}

function refusingContract(open: LogEngine): void {
  it('names where the stream is when it is not where the append expects it', async () => {
    await using engine = await open();
    const { log } = engine;
    await conflicts(log.append('account-1', 0, [someEvent('a')]), -1);
    await log.append('account-1', -1, someEvents('b', 2));
    await conflicts(log.append('account-1', -1, [someEvent('c')]), 1);
    await conflicts(log.append('account-1', 0, [someEvent('c')]), 1);
    await conflicts(log.append('account-1', 2, [someEvent('c')]), 1);
    assert.equal((await log.readAll(0, 10)).length, 2);
  });

  it('refuses more than one append may hold, before anything is written', async () => {
    await using engine = await open();
    const { log } = engine;
    const big = (label: string, bytes: number): NewEvent =>
      someEvent(label, { text: 'x'.repeat(bytes) });
    const tooMany = someEvents('many', APPEND_EVENTS_MAX + 1);
    await assert.rejects(log.append('account-1', -1, tooMany), AppendTooLarge);
    const tooLarge = [someEvent('small'), big('big', EVENT_BYTES_MAX)];
    await assert.rejects(log.append('account-1', -1, tooLarge), AppendTooLarge);
    const together = ['a', 'b', 'c'].map((label) => big(label, EVENT_BYTES_MAX - 1000));
    await assert.rejects(log.append('account-1', -1, together), AppendTooLarge);
    assert.equal(await log.head('account-1'), -1);
    const most = someEvents('most', APPEND_EVENTS_MAX);
    assert.equal((await log.append('account-1', -1, most)).revision, APPEND_EVENTS_MAX - 1);
  });

  it('refuses data that is not plain JSON, and goes on', async () => {
    await using engine = await open();
    const { log } = engine;
    const bad: readonly unknown[] = [
      1n,
      undefined,
      Number.NaN,
      new Date(0),
      Buffer.of(1),
      Symbol.iterator,
    ];
    for (const value of bad) {
      const event = someEvent('a', { list: [{ value }] });
      await assert.rejects(log.append('account-1', -1, [event]), TypeError);
    }
    const circle: { self?: object } = {};
    circle.self = circle;
    await assert.rejects(log.append('account-1', -1, [someEvent('a', circle)]), TypeError);
    await assert.rejects(log.append('account-1', -1, []), TypeError);
    assert.equal((await log.append('account-1', -1, [someEvent('a')])).revision, 0);
  });
}

function readingContract(open: LogEngine): void {
  it('reads a stream from a revision on, up to a limit', async () => {
    await using engine = await open();
    const { log } = engine;
    await log.append('account-1', -1, someEvents('a', 5));
    await log.append('account-2', -1, someEvents('b', 2));
    const revisions = async (from: number, limit: number): Promise<number[]> =>
      (await log.read('account-1', from, limit)).map(({ revision }) => revision);
    assert.deepEqual(await revisions(0, 10), [0, 1, 2, 3, 4]);
    assert.deepEqual(await revisions(2, 2), [2, 3]);
    assert.deepEqual(await revisions(4, 2), [4]);
    assert.deepEqual(await revisions(5, 2), []);
    assert.deepEqual(await revisions(0, 0), []);
    assert.deepEqual(await log.read('account-3', 0, 10), []);
  });

  it('reads the whole log in order, and from any position exactly the rest', async () => {
    await using engine = await open();
    const { log } = engine;
    for (const [stream, expected] of INTERLEAVED) {
      await log.append(stream, expected, [someEvent(`${stream} ${expected}`)]);
    }
    const all = await log.readAll(0, 100);
    assert.deepEqual(
      all.map(({ stream, revision }) => [stream, revision - 1]),
      INTERLEAVED,
    );
    for (const [index, { position }] of all.entries()) {
      assert.deepEqual(await log.readAll(position, 100), all.slice(index + 1));
      assert.deepEqual(await log.readAll(position, 2), all.slice(index + 1, index + 3));
    }
  });

  it('reads only the streams that begin with one of the prefixes', async () => {
    await using engine = await open();
    const { log } = engine;
    for (const [stream, expected] of INTERLEAVED) {
      await log.append(stream, expected, [someEvent(`${stream} ${expected}`)]);
    }
    const all = await log.readAll(0, 100);
    const accounts = all.filter(({ stream }) => stream.startsWith('account-'));
    assert.deepEqual(await log.readAll(0, 100, ['account-']), accounts);
    assert.deepEqual(await log.readAll(0, 2, ['account-']), accounts.slice(0, 2));
    const after = accounts[1]?.position ?? 0;
    assert.deepEqual(await log.readAll(after, 100, ['account-']), accounts.slice(2));
    assert.deepEqual(await log.readAll(0, 100, ['account-', 'directory']), all);
    assert.deepEqual(await log.readAll(0, 100, ['lease-']), []);
    assert.deepEqual(await log.readAll(0, 100, []), []);
  });
}

const INTERLEAVED: readonly [string, number][] = [
  ['account-1', -1],
  ['directory', -1],
  ['account-2', -1],
  ['account-1', 0],
  ['directory', 0],
  ['account-1', 1],
  ['account-2', 0],
];

function followingContract(open: LogEngine): void {
  it('tells listeners of each append in order, before its caller goes on', async () => {
    await using engine = await open();
    const { log } = engine;
    const heard: RecordedEvent[] = [];
    const heads: Promise<number>[] = [];
    log.follow((events) => {
      heard.push(...events);
      heads.push(log.head(events[0]?.stream ?? ''));
    });
    const appends = ['account-1', 'account-2', 'account-3'].map(async (stream) => {
      for (let round = 0; round < 10; round++) {
        const { position } = await log.append(
          stream,
          round * 2 - 1,
          someEvents(`${stream} ${round}`, 2),
        );
        assert.equal(
          heard.some((event) => event.position === position),
          true,
        );
      }
    });
    await Promise.all(appends);
    assert.deepEqual(heard, await log.readAll(0, 100));
    assert.equal(
      (await Promise.all(heads)).every((head) => head >= 1),
      true,
    );
  });

  it('tells nothing of conflicts and repeats, nor anything to who has stopped', async () => {
    await using engine = await open();
    const { log } = engine;
    let first = 0;
    let second = 0;
    const stop = log.follow(() => first++);
    log.follow(() => second++);
    await log.append('account-1', -1, [someEvent('a')]);
    await log.append('account-1', -1, [someEvent('a')]);
    await conflicts(log.append('account-1', -1, [someEvent('b')]), 0);
    assert.deepEqual([first, second], [1, 1]);
    stop();
    await log.append('account-1', 0, [someEvent('c')]);
    assert.deepEqual([first, second], [1, 2]);
  });
}

function lastingContract(open: LogEngine): void {
  it('holds the same after opening again', async () => {
    await using engine = await open();
    await engine.log.append('account-1', -1, someEvents('a', 3));
    await engine.log.append('directory', -1, someEvents('b', 1));
    const all = await engine.log.readAll(0, 10);
    const streams = await engine.log.streams();
    const again = await engine.reopen(UPCASTS);
    assert.deepEqual(await again.readAll(0, 10), all);
    assert.deepEqual(await again.streams(), streams);
    const { position } = await again.append('account-1', 2, someEvents('c', 1));
    assert.ok(position > (all.at(-1)?.position ?? 0));
  });

  it('lifts events of older versions when they are read', async () => {
    await using engine = await open();
    await engine.log.append('account-1', -1, [someEvent('a', { size: 1 })]);
    const steps = [
      (data: object): object => ({ ...data, unit: 'octet' }),
      (data: object): object => ({ ...data, exact: true }),
    ];
    const log = await engine.reopen(new Map([['ThingHappened', steps]]));
    const [lifted] = await log.read('account-1', 0, 1);
    assert.deepEqual(lifted?.data, { size: 1, unit: 'octet', exact: true });
    assert.equal(lifted?.version, 3);
    assert.deepEqual(await log.readAll(0, 1), [lifted]);
    const old = someEvent('b', { size: 2 });
    await assert.rejects(log.append('account-1', 0, [old]), TypeError);
    await log.append('account-1', 0, [{ ...old, version: 3 }]);
    assert.deepEqual((await log.read('account-1', 1, 1))[0]?.data, { size: 2 });
  });

  it('copies into another log with equal streams, revisions, ids and facts', async () => {
    await using source = await open();
    await using target = await open();
    for (const [stream, expected] of INTERLEAVED) {
      await source.log.append(stream, expected, [someEvent(`${stream} ${expected}`)]);
    }
    for (const event of await source.log.readAll(0, 100)) {
      const { stream, revision, position: _, ...fact } = event;
      await target.log.append(stream, revision - 1, [fact]);
    }
    assert.deepEqual(await target.log.streams(), await source.log.streams());
    assert.deepEqual(await target.log.readAll(0, 100), await source.log.readAll(0, 100));
  });

  it('finishes what is under way when it is closed, then refuses', async () => {
    await using engine = await open();
    const { log } = engine;
    const underWay = log.append('account-1', -1, [someEvent('a')]);
    const closed = log.close();
    assert.equal((await underWay).revision, 0);
    await closed;
    await log.close();
    const isClosing = (error: unknown): boolean =>
      error instanceof Fault && error.code === 'Closing';
    await assert.rejects(log.append('account-1', 0, [someEvent('b')]), isClosing);
    await assert.rejects(log.read('account-1', 0, 1), isClosing);
    await assert.rejects(log.readAll(0, 1), isClosing);
    await assert.rejects(log.head('account-1'), isClosing);
    await assert.rejects(log.streams(), isClosing);
  });
}

async function conflicts(append: Promise<unknown>, actual: number): Promise<void> {
  await assert.rejects(append, (error) => error instanceof Conflict && error.actual === actual);
}
