/**
 * The secret store: sealed, whole, and of no use without its key.
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { openSecrets, type Secrets } from '#infra/secrets';
import { fakeRandom } from '../../support/clock.ts';

interface Place {
  readonly data: string;
  readonly directory: string;
  readonly keyFile: string;
  readonly open: () => Promise<Secrets>;
}

/** Runs a test in a place of its own, gone afterwards. */
async function inPlace(test: (place: Place) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), 'daybook-secrets-'));
  const data = path.join(root, 'data');
  const directory = path.join(data, 'secrets');
  const keyFile = path.join(root, 'config', 'secrets.key');
  const random = fakeRandom('secrets');
  const open = async (): Promise<Secrets> => openSecrets({ directory, keyFile, random });
  try {
    await test({ data, directory, keyFile, open });
  } finally {
    await rm(root, { recursive: true });
  }
}

const UNREADABLE = { name: 'Fault', code: 'SecretUnreadable', temporary: false };

describe('a secret', () => {
  it('comes back, also after the store was opened again', async () => {
    await inPlace(async ({ open }) => {
      const secrets = await open();
      const ref = await secrets.put(Buffer.from('hunter2'));
      assert.equal((await secrets.get(ref))?.toString(), 'hunter2');
      assert.equal((await (await open()).get(ref))?.toString(), 'hunter2');
    });
  });

  it('is found by how its reference begins', async () => {
    await inPlace(async ({ open }) => {
      const secrets = await open();
      await secrets.put(Buffer.from('one'), 'kind-b');
      await secrets.put(Buffer.from('two'), 'kind-a');
      await secrets.put(Buffer.from('other'));
      assert.deepEqual(await secrets.list('kind-'), ['kind-a', 'kind-b']);
    });
  });

  it('may be replaced and removed', async () => {
    await inPlace(async ({ open }) => {
      const secrets = await open();
      assert.equal(await secrets.put(Buffer.from('one'), 'fixed'), 'fixed');
      await secrets.put(Buffer.from('two'), 'fixed');
      assert.equal((await secrets.get('fixed'))?.toString(), 'two');
      await secrets.remove('fixed');
      await secrets.remove('fixed');
      assert.equal(await secrets.get('fixed'), undefined);
    });
  });

  it('stands nowhere in the data, in no form', async () => {
    await inPlace(async ({ data, open }) => {
      const secret = Buffer.from('correct horse battery staple');
      const secrets = await open();
      await secrets.put(secret);
      await secrets.put(secret, 'fixed');
      const forms = [secret.toString(), secret.toString('base64'), secret.toString('hex')];
      let seen = 0;
      for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        seen++;
        const content = await readFile(path.join(entry.parentPath, entry.name), 'latin1');
        for (const form of forms) assert.equal(content.includes(form), false, entry.name);
      }
      assert.equal(seen, 3);
    });
  });

  it('is for its owner only', { skip: process.platform === 'win32' }, async () => {
    await inPlace(async ({ directory, keyFile, open }) => {
      const ref = await (await open()).put(Buffer.from('hunter2'));
      assert.equal((await stat(path.join(directory, ref))).mode & 0o777, 0o600);
      assert.equal((await stat(directory)).mode & 0o777, 0o700);
      assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
    });
  });

  it('does not open when any octet was changed', async () => {
    await inPlace(async ({ directory, open }) => {
      const secrets = await open();
      const file = path.join(directory, await secrets.put(Buffer.from('hunter2')));
      const sealed = await readFile(file);
      for (let i = 0; i < sealed.length; i++) {
        const changed = Buffer.from(sealed);
        changed[i] = (changed[i] ?? 0) ^ 1;
        await writeFile(file, changed);
        await assert.rejects(secrets.get(path.basename(file)), UNREADABLE, `octet ${i}`);
      }
      await writeFile(file, sealed.subarray(0, 20));
      await assert.rejects(secrets.get(path.basename(file)), UNREADABLE);
    });
  });

  it('does not open under another name', async () => {
    await inPlace(async ({ directory, open }) => {
      const secrets = await open();
      await secrets.put(Buffer.from('of mallory'), 'mallory');
      await rename(path.join(directory, 'mallory'), path.join(directory, 'alice'));
      await assert.rejects(secrets.get('alice'), UNREADABLE);
    });
  });

  it('has a name that stays in its directory', async () => {
    await inPlace(async ({ open }) => {
      const secrets = await open();
      for (const ref of ['../secrets.key', '', 'a/b', '.', 'A']) {
        await assert.rejects(secrets.get(ref), RangeError, ref);
      }
    });
  });
});

describe('the key', () => {
  it('must be the one the secrets were sealed under', async () => {
    await inPlace(async ({ keyFile, open }) => {
      await open();
      await writeFile(keyFile, Buffer.alloc(32, 1));
      await assert.rejects(open(), UNREADABLE);
    });
  });

  it('is not made again where there are secrets', async () => {
    await inPlace(async ({ keyFile, open }) => {
      await open();
      await rm(keyFile);
      await assert.rejects(open(), { ...UNREADABLE, message: /missing: .*secrets\.key/ });
    });
  });

  it('has 32 octets', async () => {
    await inPlace(async ({ keyFile, open }) => {
      await mkdir(path.dirname(keyFile), { recursive: true });
      await writeFile(keyFile, 'short');
      await assert.rejects(open(), { ...UNREADABLE, message: /32 octets/ });
    });
  });
});
