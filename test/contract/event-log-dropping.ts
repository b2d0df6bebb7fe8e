/**
 * The part of the contract of every engine that is about streams that leave the log.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EventLog } from '#domain/log/event-log';
import { UPCASTS } from '#domain/log/upcast';
import { Fault } from '#domain/values/fault';
import { someEvent, someEvents } from '../support/events.ts';
import type { LogEngine } from './event-log.ts';

const INTERLEAVED: readonly [string, number][] = [
  ['account-1', -1],
  ['directory', -1],
  ['account-2', -1],
  ['account-1', 0],
  ['account-1', 1],
  ['account-2', 0],
];

export function droppingContract(open: LogEngine): void {
  it('eventlog 10: drops a stream, and nothing of it is read again', async () => {
    await using engine = await open();
    const { log } = engine;
    for (const [stream, expected] of INTERLEAVED) {
      await log.append(stream, expected, [someEvent(`${stream} ${expected}`)]);
    }
    const rest = (await log.readAll(0, 100)).filter(({ stream }) => stream !== 'account-1');
    assert.equal(await log.drop('account-1'), 3);
    const readsTheRest = async (of: EventLog): Promise<void> => {
      assert.deepEqual(await of.readAll(0, 100), rest);
      assert.deepEqual(await of.readAll(0, 2), rest.slice(0, 2));
      assert.deepEqual(await of.readAll(0, 100, ['account-']), await of.read('account-2', 0, 9));
      assert.deepEqual(await of.read('account-1', 0, 10), []);
      assert.deepEqual([...(await of.streams()).keys()].toSorted(), ['account-2', 'directory']);
      assert.equal(await of.head('account-1'), 2);
    };
    await readsTheRest(log);
    await readsTheRest(await engine.reopen(UPCASTS));
  });

  it('eventlog 10: refuses the name of a dropped stream for good', async () => {
    await using engine = await open();
    const { log } = engine;
    await log.append('account-1', -1, someEvents('a', 2));
    await log.drop('account-1');
    for (const expected of [-1, 1, 2]) await refusesDropped(log, 'account-1', expected);
    const again = await engine.reopen(UPCASTS);
    for (const expected of [-1, 1, 2]) await refusesDropped(again, 'account-1', expected);
    assert.equal(await again.drop('account-1'), 0);
    assert.equal(await again.drop('account-3'), 0);
    assert.equal((await again.append('account-3', -1, [someEvent('b')])).revision, 0);
  });

  it('never gives a position again, not even that of the last event', async () => {
    await using engine = await open();
    await engine.log.append('account-1', -1, someEvents('a', 2));
    const { position } = await engine.log.append('account-2', -1, someEvents('b', 2));
    await engine.log.drop('account-2');
    const log = await engine.reopen(UPCASTS);
    assert.ok((await log.append('account-1', 1, [someEvent('c')])).position > position);
    assert.equal((await log.readAll(position, 10)).length, 1);
  });

  it('drops what was appended before and refuses what comes after, all under way', async () => {
    await using engine = await open();
    const { log } = engine;
    const heard: string[] = [];
    log.follow((events) => heard.push(...events.map(({ stream }) => stream)));
    const before = log.append('account-1', -1, someEvents('a', 2));
    const other = log.append('account-2', -1, [someEvent('b')]);
    const dropped = log.drop('account-1');
    const after = refusesDropped(log, 'account-1', 1);
    const otherAfter = log.append('account-2', 0, [someEvent('c')]);
    assert.equal((await before).revision, 1);
    assert.equal(await dropped, 2);
    await Promise.all([other, after, otherAfter]);
    assert.deepEqual(heard, ['account-1', 'account-1', 'account-2', 'account-2']);
    assert.deepEqual(await log.streams(), new Map([['account-2', 1]]));
  });
}

async function refusesDropped(log: EventLog, stream: string, expected: number): Promise<void> {
  await assert.rejects(
    log.append(stream, expected, [someEvent(`late ${expected}`)]),
    (error) => error instanceof Fault && error.code === 'StreamDropped' && !error.temporary,
  );
}
