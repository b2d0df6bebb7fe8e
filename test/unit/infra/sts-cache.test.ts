/**
 * Policies of other domains outlive the process.
 */

import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../../support/temporary.ts';
import { openStsCache } from '#infra/sts-cache';
import type { KeptSts } from '#protocols/ports-remote';

const KEPT: KeptSts = {
  policy: { recordId: '1', text: 'version: STSv1\n', updatedAt: 1, validUntil: 2, usedAt: 1 },
  retryAt: 5,
};

describe('sts cache', () => {
  it('gives back what was put, also later', async () => {
    await using dir = await temporaryDirectory();
    const first = await openStsCache(dir.file('mta-sts'));
    assert.equal(await first.get('a.example'), undefined);
    await first.put('b.example', KEPT);
    await first.put('a.example', { retryAt: 7 });
    const second = await openStsCache(dir.file('mta-sts'));
    assert.deepEqual(await second.get('b.example'), KEPT);
    assert.deepEqual(await second.get('a.example'), { retryAt: 7 });
    assert.deepEqual(await second.domains(), ['a.example', 'b.example']);
  });

  it('forgets', async () => {
    await using dir = await temporaryDirectory();
    const cache = await openStsCache(dir.path);
    await cache.put('a.example', KEPT);
    await cache.delete('a.example');
    await cache.delete('a.example');
    assert.equal(await cache.get('a.example'), undefined);
    assert.deepEqual(await cache.domains(), []);
  });

  it('takes damage for nothing', async () => {
    await using dir = await temporaryDirectory();
    const cache = await openStsCache(dir.path);
    await cache.put('a.example', KEPT);
    const [name = ''] = await readdir(dir.path);
    for (const text of ['', '{', '7', 'null', '{}', '{"domain":"b.example"}']) {
      await writeFile(dir.file(name), text);
      assert.equal(await cache.get('a.example'), undefined, text);
    }
    const damaged = { domain: 'a.example', policy: { text: 7 }, retryAt: 'x' };
    await writeFile(dir.file(name), JSON.stringify(damaged));
    assert.deepEqual(await cache.get('a.example'), {});
    await writeFile(dir.file('notes.txt'), '');
    await writeFile(dir.file('half.json.part'), '{');
    const again = await openStsCache(dir.path);
    assert.deepEqual(await again.domains(), ['a.example']);
    assert.deepEqual((await readdir(dir.path)).toSorted(), [name, 'notes.txt'].toSorted());
  });

  it('keeps domains with the longest names', async () => {
    await using dir = await temporaryDirectory();
    const cache = await openStsCache(dir.path);
    const domain = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(50)}`;
    await cache.put(domain, KEPT);
    assert.deepEqual(await cache.domains(), [domain]);
  });
});
