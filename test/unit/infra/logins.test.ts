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
import type { KeyHolder, ScramVerifier } from '#protocols/ports';
import { findMechanism } from '#protocols/sasl/catalog';
import { hmacMd5States } from '#protocols/sasl/md5';
import { prepareLogin, preparePassword } from '#protocols/sasl/prepare';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';

const PREPARE = { login: prepareLogin, password: preparePassword };
const PASSWORD = 'correct horse';

let root: string;
let secrets: Secrets;
/** Counts what is read from the store, which tells how often a password was really compared. */
let reads = 0;
let directory: Map<string, KnownLogin>;
const keys = new Map<string, KeyHolder>();
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
    list: async (prefix) => secrets.list(prefix),
  };
  const lookup = (login: string): KnownLogin | undefined => directory.get(login.toLowerCase());
  const random = fakeRandom(`logins ${reads}`);
  return openLogins({
    secrets: counted,
    clock,
    random,
    lookup,
    lookupKey: (fingerprint) => keys.get(fingerprint),
    cramMd5StatesOf: (password) => hmacMd5States(Buffer.from(password)),
    prepare: PREPARE,
  });
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
  it('29: lets in under the login as the account has it', async () => {
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
    assert.equal((await logins.storePassword('wörtlïch'.slice(1))).type, 'unfit', 'characters');
    assert.equal((await logins.storePassword('with\ta tab')).type, 'unfit');
    const latin1 = Buffer.from('sch\u00f6nes Wetter', 'latin1').toString();
    assert.equal((await logins.storePassword(latin1)).type, 'unfit', 'not UTF-8');
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

  for (const hash of ['sha1', 'sha256'] as const) {
    it(`shows an unknown login a salt that stays, also after a restart: ${hash}`, async () => {
      const verifier = async (login: string, by = logins): Promise<ScramVerifier> => {
        const found = await by.scramVerifier(login, hash);
        assert.ok(found !== undefined);
        return found;
      };
      const first = await verifier('nobody@example.org');
      const second = await verifier('nobody@example.org', await open());
      const other = await verifier('other@example.org');
      const real = await verifier('alice@example.org');
      assert.deepEqual(first, second);
      assert.notDeepEqual(first.salt, other.salt);
      assert.deepEqual([first.known, real.known], [false, true]);
      for (const part of ['salt', 'storedKey', 'serverKey'] as const) {
        assert.equal(first[part].length, real[part].length);
      }
      assert.equal(first.iterations, real.iterations);
      assert.equal((await verifier('new@example.org')).known, false);
    });
  }

  it('shows another salt with each hash', async () => {
    const sha1 = await logins.scramVerifier('nobody@example.org', 'sha1');
    const sha256 = await logins.scramVerifier('nobody@example.org', 'sha256');
    assert.notDeepEqual(sha1?.salt, sha256?.salt);
  });
});

describe('every mechanism', () => {
  for (const name of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5']) {
    it(`${name} lets in by what is stored, and costs the same for whom it does not`, async () => {
      const costs = new Set<number>();
      for (const [login, password, end] of [
        ['alice@example.org', PASSWORD, 'done'],
        ['alice@example.org', 'another', 'wrong-credentials'],
        ['nobody@example.org', PASSWORD, 'wrong-credentials'],
        ['new@example.org', PASSWORD, 'wrong-credentials'],
        ['closed@example.org', 'pass w\u00f6rd', 'forbidden'],
      ] as const) {
        // Nothing is remembered.
        logins = await open();
        const before = reads;
        assert.equal(await endOf(name, login, password), end, login);
        costs.add(reads - before);
      }
      assert.deepEqual(costs, new Set([1]));
    });
  }

  it('but one that a password was not kept for fails plainly', async () => {
    const known = directory.get('alice@example.org');
    const stored = await secrets.get(known?.passwordSecret ?? '');
    assert.ok(known !== undefined && stored !== undefined);
    const {
      scramSha1: _1,
      cramMd5: _2,
      ...kept
    } = JSON.parse(stored.toString()) as object & Record<'scramSha1' | 'cramMd5', unknown>;
    const old = Buffer.from(JSON.stringify({ ...kept, version: 1 }));
    const passwordSecret = await secrets.put(old);
    directory.set('old@example.org', { ...known, login: 'old@example.org', passwordSecret });
    for (const [name, end] of [
      ['PLAIN', 'done'],
      ['SCRAM-SHA-256', 'done'],
      ['SCRAM-SHA-1', 'no-secret'],
      ['CRAM-MD5', 'no-secret'],
    ] as const) {
      assert.equal(await endOf(name, 'old@example.org', PASSWORD), end, name);
    }
  });
});

/** How our own client fares with these credentials. */
async function endOf(name: string, login: string, password: string): Promise<string> {
  const mechanism = findMechanism(name);
  assert.ok(mechanism !== undefined);
  const random = fakeRandom(name);
  const facts = { random, tls: undefined, passwordsInClear: true };
  const server = mechanism.startServer({ logins, hostName: 'mail.example.org', ...facts });
  const client = mechanism.startClient({ login, password, offered: [name], ...facts });
  let step = await server.next(client.initial);
  while (step.type === 'challenge') {
    const answer = await client.next(step.data);
    step = await server.next(answer.type === 'response' ? answer.data : undefined);
  }
  return step.type === 'failed' ? step.failure.type : step.type;
}

describe('a TLS key', () => {
  it('lets in as the address that stands with it, or as another of the account', () => {
    keys.set('f1', { accountId: 1, login: 'alice@example.org', imapPreauth: true });
    directory.set('a2@example.org', { accountId: 1, login: 'a2@example.org' });
    assert.equal(logins.keyHolder('f1')?.accountId, 1);
    assert.deepEqual(logins.admitKey('f1', ''), OK);
    const second = { type: 'ok', accountId: 1, login: 'a2@example.org' };
    assert.deepEqual(logins.admitKey('f1', 'A2@example.org'), second);
  });

  it('does not let in as somebody else, as nobody, or when it is not there', () => {
    assert.deepEqual(logins.admitKey('f1', 'new@example.org'), WRONG);
    assert.deepEqual(logins.admitKey('f1', 'nobody@example.org'), WRONG);
    assert.deepEqual(logins.admitKey('f1', 'bad\0login'), WRONG);
    assert.deepEqual(logins.admitKey('f2', ''), WRONG);
    assert.equal(logins.keyHolder('f2'), undefined);
  });

  it('of a closed account learns why', () => {
    const login = 'closed@example.org';
    keys.set('f3', { accountId: 2, login, imapPreauth: true, forbidden: 'Suspended, call us.' });
    const forbidden = { type: 'forbidden', reason: 'Suspended, call us.' };
    assert.deepEqual(logins.admitKey('f3', ''), forbidden);
    assert.deepEqual(logins.admitKey('f3', login), forbidden);
  });
});
