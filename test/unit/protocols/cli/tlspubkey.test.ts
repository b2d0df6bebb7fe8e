/**
 * `config tlspubkey`, from the command line to the register and back; the numbers are those of the
 * list of what operators must be able to do.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { NO_PARTS } from '../../../support/openers.ts';
import { newPair } from '../../../support/certificates.ts';
import type { TlsKey } from '#domain/credential/state';
import { refuse, type Refusal } from '#domain/values/decision';
import { controlCommands } from '#protocols/cli/control-commands';
import type { RegisteredTlsKey, TlsKeys } from '#protocols/ports';

/** A register with the rules that the command line can run into. */
class FakeKeys implements TlsKeys {
  readonly keys: Map<string, RegisteredTlsKey> = new Map();

  async add(key: TlsKey): Promise<RegisteredTlsKey | Refusal> {
    if (!key.login.endsWith('@localhost')) return refuse('NoSuchAddress', key.login);
    if (key.keyType === 'rsa-1024') return refuse('TlsKeyForbidden', key.keyType);
    if (this.keys.has(key.fingerprint)) return refuse('TlsKeyTaken', key.fingerprint);
    const registered = { ...key, accountId: 1, account: 'daybook', addedAt: 1_767_225_600_000 };
    this.keys.set(key.fingerprint, registered);
    return registered;
  }

  async change(fingerprint: string, changes: object): Promise<RegisteredTlsKey | Refusal> {
    const key = this.keys.get(fingerprint);
    if (key === undefined) return refuse('NoSuchTlsKey', fingerprint);
    const changed = { ...key, ...changes };
    this.keys.set(fingerprint, changed);
    return changed;
  }

  async remove(fingerprint: string): Promise<RegisteredTlsKey | Refusal> {
    const key = this.keys.get(fingerprint);
    if (key === undefined) return refuse('NoSuchTlsKey', fingerprint);
    this.keys.delete(fingerprint);
    return key;
  }

  get(fingerprint: string): RegisteredTlsKey | undefined {
    return this.keys.get(fingerprint);
  }

  list(account?: string): readonly RegisteredTlsKey[] | Refusal {
    if (account !== undefined && account !== 'daybook') return refuse('NoSuchAccount', account);
    return [...this.keys.values()];
  }
}

/** Runs `config tlspubkey …` against a server with these keys. */
async function run(keys: TlsKeys, args: readonly string[], input = ''): Promise<Ran> {
  const open = controlOf(controlCommands({ ...NO_PARTS, keys }));
  const openControl: typeof open = (dir) => {
    assert.equal(dir, 'here');
    return open(dir);
  };
  return runLine(['config', 'tlspubkey', ...args], { openControl, input: async () => input });
}

