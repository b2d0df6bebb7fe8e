/**
 * Many who wait for the same directory wait for the same sync.
 */

import assert from 'node:assert/strict';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DirectorySyncs } from '#infra/directory-syncs';
import { temporaryDirectory } from '../../support/temporary.ts';

describe('syncing directories', () => {
  it('starts one sync for the first and one for all who come while it runs', async () => {
    await using directory = await temporaryDirectory();
    const syncs = new DirectorySyncs();
    const first = syncs.sync(directory.path);
    const others = [1, 2, 3].map(() => syncs.sync(directory.path));
    assert.notEqual(others[0], first);
    assert.equal(new Set(others).size, 1);
    await Promise.all([first, ...others]);
    await syncs.sync(directory.path);
  });

  it('tells a failure to those who waited for it, and tries again for others', async () => {
    await using directory = await temporaryDirectory();
    const missing = directory.file('missing');
    const syncs = new DirectorySyncs();
    const asked = [1, 2, 3].map(() => syncs.sync(missing));
    const outcomes = await Promise.allSettled(asked);
    const expected = process.platform === 'win32' ? 'fulfilled' : 'rejected';
    assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set([expected]));
    await syncs.make(missing);
    await syncs.sync(missing);
  });
});

describe('making directories', () => {
  it('happens once for all who ask at the same time', async () => {
    await using directory = await temporaryDirectory();
    const child = directory.file('child');
    const syncs = new DirectorySyncs();
    const making = syncs.make(child);
    assert.equal(syncs.make(child), making);
    assert.ok(statSync(child).isDirectory());
    await making;
    await syncs.make(child);
  });

  it('is tried again after it failed', async () => {
    await using directory = await temporaryDirectory();
    const inTheWay = directory.file('parent');
    writeFileSync(inTheWay, '');
    const syncs = new DirectorySyncs();
    const child = directory.file('parent/child');
    for (let time = 0; time < 2; time++)
      await assert.rejects(syncs.make(child), { code: 'ENOTDIR' });
    rmSync(inTheWay);
    await syncs.make(child);
    assert.ok(statSync(child).isDirectory());
  });
});
