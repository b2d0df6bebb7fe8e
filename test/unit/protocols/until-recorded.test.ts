/** What has happened outside is recorded in the end; what is no Fault is not tried again. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Fault } from '#domain/values/fault';
import { untilRecorded } from '#protocols/until-recorded';
import { fakeClock } from '../../support/clock.ts';
import { settled } from '../../support/smtp.ts';

const broken = new Fault('DiskFull', 'the disk is full');

it('is tried again at longer and longer intervals, a minute at most', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const triedAt: number[] = [];
  const began = clock.now();
  const record = async (): Promise<string> => {
    triedAt.push((clock.now() - began) / 1000);
    if (triedAt.length < 9) throw broken;
    return 'recorded';
  };
  const heard: Fault[] = [];
  const recorded = untilRecorded(record, (fault) => heard.push(fault), {
    clock,
    stop: stop.signal,
  });
  for (let second = 0; second < 200; second++) {
    await settled();
    clock.advance(1000);
  }
  assert.equal(await recorded, 'recorded');
  assert.deepEqual(triedAt, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
  assert.equal(heard.length, 8);
});

it('ends with the first Fault after somebody wants an end, and tells of that one too', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  let tried = 0;
  let told = 0;
  const record = async (): Promise<void> => {
    tried += 1;
    throw broken;
  };
  const notYet = (): void => {
    told += 1;
    stop.abort();
  };
  const recorded = untilRecorded(record, notYet, { clock, stop: stop.signal });
  await assert.rejects(recorded, broken);
  assert.deepEqual([tried, told], [2, 2]);
  assert.equal(clock.waiting, 0);
});

it('passes on what is no Fault', async () => {
  const bug = new Error('a bug');
  const stop = new AbortController();
  const ports = { clock: fakeClock(), stop: stop.signal };
  const record = async (): Promise<void> => {
    throw bug;
  };
  await assert.rejects(
    untilRecorded(record, () => assert.fail('not to be tried again'), ports),
    bug,
  );
});
