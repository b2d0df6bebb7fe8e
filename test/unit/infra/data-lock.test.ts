/**
 * One process per data directory, and a lock that a killed process does not leave behind.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Fault } from '#domain/values/fault';
import { takeDataLock } from '#infra/data-lock';
import { temporaryDirectory } from '../../support/temporary.ts';

const HOLDER = `
  import { takeDataLock } from '#infra/data-lock';
  takeDataLock(process.argv[1]);
  globalThis.gc();
  console.log('held');
  setInterval(() => {}, 1000);
`;

function isInUse(error: unknown): boolean {
  return (
    error instanceof Fault && error.temporary && error.message.startsWith('Another process uses')
  );
}

describe('data lock', () => {
  it('is held by one at a time', async () => {
    await using directory = await temporaryDirectory();
    const lock = takeDataLock(directory.path);
    assert.throws(() => takeDataLock(directory.path), isInUse);
    lock.release();
    lock.release();
    using again = takeDataLock(directory.path);
    assert.throws(() => takeDataLock(directory.path), isInUse);
    again.release();
  });

  it('is refused while another process has it, and free once that was killed', async () => {
    await using directory = await temporaryDirectory();
    const args = ['--expose-gc', '--input-type=module', '-e', HOLDER, directory.path];
    const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(holder, 'exit');
    try {
      await once(holder.stdout, 'data');
      assert.throws(() => takeDataLock(directory.path), isInUse);
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    takeDataLock(directory.path).release();
  });

  it('says so when the directory is not there', () => {
    assert.throws(
      () => takeDataLock('/nowhere/at/all'),
      (error) =>
        error instanceof Fault && !error.temporary && /cannot be locked/.test(error.message),
    );
  });
});
