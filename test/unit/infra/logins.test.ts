/**
 * Who may log in, and as whom.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openLogins, type KnownLogin, type OpenLogins } from '#infra/logins';
import { openSecrets, type Secrets } from '#infra/secrets';
import { findMechanism } from '#protocols/sasl/catalog';
import { prepareLogin, preparePassword } from '#protocols/sasl/prepare';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';

const PREPARE = { login: prepareLogin, password: preparePassword };
const PASSWORD = 'correct horse';

let root: string;
let secrets: Secrets;
/** Counts what is read from the store, which tells how often a password was really compared. */
let reads = 0;
let directory: Map<string, KnownLogin>;
let clock: FakeClock;
let logins: OpenLogins;

async function open(): Promise<OpenLogins> {
  const counted: Secrets = {
    put: async (secret, ref) => secrets.put(secret, ref),
    get: async (ref) => {
      reads++;
      return secrets.get(ref);
    },
    remove: async (ref) => secrets.remove(ref),
  };
  const lookup = (login: string): KnownLogin | undefined => directory.get(login.toLowerCase());
  const random = fakeRandom(`logins ${reads}`);
  return openLogins({ secrets: counted, clock, random, lookup, prepare: PREPARE });
}

async function secretFor(password: string): Promise<string> {
  const stored = await logins.storePassword(password);
  assert.equal(stored.type, 'stored');
  return stored.type === 'stored' ? stored.secret : '';
}

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'daybook-logins-'));
  const keyFile = path.join(root, 'key');
  secrets = await openSecrets({
    directory: path.join(root, 'secrets'),
    keyFile,
    random: fakeRandom('store'),
  });
  clock = fakeClock();
  directory = new Map();
  logins = await open();
  const passwordSecret = await secretFor(PASSWORD);
  const alice = { accountId: 1, login: 'alice@example.org', passwordSecret };
  directory.set('alice@example.org', alice);
  const forbidden = 'Suspended, call us.';
  directory.set('closed@example.org', {
    accountId: 2,
    login: 'closed@example.org',
    passwordSecret: await secretFor('pass w\u00f6rd'),
    forbidden,
  });
  directory.set('new@example.org', { accountId: 3, login: 'new@example.org' });
});

after(async () => rm(root, { recursive: true }));

const OK = { type: 'ok', accountId: 1, login: 'alice@example.org' };
const WRONG = { type: 'wrong' };

