/**
 * How long things are kept, by the configuration.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { keepExpungedMs, startRetention } from '#infra/retention';
import { silentLog } from '../../support/silent-log.ts';

const DAY_MS = 86_400_000;

it('keeps bodies of removed messages for 14 days, or as many as are set', () => {
  assert.equal(keepExpungedMs({}), 14 * DAY_MS);
  assert.equal(keepExpungedMs({ KeepExpungedDays: 1 }), DAY_MS);
});

it('starts with the server, and stops with it', async () => {
  const said: string[] = [];
  const sweep = {
    start: () => void said.push('started'),
    stop: async () => void said.push('stopped'),
  };
  const ports = { log: silentLog, fatal: (error: unknown) => assert.fail(String(error)) };
  const retention = startRetention({ eventLog: openMemoryEventLog(), sweep }, {}, ports);
  assert.deepEqual(said, ['started']);
  await retention.stop();
  assert.deepEqual(said, ['started', 'stopped']);
});
