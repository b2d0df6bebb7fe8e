/** Outgoing mail that left the queue long enough ago is forgotten. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { Accounts, fakeLog, settled } from '../../../support/smtp.ts';
import { Fault } from '#domain/values/fault';
import type { AccountId } from '#domain/values/ids';
import type { Commands } from '#protocols/ports';
import { startForgetting } from '#protocols/smtp/forgetting';

test('queue 36: accounts are asked 3 seconds after the start, then every hour', async () => {
  const clock = fakeClock();
  const asked: AccountId[] = [];
  const logged: string[] = [];
  const faults: Fault[] = [];
  const accounts = new Accounts(clock);
  const commands: Commands = {
    async execute(accountId, command, cause) {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      asked.push(accountId);
      return accounts.execute(accountId, command, cause);
    },
  };
  const forgetting = startForgetting({
    commands,
    queue: { accountsToForget: () => [1, 2] },
    clock,
    log: fakeLog(logged),
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settled();
  };
  await pass(2_999);
  assert.deepEqual(asked, []);
  await pass(1);
  assert.deepEqual(asked, [1, 2]);
  faults.push(new Fault('LogUnavailable', 'gone'));
  await pass(3_600_000);
  assert.deepEqual(asked.splice(2), [2], 'one that cannot does not keep the others from it');
  assert.deepEqual(logged, ['warn retired messages not forgotten yet']);
  await forgetting.stop();
  await pass(7_200_000);
  assert.deepEqual(asked, [1, 2]);
  assert.equal(clock.waiting, 0);
});
