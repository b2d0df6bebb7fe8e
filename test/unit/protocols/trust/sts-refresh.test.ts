/**
 * When policies of others are looked at again.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { fakeResolver } from '../../../support/dns.ts';
import { fakeLog, settled } from '../../../support/smtp.ts';
import { Fault } from '#domain/values/fault';
import { startStsRefresh } from '#protocols/trust/sts-refresh';

const DAY_MS = 24 * 3_600_000;

it('there is a turn through all policies at once and then every day, whatever fails', async () => {
  const clock = fakeClock();
  const logged: string[] = [];
  let turns = 0;
  const refresh = startStsRefresh({
    clock,
    log: fakeLog(logged),
    resolver: fakeResolver({}),
    fetch: { get: () => assert.fail('nothing is remembered') },
    cache: {
      get: async () => undefined,
      put: async () => undefined,
      delete: async () => undefined,
      domains: async () => {
        turns++;
        if (turns === 2) throw new Fault('DiskFull', 'full');
        return [];
      },
    },
  });
  await settled();
  assert.equal(turns, 1);
  for (const expected of [2, 3]) {
    clock.advance(DAY_MS);
    await settled();
    assert.equal(turns, expected);
  }
  assert.deepEqual(logged, ['error policies for TLS not refreshed']);
  await refresh.stop();
  assert.equal(clock.waiting, 0);
});
