/**
 * Work that repeats goes on when the world fails, and ends when it is told to.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '#domain/values/fault';
import { startRepeating } from '#infra/repeating';
import type { LogFields } from '#protocols/ports';
import { fakeClock } from '../../support/clock.ts';
import { silentLog } from '../../support/silent-log.ts';

const RHYTHM = { what: 'sweeping', firstMs: 100, everyMs: 1000 };

function started(work: (signal: AbortSignal) => Promise<void>) {
  const clock = fakeClock();
  const warnings: string[] = [];
  const fatals: unknown[] = [];
  const warn = (_: LogFields, text: string): void => void warnings.push(text);
  const notes = { ...silentLog, warn };
  const fatal = (error: unknown): void => void fatals.push(error);
  const repeating = startRepeating({ clock, notes, fatal }, RHYTHM, work);
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let i = 0; i < 5; i++) await new Promise((next) => setImmediate(next));
  };
  return { clock, warnings, fatals, repeating, pass };
}

describe('repeated work', () => {
  it('begins after a while, and again a while after it has ended', async () => {
    let count = 0;
    const { pass, repeating, clock } = started(async () => void count++);
    await pass(99);
    assert.equal(count, 0);
    await pass(1);
    assert.equal(count, 1);
    await pass(999);
    assert.equal(count, 1);
    await pass(1);
    assert.equal(count, 2);
    await repeating.stop();
    assert.equal(clock.waiting, 0);
  });

  it('is tried again when the world failed, and fatal when nobody knows why', async () => {
    const errors = [
      new Fault('DiskFull', 'No room.'),
      Object.assign(new Error('read-only'), { code: 'EROFS' }),
      new TypeError('a mistake'),
    ];
    const { pass, repeating, warnings, fatals } = started(async () => {
      const error = errors.shift();
      if (error !== undefined) throw error;
    });
    for (const ms of [100, 1000, 1000, 1000]) await pass(ms);
    assert.deepEqual(warnings, ['sweeping waits', 'sweeping waits']);
    assert.equal(fatals.length, 1);
    assert.ok(fatals[0] instanceof TypeError);
    await repeating.stop();
  });

  it('is told to end, and waited for', async () => {
    let ended = false;
    const { pass, repeating, clock } = started(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended = true;
    });
    await pass(100);
    await repeating.stop();
    assert.equal(ended, true);
    assert.equal(clock.waiting, 0);
  });
});
