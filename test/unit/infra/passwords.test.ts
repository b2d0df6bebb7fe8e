/**
 * Password secrets: what is kept, and how many are made at once.
 */

import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, it } from 'node:test';
import { cramMd5StatesIn, Passwords, scramVerifierIn } from '#infra/passwords';
import { hmacMd5, hmacMd5States } from '#protocols/sasl/md5';
import type { ScramHash } from '#protocols/ports';
import { fakeRandom } from '../../support/clock.ts';

function open(waitingMax?: number): Passwords {
  return new Passwords({
    random: fakeRandom(),
    cramMd5StatesOf: (password) => hmacMd5States(Buffer.from(password)),
    ...(waitingMax === undefined ? {} : { waitingMax }),
  });
}

describe('a password secret', () => {
  it('matches its password and no other', async () => {
    const passwords = open();
    const secret = await passwords.secretOf('correct horse');
    assert.equal(await passwords.matches(secret, 'correct horse'), true);
    assert.equal(await passwords.matches(secret, 'Correct horse'), false);
    assert.equal(await passwords.matches(secret, ''), false);
  });

  it('is another one each time', async () => {
    const passwords = open();
    const [one, two] = [await passwords.secretOf('same'), await passwords.secretOf('same')];
    assert.notDeepEqual(one, two);
    assert.notDeepEqual(saltIn(one, 'sha256'), saltIn(two, 'sha256'));
    assert.notDeepEqual(saltIn(one, 'sha1'), saltIn(one, 'sha256'));
  });

  for (const [of, hash, keyBytes, iterations] of [
    ['RFC 5802', 'sha1', 20, 8192],
    ['RFC 7677', 'sha256', 32, 4096],
  ] as const) {
    it(`holds the verifier of ${of}`, async () => {
      const verifier = scramVerifierIn(await open().secretOf('pencil'), hash);
      assert.ok(verifier !== undefined);
      assert.equal(verifier.iterations, iterations);
      const salted = pbkdf2Sync('pencil', verifier.salt, iterations, keyBytes, hash);
      const clientKey = createHmac(hash, salted).update('Client Key').digest();
      assert.deepEqual(verifier.storedKey, createHash(hash).update(clientKey).digest());
      const serverKey = createHmac(hash, salted).update('Server Key').digest();
      assert.deepEqual(verifier.serverKey, serverKey);
    });
  }

  it('holds what CRAM-MD5 needs, which is not the password', async () => {
    const secret = await open().secretOf('tanstaaftanstaaf');
    const states = cramMd5StatesIn(secret);
    assert.ok(states !== undefined);
    const challenge = Buffer.from('<1@mail.example.org>');
    const digest = createHmac('md5', 'tanstaaftanstaaf').update(challenge).digest();
    assert.deepEqual(hmacMd5(states, challenge), digest);
    assert.ok(!secret.includes('tanstaaf'));
  });

  it('of version 1 is still read, and lacks what was not kept then', async () => {
    const {
      scramSha1: _1,
      cramMd5: _2,
      ...kept
    } = JSON.parse((await open().secretOf('correct horse')).toString()) as Record<string, unknown>;
    const secret = Buffer.from(JSON.stringify({ ...kept, version: 1 }));
    assert.equal(await open().matches(secret, 'correct horse'), true);
    assert.equal(scramVerifierIn(secret, 'sha256')?.iterations, 4096);
    assert.equal(scramVerifierIn(secret, 'sha1'), undefined);
    assert.equal(cramMd5StatesIn(secret), undefined);
  });

  it('is not just any text', () => {
    const damaged = { name: 'Fault', code: 'SecretUnreadable', temporary: false };
    assert.throws(() => scramVerifierIn(Buffer.from('{"version":3}'), 'sha256'), damaged);
    assert.throws(() => scramVerifierIn(Buffer.from('null'), 'sha256'), damaged);
  });
});

function saltIn(secret: Buffer, hash: ScramHash): Buffer | undefined {
  return scramVerifierIn(secret, hash)?.salt;
}

describe('comparing many at once', () => {
  it('answers as many as may wait, in the end all of them', async () => {
    const passwords = open();
    const secret = await passwords.secretOf('right');
    const tries = ['right', 'wrong', 'right', 'right', 'wrong'];
    const answers = await Promise.all(tries.map((one) => passwords.matches(secret, one)));
    assert.deepEqual(answers, [true, false, true, true, false]);
  });

  it('refuses more than that', async () => {
    const passwords = open(3);
    const asked = Array.from({ length: 6 }, async () => passwords.secretOf('x'));
    await assert.rejects(asked[5] ?? Promise.resolve(), { code: 'LoginsBusy', temporary: true });
    await Promise.all(asked.slice(0, 5));
  });
});
