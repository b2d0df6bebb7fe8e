/**
 * The folder of messages that nobody took.
 */

import assert from 'node:assert/strict';
import { readdir, rm, stat } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fakeClock, fakeRandom } from '../../support/clock.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { keptMailIn, type KeptMailFolder } from '#infra/kept-mail';

async function allOf(folder: KeptMailFolder): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of folder.kept()) all.push(one);
  return all;
}

describe('kept mail', () => {
  it('ops 76: is there again, the oldest first, for its owner only', async () => {
    await using directory = await temporaryDirectory();
    const clock = fakeClock();
    const path = directory.file('failures');
    const folder = keptMailIn(path, { clock, random: fakeRandom() });
    const all = (): Promise<unknown[]> => allOf(folder);
    assert.deepEqual(await all(), []);
    const first = { octets: Buffer.from([1, 0, 255]), recipients: ['a@x', 'b@x'] };
    const second = { octets: Buffer.from('x\n'), fromName: 'Me', recipients: [] };
    const one = await folder.keep(first);
    clock.advance(1);
    const two = await folder.keep(second);
    assert.deepEqual(await all(), [
      { file: one, message: first },
      { file: two, message: second },
    ]);
    if (process.platform !== 'win32') {
      assert.equal((await stat(path)).mode & 0o777, 0o700);
      assert.equal((await stat(one)).mode & 0o777, 0o600);
    }
    await folder.forget(one);
    assert.deepEqual(await all(), [{ file: two, message: second }]);
    assert.equal((await readdir(path)).length, 2);
  });

  it('is not there without its envelope', async () => {
    await using directory = await temporaryDirectory();
    const folder = keptMailIn(directory.path, { clock: fakeClock(), random: fakeRandom() });
    const file = await folder.keep({ octets: Buffer.from('x'), recipients: ['a@x'] });
    await rm(`${file}.envelope`);
    assert.deepEqual(await allOf(folder), []);
  });
});