describe('a password', () => {
  it('lets in under the login as the account has it', async () => {
    assert.deepEqual(await logins.verifyPassword('alice@example.org', PASSWORD), OK);
    assert.deepEqual(await logins.verifyPassword('ALICE@Example.org', PASSWORD), OK);
  });

  it('is wrong when it is another one, for nobody, or for an account without one', async () => {
    assert.deepEqual(await logins.verifyPassword('alice@example.org', 'correct hors'), WRONG);
    assert.deepEqual(await logins.verifyPassword('alice@example.org', ''), WRONG);
    assert.deepEqual(await logins.verifyPassword('nobody@example.org', PASSWORD), WRONG);
    assert.deepEqual(await logins.verifyPassword('new@example.org', PASSWORD), WRONG);
    assert.deepEqual(await logins.verifyPassword('bad\0login', PASSWORD), WRONG);
    assert.deepEqual(await logins.verifyPassword('alice@example.org', 'bad\0password'), WRONG);
  });

  it('is in one form, however it was typed', async () => {
    const forbidden = { type: 'forbidden', reason: 'Suspended, call us.' };
    const login = 'closed@example.org';
    assert.deepEqual(await logins.verifyPassword(login, 'pass wo\u0308rd'), forbidden);
    assert.deepEqual(await logins.verifyPassword(login, 'pass\u00a0w\u00f6rd'), forbidden);
    assert.deepEqual(await logins.verifyPassword(login, 'pass word'), WRONG);
  });

  it('costs as much for an unknown login as for a wrong one', async () => {
    const costOf = async (login: string): Promise<number> => {
      const before = reads;
      await logins.verifyPassword(login, `wrong ${login}`);
      return reads - before;
    };
    assert.equal(await costOf('alice@example.org'), 1);
    assert.equal(await costOf('nobody@example.org'), 1);
    assert.equal(await costOf('new@example.org'), 1);
  });

  it('is remembered for five minutes when it was right', async () => {
    logins = await open();
    const compared = async (password: string): Promise<boolean> => {
      const before = reads;
      await logins.verifyPassword('alice@example.org', password);
      return reads > before;
    };
    assert.equal(await compared(PASSWORD), true);
    clock.advance(5 * 60_000 - 1);
    assert.equal(await compared(PASSWORD), false);
    assert.equal(await compared('wrong'), true);
    assert.equal(await compared('wrong'), true);
    clock.advance(1);
    assert.equal(await compared(PASSWORD), true);
  });

  it('is compared once for many who ask at the same time', async () => {
    logins = await open();
    const before = reads;
    const asked = Array.from({ length: 20 }, async () =>
      logins.verifyPassword('alice@example.org', PASSWORD),
    );
    assert.deepEqual(new Set((await Promise.all(asked)).map((one) => one.type)), new Set(['ok']));
    assert.equal(reads - before, 1);
  });

  it('that is old lets nobody in, remembered or not', async () => {
    const known = directory.get('alice@example.org');
    assert.ok(known !== undefined);
    assert.deepEqual(await logins.verifyPassword('alice@example.org', PASSWORD), OK);
    const passwordSecret = await secretFor('another password');
    directory.set('alice@example.org', { ...known, passwordSecret });
    assert.deepEqual(await logins.verifyPassword('alice@example.org', PASSWORD), WRONG);
    assert.deepEqual(await logins.verifyPassword('alice@example.org', 'another password'), OK);
    directory.set('alice@example.org', known);
  });

  it('is not taken when it is short or cannot be typed', async () => {
    assert.equal((await logins.storePassword('seven c')).type, 'unfit');
    assert.equal((await logins.storePassword('with\ta tab')).type, 'unfit');
    assert.equal((await logins.storePassword('x'.repeat(5000))).type, 'unfit');
  });
});

describe('SCRAM', () => {
  it('admits whom it has proven', () => {
    assert.deepEqual(logins.admit('ALICE@example.org'), OK);
    const forbidden = { type: 'forbidden', reason: 'Suspended, call us.' };
    assert.deepEqual(logins.admit('closed@example.org'), forbidden);
    assert.deepEqual(logins.admit('nobody@example.org'), WRONG);
    assert.deepEqual(logins.admit('new@example.org'), WRONG);
  });

  it('shows an unknown login a salt that stays, also after a restart', async () => {
    const first = await logins.scramVerifier('nobody@example.org');
    const second = await (await open()).scramVerifier('nobody@example.org');
    const other = await logins.scramVerifier('other@example.org');
    const real = await logins.scramVerifier('alice@example.org');
    assert.deepEqual(first, second);
    assert.notDeepEqual(first.salt, other.salt);
    assert.deepEqual([first.known, real.known], [false, true]);
    assert.equal(first.salt.length, real.salt.length);
    assert.equal(first.iterations, real.iterations);
    assert.equal((await logins.scramVerifier('new@example.org')).known, false);
  });

  it('lets in by the stored verifier', async () => {
    const scram = findMechanism('SCRAM-SHA-256');
    assert.ok(scram !== undefined);
    const random = fakeRandom('scram');
    for (const [login, end] of [
      ['alice@example.org', 'done'],
      ['nobody@example.org', 'failed'],
    ] as const) {
      const server = scram.startServer({ logins, random, tls: undefined, passwordsInClear: false });
      const offered = ['SCRAM-SHA-256'];
      const client = scram.startClient({
        login,
        password: PASSWORD,
        random,
        tls: undefined,
        offered,
      });
      let step = await server.next(client.initial);
      while (step.type === 'challenge') {
        const answer = await client.next(step.data);
        step = await server.next(answer.type === 'response' ? answer.data : undefined);
      }
      assert.equal(step.type, end);
    }
  });
});
