/**
 * The register of TLS keys: one account for each, whatever happens between the two appends.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAUSE, testPorts, type TestPorts } from '../../support/lane-ports.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { KEY } from '../../support/tls-key.ts';
import type { DirectoryCommand } from '#domain/directory/decide';
import { accountStream, DIRECTORY_STREAM } from '#domain/log/streams';
import { isRefusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import { DirectoryLane } from '#infra/directory-lane';
import { Lanes } from '#infra/lanes';
import { ServerBooks } from '#infra/server-books';
import { TlsKeyRegister } from '#infra/tls-keys';
import type { RegisteredTlsKey } from '#protocols/ports';

const ALICE: AccountId = 1;
const BOB: AccountId = 2;

const BOBS = { ...KEY, login: 'bob@example.org' } as const;

const SETUP: readonly DirectoryCommand[] = [
  { type: 'AddDomain', domain: 'example.org', catchallSeparator: '+', caseSensitive: false },
  { type: 'AddAccount', name: 'alice' },
  { type: 'AddAccount', name: 'bob' },
  { type: 'AddAddress', localpart: 'alice', domain: 'example.org', accountId: ALICE },
  { type: 'AddAddress', localpart: 'alice2', domain: 'example.org', accountId: ALICE },
  { type: 'AddAddress', localpart: 'bob', domain: 'example.org', accountId: BOB },
];

interface Given extends AsyncDisposable {
  readonly ports: TestPorts;
  readonly directory: DirectoryLane;
  readonly lanes: Lanes;
  readonly keys: TlsKeyRegister;
  /** Facts of a stream behind those of the beginning. */
  typesIn(stream: string): Promise<readonly string[]>;
}

async function given(): Promise<Given> {
  const root = await temporaryDirectory();
  const ports = testPorts(root.path);
  const books = await ServerBooks.open(root.file('server.db'), ports);
  const lanes = new Lanes({
    ...ports,
    announce: (accountId, facts) => books.follow(accountId, facts),
  });
  const directory = await DirectoryLane.open(ports);
  for (const command of SETUP) assert.ok(!isRefusal(await directory.execute(command, CAUSE)));
  const keys = new TlsKeyRegister({ directory, commands: lanes, books });
  return {
    ports,
    directory,
    lanes,
    keys,
    async typesIn(stream) {
      const behind = stream === DIRECTORY_STREAM ? SETUP.length : 0;
      return (await ports.log.read(stream, behind, 100)).map(({ type }) => type);
    },
    async [Symbol.asyncDispose]() {
      await lanes.close();
      await directory.close();
      books.close();
      await root[Symbol.asyncDispose]();
      assert.deepEqual(ports.fatals, []);
    },
  };
}

function refusalOf(outcome: object): string {
  return isRefusal(outcome) ? outcome.refused : 'granted';
}

async function fingerprintsOf(g: Given, account?: string): Promise<readonly string[]> {
  const list = g.keys.list(account);
  assert.ok(!isRefusal(list));
  return list.map(({ fingerprint }) => fingerprint);
}

