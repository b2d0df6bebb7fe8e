/**
 * Password secrets: what is kept, and how many are made at once.
 */

import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, it } from 'node:test';
import { Passwords, scramVerifierIn } from '#infra/passwords';
import { fakeRandom } from '../../support/clock.ts';

describe('a password secret', () => {
  it('matches its password and no other', async () => {
    const passwords = new Passwords(fakeRandom());
    const secret = await passwords.secretOf('correct horse');
    assert.equal(await passwords.matches(secret, 'correct horse'), true);
    assert.equal(await passwords.matches(secret, 'Correct horse'), false);
    assert.equal(await passwords.matches(secret, ''), false);
  });

  it('is another one each time', async () => {
    const passwords = new Passwords(fakeRandom());
    const [one, two] = [await passwords.secretOf('same'), await passwords.secretOf('same')];
    assert.notDeepEqual(one, two);
    assert.notDeepEqual(scramVerifierIn(one).salt, scramVerifierIn(two).salt);
  });

  it('holds the verifier of RFC 7677', async () => {
    const secret = await new Passwords(fakeRandom()).secretOf('pencil');
    const verifier = scramVerifierIn(secret);
    assert.equal(verifier.iterations, 4096);
    const salted = pbkdf2Sync('pencil', verifier.salt, 4096, 32, 'sha256');
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    assert.deepEqual(verifier.storedKey, createHash('sha256').update(clientKey).digest());
    const serverKey = createHmac('sha256', salted).update('Server Key').digest();
    assert.deepEqual(verifier.serverKey, serverKey);
  });

  it('is not just any text', () => {
    const damaged = { name: 'Fault', code: 'SecretUnreadable', temporary: false };
    assert.throws(() => scramVerifierIn(Buffer.from('{"version":2}')), damaged);
    assert.throws(() => scramVerifierIn(Buffer.from('null')), damaged);
  });
});

describe('comparing many at once', () => {
  it('answers as many as may wait, in the end all of them', async () => {
    const passwords = new Passwords(fakeRandom());
    const secret = await passwords.secretOf('right');
    const tries = ['right', 'wrong', 'right', 'right', 'wrong'];
    const answers = await Promise.all(tries.map((one) => passwords.matches(secret, one)));
    assert.deepEqual(answers, [true, false, true, true, false]);
  });

  it('refuses more than that', async () => {
    const passwords = new Passwords(fakeRandom(), 3);
    const asked = Array.from({ length: 6 }, async () => passwords.secretOf('x'));
    await assert.rejects(asked[5] ?? Promise.resolve(), { code: 'LoginsBusy', temporary: true });
    await Promise.all(asked.slice(0, 5));
  });
});
