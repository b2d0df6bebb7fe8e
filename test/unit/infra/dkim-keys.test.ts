/** Signing keys: made, found again after a restart, thrown away. */

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fakeClock, fakeRandom } from '../../support/clock.ts';
import { CAUSE, testLog } from '../../support/lane-ports.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { isRefusal, type Refusal } from '#domain/values/decision';
import { DirectoryLane } from '#infra/directory-lane';
import { DkimKeyring } from '#infra/dkim-keys';
import { openSecrets } from '#infra/secrets';
import type { PublishedKey } from '#protocols/ports-dkim';

interface Given extends AsyncDisposable {
  readonly keyring: DkimKeyring;
  readonly directory: DirectoryLane;
  /** The same after a restart. */
  restarted(): Promise<DkimKeyring>;
  /** What the secret store holds, and the log. */
  secrets(): Promise<readonly string[]>;
  logged(): Promise<string>;
}

async function given(): Promise<Given> {
  const place = await temporaryDirectory();
  const log = testLog();
  const fatal = (error: unknown): never => assert.fail(String(error));
  const ports = { log, clock: fakeClock(), random: fakeRandom(), fatal };
  const directory = await DirectoryLane.open(ports);
  await directory.execute(
    { type: 'AddDomain', domain: 'example.org', catchallSeparator: '+', caseSensitive: false },
    CAUSE,
  );
  const store = { directory: place.file('secrets'), keyFile: place.file('key') };
  const secrets = await openSecrets({ ...store, random: ports.random });
  return {
    keyring: new DkimKeyring(directory, secrets),
    directory,
    restarted: async () =>
      new DkimKeyring(
        await DirectoryLane.open(ports),
        await openSecrets({ ...store, random: ports.random }),
      ),
    secrets: async () => (await readdir(store.directory)).filter((name) => name !== 'key-check'),
    logged: async () => JSON.stringify(await log.read('directory', 0, 100)),
    async [Symbol.asyncDispose]() {
      await directory.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

function made(outcome: PublishedKey | Refusal): PublishedKey {
  assert.ok(!isRefusal(outcome), JSON.stringify(outcome));
  return outcome;
}

describe('a signing key', () => {
  it('is made for a selector, and its public half is that of what signs', async () => {
    await using world = await given();
    const { keyring } = world;
    const wanted = { name: 'e1', algorithm: 'ed25519' } as const;
    const { publicKey } = made(await keyring.add('example.org', wanted, CAUSE));
    const [key, ...more] = await keyring.signingKeys('example.org');
    assert.deepEqual(more, []);
    assert.equal(key?.name, 'e1');
    const x = createPublicKey(key?.key ?? '').export({ format: 'jwk' }).x ?? '';
    assert.deepEqual(Buffer.from(publicKey, 'base64'), Buffer.from(x, 'base64url'));
  });

  it('proves what it has signed, without the secret store', async () => {
    await using world = await given();
    const { keyring } = world;
    for (const algorithm of ['ed25519', 'rsa'] as const) {
      made(await keyring.add('example.org', { name: algorithm, algorithm }, CAUSE));
    }
    const signing = await keyring.signingKeys('example.org');
    const proving = keyring.provingKeys('example.org');
    assert.deepEqual(
      proving.map(({ name }) => name),
      ['ed25519', 'rsa'],
    );
    for (const [i, { key }] of proving.entries()) {
      assert.ok(key.equals(createPublicKey(signing[i]?.key ?? '')));
    }
    assert.deepEqual(keyring.provingKeys('example.net'), []);
  });

  it('may be RSA of 2048 bits', async () => {
    await using world = await given();
    const wanted = { name: 'r1', algorithm: 'rsa' } as const;
    const { publicKey } = made(await world.keyring.add('example.org', wanted, CAUSE));
    const [key] = await world.keyring.signingKeys('example.org');
    const spki = createPublicKey(key?.key ?? '').export({ format: 'der', type: 'spki' });
    assert.equal(publicKey, spki.toString('base64'));
    assert.equal(key?.key.asymmetricKeyDetails?.modulusLength, 2048);
  });

  it('is there after a restart, and stands in the secret store only', async () => {
    await using world = await given();
    const wanted = { name: 'e1', algorithm: 'ed25519' } as const;
    made(await world.keyring.add('example.org', wanted, CAUSE));
    const [before] = await world.keyring.signingKeys('example.org');
    const [after] = await (await world.restarted()).signingKeys('example.org');
    assert.ok(before && after?.key.equals(before.key));
    const secret = before.key.export({ format: 'jwk' }).d ?? '';
    const logged = await world.logged();
    for (const form of ['base64', 'base64url', 'hex'] as const) {
      assert.ok(!logged.includes(Buffer.from(secret, 'base64url').toString(form)));
    }
  });

  it('has a selector of its own, in a domain of ours', async () => {
    await using world = await given();
    const add = (domain: string, name: string): Promise<PublishedKey | Refusal> =>
      world.keyring.add(domain, { name, algorithm: 'ed25519' }, CAUSE);
    made(await add('example.org', 'e1'));
    assert.partialDeepStrictEqual(await add('example.org', 'e1'), { refused: 'DkimKeyExists' });
    assert.partialDeepStrictEqual(await add('example.org', 'e_1'), { refused: 'DkimKeyForbidden' });
    assert.partialDeepStrictEqual(await add('example.net', 'e1'), { refused: 'NoSuchDomain' });
    assert.equal((await world.secrets()).length, 1, 'nothing is left of what was refused');
    assert.deepEqual(await world.keyring.signingKeys('example.net'), []);
    assert.partialDeepStrictEqual(world.keyring.list('example.net'), { refused: 'NoSuchDomain' });
  });

  it('that is removed signs no more, and is gone', async () => {
    await using world = await given();
    const { keyring } = world;
    const wanted = { name: 'e1', algorithm: 'ed25519' } as const;
    made(await keyring.add('example.org', wanted, CAUSE));
    assert.equal(made(await keyring.remove('example.org', 'e1', CAUSE)).name, 'e1');
    assert.deepEqual(await keyring.signingKeys('example.org'), []);
    assert.deepEqual(keyring.list('example.org'), []);
    assert.deepEqual(await world.secrets(), []);
    assert.partialDeepStrictEqual(await keyring.remove('example.org', 'e1', CAUSE), {
      refused: 'NoSuchDkimKey',
    });
  });

  it('that is lost is a fault', async () => {
    await using world = await given();
    const key = { name: 'e1', algorithm: 'ed25519', secret: 'lost', publicKey: '' } as const;
    await world.directory.execute({ type: 'AddDkimKey', domain: 'example.org', key }, CAUSE);
    await assert.rejects(world.keyring.signingKeys('example.org'), { code: 'SecretUnreadable' });
  });

  it('signs only when it is in use', async () => {
    await using here = await given();
    const { keyring } = here;
    for (const name of ['first', 'second']) {
      made(await keyring.add('example.org', { name, algorithm: 'ed25519' }, CAUSE));
    }
    const used = await keyring.use('example.org', ['second'], CAUSE);
    assert.ok(!isRefusal(used));
    assert.deepEqual(
      used.map(({ name, standby }) => [name, standby === true]),
      [
        ['first', true],
        ['second', false],
      ],
    );
    const signing = async (): Promise<readonly string[]> =>
      (await keyring.signingKeys('example.org')).map(({ name }) => name);
    assert.deepEqual(await signing(), ['second']);
    // Mail that the first has signed may still be on its way.
    assert.deepEqual(
      keyring.provingKeys('example.org').map(({ name, signs }) => [name, signs]),
      [
        ['first', false],
        ['second', true],
      ],
    );
    await keyring.use('example.org', ['first', 'second'], CAUSE);
    assert.deepEqual(await signing(), ['first', 'second']);
    assert.deepEqual(await keyring.use('example.org', ['third'], CAUSE), {
      refused: 'NoSuchDkimKey',
      detail: 'third',
    });
  });
});