describe('a TLS key', () => {
  it('is registered for the account of its address, and lets in as it', async () => {
    await using g = await given();
    const added = await g.keys.add({ ...KEY, login: 'Alice@EXAMPLE.org' }, CAUSE);
    const registered: Partial<RegisteredTlsKey> = { ...KEY, accountId: ALICE, account: 'alice' };
    assert.partialDeepStrictEqual(added, registered);
    assert.deepEqual(g.keys.get('f1'), added);
    assert.deepEqual(g.keys.holder('f1'), {
      accountId: ALICE,
      login: 'alice@example.org',
      imapPreauth: true,
      forbidden: undefined,
    });
    assert.equal(g.keys.holder('f2'), undefined);
    assert.deepEqual(await g.typesIn(DIRECTORY_STREAM), ['TlsKeyClaimed']);
    assert.deepEqual(await g.typesIn(accountStream(ALICE)), ['TlsKeyAdded']);
  });

  it('needs an address of ours', async () => {
    await using g = await given();
    for (const login of ['nobody@example.org', 'alice@example.net', 'alice+x@example.org', 'x']) {
      assert.equal(refusalOf(await g.keys.add({ ...KEY, login }, CAUSE)), 'NoSuchAddress', login);
    }
    assert.deepEqual(await g.typesIn(DIRECTORY_STREAM), []);
  });

  it('53: is registered once on the whole server', async () => {
    await using g = await given();
    await g.keys.add(KEY, CAUSE);
    for (const key of [KEY, { ...KEY, login: 'alice2@example.org' }, BOBS]) {
      assert.equal(refusalOf(await g.keys.add(key, CAUSE)), 'TlsKeyTaken');
    }
    assert.equal(g.keys.holder('f1')?.login, 'alice@example.org');
    assert.deepEqual(await g.typesIn(accountStream(BOB)), []);
  });

  it('goes to one of those who ask for it at the same time', async () => {
    await using g = await given();
    const outcomes = await Promise.all([g.keys.add(KEY, CAUSE), g.keys.add(BOBS, CAUSE)]);
    assert.deepEqual(outcomes.map(refusalOf), ['granted', 'TlsKeyTaken']);
  });

  it('53: that is too weak leaves nothing behind', async () => {
    await using g = await given();
    const weak = { ...KEY, keyType: 'rsa-1024' };
    assert.equal(refusalOf(await g.keys.add(weak, CAUSE)), 'TlsKeyForbidden');
    assert.equal(g.directory.state.tlsKeys.size, 0);
    assert.equal(refusalOf(await g.keys.add(BOBS, CAUSE)), 'granted');
  });

  it('is changed in name, switch and address', async () => {
    await using g = await given();
    await g.keys.add(KEY, CAUSE);
    const off = await g.keys.change('f1', { noImapPreauth: true, name: 'phone' }, CAUSE);
    assert.partialDeepStrictEqual(off, { noImapPreauth: true, name: 'phone', login: KEY.login });
    assert.equal(g.keys.holder('f1')?.imapPreauth, false);
    const moved = await g.keys.change('f1', { login: 'ALICE2@example.org' }, CAUSE);
    assert.partialDeepStrictEqual(moved, { login: 'alice2@example.org', noImapPreauth: true });
    for (const [login, refused] of [
      ['bob@example.org', 'AddressOfAnother'],
      ['nobody@example.org', 'NoSuchAddress'],
    ] as const) {
      assert.equal(refusalOf(await g.keys.change('f1', { login }, CAUSE)), refused);
    }
    assert.equal(refusalOf(await g.keys.change('f2', { name: 'x' }, CAUSE)), 'NoSuchTlsKey');
  });

  it('lets nobody in once it is removed, and may then be registered by anybody', async () => {
    await using g = await given();
    await g.keys.add(KEY, CAUSE);
    assert.partialDeepStrictEqual(await g.keys.remove('f1', CAUSE), KEY);
    assert.equal(g.keys.get('f1'), undefined);
    assert.equal(g.keys.holder('f1'), undefined);
    assert.equal(refusalOf(await g.keys.remove('f1', CAUSE)), 'NoSuchTlsKey');
    assert.equal(refusalOf(await g.keys.add(BOBS, CAUSE)), 'granted');
    assert.equal(g.keys.holder('f1')?.accountId, BOB);
  });

  it('of a closed account is known as such', async () => {
    await using g = await given();
    await g.keys.add(KEY, CAUSE);
    await g.lanes.execute(ALICE, { type: 'ForbidLogin', reason: 'Call us.' }, CAUSE);
    assert.equal(g.keys.holder('f1')?.forbidden, 'Call us.');
  });

  it('is there after a restart, in the books and in books made anew', async () => {
    await using g = await given();
    await g.keys.add(KEY, CAUSE);
    await g.keys.change('f1', { noImapPreauth: true }, CAUSE);
    await using root = await temporaryDirectory();
    const directory = await DirectoryLane.open(g.ports);
    const books = await ServerBooks.open(root.file('server.db'), g.ports);
    const again = new TlsKeyRegister({ directory, commands: g.lanes, books });
    assert.deepEqual(again.holder('f1'), g.keys.holder('f1'));
    assert.deepEqual(again.list(), g.keys.list());
    books.close();
  });

  it('is listed with its account', async () => {
    await using g = await given();
    await g.keys.add(BOBS, CAUSE);
    await g.keys.add({ ...KEY, fingerprint: 'f2' }, CAUSE);
    await g.keys.add({ ...KEY, fingerprint: 'f0' }, CAUSE);
    assert.deepEqual(await fingerprintsOf(g, 'bob'), ['f1']);
    assert.deepEqual(await fingerprintsOf(g, 'Bob'), ['f1'], 'names are one in any case');
    assert.deepEqual(new Set(await fingerprintsOf(g, 'alice')), new Set(['f0', 'f2']));
    assert.equal((await fingerprintsOf(g)).at(-1), 'f1');
    assert.equal(refusalOf(g.keys.list('nobody')), 'NoSuchAccount');
  });
});

describe('what a crash leaves of a change', () => {
  const claim = {
    type: 'ClaimTlsKey',
    fingerprint: 'f1',
    accountId: ALICE,
    localpart: 'alice',
    domain: 'example.org',
  } as const;

  it('a claim without a key lets nobody in, and goes to who registers the key next', async () => {
    for (const key of [KEY, BOBS]) {
      await using g = await given();
      await g.directory.execute(claim, CAUSE);
      assert.equal(g.keys.holder('f1'), undefined);
      assert.deepEqual(await fingerprintsOf(g), []);
      assert.equal(refusalOf(await g.keys.add(key, CAUSE)), 'granted');
      assert.equal(g.keys.holder('f1')?.login, key.login);
    }
  });

  it('a removed key whose claim is left, likewise', async () => {
    await using g = await given();
    await g.keys.add(KEY, CAUSE);
    await g.lanes.execute(ALICE, { type: 'RemoveTlsKey', fingerprint: 'f1' }, CAUSE);
    assert.equal(g.keys.holder('f1'), undefined);
    assert.equal(refusalOf(await g.keys.add(BOBS, CAUSE)), 'granted');
  });

  it('of two accounts with the key, the one with the claim has it', async () => {
    await using g = await given();
    await g.lanes.execute(BOB, { type: 'AddTlsKey', ...BOBS }, CAUSE);
    assert.equal(g.keys.holder('f1'), undefined);
    await g.keys.add(KEY, CAUSE);
    assert.equal(g.keys.holder('f1')?.accountId, ALICE);
    assert.deepEqual(await fingerprintsOf(g), ['f1']);
    await g.keys.remove('f1', CAUSE);
    assert.equal(g.keys.holder('f1'), undefined);
    assert.equal(refusalOf(await g.keys.add(BOBS, CAUSE)), 'granted');
    assert.equal(g.keys.holder('f1')?.accountId, BOB);
  });

  it('a failed append can be tried again', async () => {
    await using g = await given();
    let appends = 0;
    g.ports.log.before = () => {
      if (++appends === 2) throw new Error('the disk is gone');
    };
    await assert.rejects(g.keys.add(KEY, CAUSE), { name: 'Fault' });
    assert.equal(g.keys.holder('f1'), undefined);
    assert.equal(refusalOf(await g.keys.add(KEY, CAUSE)), 'granted');
  });
});