describe('config tlspubkey', () => {
  it('adds the key of a certificate, leaving the private key beside it alone', async () => {
    const keys = new FakeKeys();
    const { key, cert } = await newPair({ subject: 'CN=phone' });
    const { code, out, err } = await run(keys, ['add', 'daybook@localhost'], key + cert);
    assert.deepEqual([code, err, out.length], [0, [], 1]);
    const added = keys.get(out[0] ?? '');
    assert.partialDeepStrictEqual(added, {
      login: 'daybook@localhost',
      name: 'phone',
      keyType: 'ed25519',
      noImapPreauth: false,
    });
  });

  it('adds with another name and without PREAUTH, and tells all as JSON', async () => {
    const keys = new FakeKeys();
    const { cert } = await newPair();
    const flags = ['--name', 'tablet', '--no-imap-preauth', '--json'];
    const { out } = await run(keys, ['add', 'daybook@localhost', ...flags], cert);
    const shown: unknown = JSON.parse(out[0] ?? '');
    assert.partialDeepStrictEqual(shown, {
      type: 'ed25519',
      name: 'tablet',
      account: 'daybook',
      login: 'daybook@localhost',
      noImapPreauth: true,
      addedAt: '2026-01-01T00:00:00.000Z',
    });
  });

  it('39: fails with a sentence of its own for each mistake', async () => {
    const keys = new FakeKeys();
    const good = (await newPair()).cert;
    const weak = (await newPair({ kind: 'rsa1024' })).cert;
    await run(keys, ['add', 'daybook@localhost'], good);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    for (const [login, pem, sentence] of [
      [
        'daybook@localhost',
        weak,
        /^daybook: The key must be .* RSA of 2048 bits or more: rsa-1024$/,
      ],
      [
        'daybook@localhost',
        'hello',
        /^daybook: There is no certificate in PEM on standard input\.$/,
      ],
      ['daybook@localhost', broken, /^daybook: The certificate cannot be read: it must be PEM\.$/],
      ['x@example.org', good, /^daybook: No account has this address: x@example\.org$/],
      ['daybook@localhost', good, /^daybook: The key is registered already: [\w-]{43}$/],
    ] as const) {
      const { code, out, err } = await run(keys, ['add', login], pem);
      assert.deepEqual([code, out, err.length], [1, [], 1]);
      assert.match(err[0] ?? '', sentence);
    }
  });

  it('lists keys with tabs between what is told of them', async () => {
    const keys = new FakeKeys();
    assert.deepEqual((await run(keys, ['list'])).out, ['(none)']);
    const { cert } = await newPair({ subject: 'CN=phone' });
    await run(keys, ['add', 'daybook@localhost', '--no-imap-preauth'], cert);
    const { out } = await run(keys, ['list', 'daybook']);
    const [head, row] = out;
    assert.equal(head, '# fingerprint, type, name, account, login address, no imap preauth (N)');
    const [fingerprint, ...others] = (row ?? '').split('\t');
    assert.ok(keys.get(fingerprint ?? '') !== undefined);
    assert.deepEqual(others, ['ed25519', 'phone', 'daybook', 'daybook@localhost', 'N']);
    const json = await run(keys, ['list', '--json']);
    assert.deepEqual(
      json.out.map((line) => (JSON.parse(line) as { fingerprint: string }).fingerprint),
      [fingerprint],
    );
    const unknown = await run(keys, ['list', 'nobody']);
    assert.deepEqual(unknown.err, ['daybook: The account does not exist: nobody']);
  });

  it('shows a key with its certificate, changes and removes it', async () => {
    const keys = new FakeKeys();
    const { cert } = await newPair();
    const fingerprint = (await run(keys, ['add', 'daybook@localhost'], cert)).out[0] ?? '';
    const shown = (await run(keys, ['get', fingerprint])).out.join('\n');
    assert.ok(shown.includes(`fingerprint: ${fingerprint}\ntype: ed25519\nname: laptop\n`));
    assert.ok(shown.endsWith(cert.trim()));
    const switched = await run(keys, ['change', fingerprint, '--no-imap-preauth']);
    assert.match(switched.out[0] ?? '', /\tlaptop\t.*\tN$/);
    const back = await run(keys, [
      'change',
      fingerprint,
      '--imap-preauth',
      '--name',
      'x',
      '--json',
    ]);
    assert.partialDeepStrictEqual(JSON.parse(back.out[0] ?? ''), {
      noImapPreauth: false,
      name: 'x',
    });
    const unchanged = await run(keys, ['change', fingerprint, '--login', 'a@localhost', '--json']);
    assert.partialDeepStrictEqual(JSON.parse(unchanged.out[0] ?? ''), {
      noImapPreauth: false,
      login: 'a@localhost',
    });
    assert.deepEqual(await run(keys, ['rm', fingerprint]), { code: 0, out: [], err: [] });
    for (const command of ['get', 'rm', 'change']) {
      const { code, err } = await run(keys, [command, fingerprint]);
      assert.deepEqual([code, err], [1, [`daybook: No such key is registered: ${fingerprint}`]]);
    }
  });

  it('takes a fingerprint that looks like an option for what it is', async () => {
    for (const fingerprint of ['-h0Zq', '--0Zq', '-dir', '-name']) {
      const keys = new FakeKeys();
      await run(keys, ['add', 'daybook@localhost'], (await newPair()).cert);
      const [key] = keys.keys.values();
      assert.ok(key !== undefined);
      keys.keys.set(fingerprint, { ...key, fingerprint });
      const changed = await run(keys, ['change', fingerprint, '--name', 'x']);
      assert.deepEqual([changed.code, keys.get(fingerprint)?.name], [0, 'x']);
      const shown = await run(keys, ['get', '--json', fingerprint]);
      assert.partialDeepStrictEqual(JSON.parse(shown.out[0] ?? ''), { fingerprint, name: 'x' });
      assert.equal((await run(keys, ['rm', fingerprint])).code, 0);
      assert.equal(keys.get(fingerprint), undefined);
    }
    const misspelt = await run(new FakeKeys(), ['get', 'f1', '--jsn']);
    assert.equal(misspelt.code, 2);
  });

  it('tells its usage when it is not complete', async () => {
    const { code, err } = await run(new FakeKeys(), []);
    assert.equal(code, 2);
    assert.match(err.join('\n'), /add .*change .*get .*list .*rm /s);
    assert.equal((await run(new FakeKeys(), ['add'])).code, 2);
  });
});
