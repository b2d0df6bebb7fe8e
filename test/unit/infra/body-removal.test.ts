/**
 * Bodies leave the disk, but none that somebody is about to refer to.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { BodyHash } from '#domain/values/ids';
import { openBodies, SMALL_BODY_BYTES, type BodyStore } from '#infra/bodies';
import { lookAtShelf, storedAt } from '#infra/body-removal';
import { readFacts } from '#protocols/message/facts';
import { mail } from '../../support/mail.ts';
import { nearFiler } from '../../support/near-filer.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const LIMIT = 10 * 1024 * 1024;
const SMALL = mail('Subject: small', '', 'text');
const LARGE = mail('Subject: large', '', 'x'.repeat(SMALL_BODY_BYTES), 'end');
const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const LATER = LONG_AGO.getTime() + 60_000;

async function* once(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}

interface Fixture extends AsyncDisposable {
  readonly dir: string;
  readonly bodies: BodyStore;
  store(octets: Buffer, ...accounts: number[]): Promise<BodyHash>;
  fileOf(accountId: number, hash: BodyHash): string;
  /** As if it had been stored long ago. */
  age(accountId: number, hash: BodyHash): Promise<void>;
}

async function fixture(): Promise<Fixture> {
  const directory = await temporaryDirectory();
  const dir = directory.path;
  const bodies = openBodies({
    dir,
    readFacts,
    startFiler: nearFiler,
    fatal(error) {
      throw error;
    },
  });
  const fileOf = (accountId: number, hash: BodyHash): string =>
    path.join(dir, 'accounts', `${accountId}`, 'bodies', hash.slice(0, 2), hash);
  return {
    dir,
    bodies,
    fileOf,
    async store(octets, ...accounts) {
      const staged = await bodies.stage(once(octets), LIMIT);
      for (const accountId of accounts) await bodies.link(staged, accountId);
      await staged.discard();
      return staged.hash;
    },
    age: (accountId, hash) => utimes(fileOf(accountId, hash), LONG_AGO, LONG_AGO),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

for (const [name, octets] of [
  ['a small body', SMALL],
  ['a large body', LARGE],
] as const) {
  describe(name, () => {
    it('is removed with its facts, and nothing of it is remembered', async () => {
      await using made = await fixture();
      const hash = await made.store(octets, 1);
      assert.ok(made.bodies.read(1, hash));
      await made.age(1, hash);
      assert.equal(await made.bodies.remove(1, hash, LATER), 'removed');
      assert.deepEqual(await lookAtShelf(made.dir, 1, parseInt(hash.slice(0, 2), 16)), {
        bodies: [],
        leftovers: [],
      });
      assert.equal(made.bodies.read(1, hash), undefined);
      assert.equal(made.bodies.facts(1, hash), undefined);
      assert.equal(await made.bodies.remove(1, hash, LATER), 'missing');
    });

    it('stays when it was stored lately, or came again', async () => {
      await using made = await fixture();
      const hash = await made.store(octets, 1);
      assert.equal(await made.bodies.remove(1, hash, LATER), 'young');
      await made.age(1, hash);
      await made.store(octets, 1);
      assert.equal(await made.bodies.remove(1, hash, LATER), 'young');
      assert.deepEqual(made.bodies.read(1, hash), octets);
    });

    it('stays while it is staged, whatever the clock says', async () => {
      await using made = await fixture();
      const staged = await made.bodies.stage(once(octets), LIMIT);
      for (const accountId of [1, 2]) await made.bodies.link(staged, accountId);
      const again = await made.bodies.stage(once(octets), LIMIT);
      await made.bodies.link(again, 1);
      for (const accountId of [1, 2]) await made.age(accountId, staged.hash);
      await staged.discard();
      await staged.discard();
      assert.equal(await made.bodies.remove(1, staged.hash, LATER), 'young');
      assert.equal(await made.bodies.remove(2, staged.hash, LATER), 'removed');
      await again.discard();
      assert.equal(await made.bodies.remove(1, staged.hash, LATER), 'removed');
    });

    it('is there for whoever stores it while it is removed, whoever is first', async () => {
      await using made = await fixture();
      for (let round = 0; round < 20; round++) {
        const hash = await made.store(octets, 1);
        await made.age(1, hash);
        const both = [made.store(octets, 1), made.bodies.remove(1, hash, LATER)];
        await Promise.all(round % 2 === 0 ? both : both.reverse());
        assert.equal(await made.bodies.verifyBody(1, hash), 'whole');
      }
    });

    it('stays with every other account that has it', async () => {
      await using made = await fixture();
      const hash = await made.store(octets, 1, 2);
      await made.age(1, hash);
      assert.equal(await made.bodies.remove(1, hash, LATER), 'removed');
      assert.equal(await made.bodies.verifyBody(2, hash), 'whole');
      assert.deepEqual(made.bodies.read(2, hash), octets);
      assert.equal(existsSync(made.fileOf(1, hash)), false);
    });

    it('is read to its end by whoever has begun', async () => {
      await using made = await fixture();
      const hash = await made.store(octets, 1);
      await made.age(1, hash);
      const reading = made.bodies.stream(1, hash);
      await new Promise((resolve) => reading.once('open', resolve));
      // Windows keeps an open file where it is: then it goes the next time.
      const removal = await made.bodies.remove(1, hash, LATER);
      assert.ok(removal === 'removed' || removal === 'busy');
      assert.deepEqual(await buffer(reading), octets);
    });
  });
}

describe('a folder of bodies', () => {
  it('tells bodies from what else lies there', async () => {
    await using made = await fixture();
    const hash = await made.store(LARGE, 1);
    const folder = path.dirname(made.fileOf(1, hash));
    const left = `${hash.slice(0, 2)}${'0'.repeat(62)}.facts`;
    await writeFile(path.join(folder, left), '{}');
    await writeFile(path.join(folder, 'README'), 'What is this?');
    const shelf = await lookAtShelf(made.dir, 1, parseInt(hash.slice(0, 2), 16));
    assert.deepEqual(shelf, { bodies: [hash], leftovers: [path.join(folder, left)] });
    await mkdir(path.join(made.dir, 'accounts', '9'), { recursive: true });
    assert.deepEqual(await lookAtShelf(made.dir, 9, 0), { bodies: [], leftovers: [] });
    assert.equal(await storedAt(path.join(folder, 'nothing')), undefined);
  });
});
