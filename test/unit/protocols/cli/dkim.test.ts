/** `config domain dkim`, from the command line to the keys and back. */

import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { describe, it } from 'node:test';
import { fakeClock } from '../../../support/clock.ts';
import { NO_OPENERS, NO_TERMINAL } from '../../../support/openers.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { refuse, type Refusal } from '#domain/values/decision';
import { serveControl } from '#protocols/cli/control';
import { dkimCommands } from '#protocols/cli/dkim-control';
import type { Openers } from '#protocols/cli/openers';
import { runProgram } from '#protocols/cli/program';
import type { AdministeredDkim, PublishedKey } from '#protocols/ports-dkim';

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Keys of bücher.example. */
function fakeKeys(): AdministeredDkim {
  let keys: readonly PublishedKey[] = [];
  const ofDomain = (domain: string): Refusal | undefined =>
    domain === 'xn--bcher-kva.example' ? undefined : refuse('NoSuchDomain', domain);
  return {
    async add(domain, { name, algorithm }) {
      const key = { name, algorithm, publicKey: 'AAAA' };
      keys = [...keys, key];
      return ofDomain(domain) ?? key;
    },
    list: (domain) => ofDomain(domain) ?? keys,
    async use(domain, names) {
      keys = keys.map((key) => ({ ...key, standby: !names.includes(key.name) }));
      return ofDomain(domain) ?? keys;
    },
    async remove(domain, name) {
      const key = keys.find((one) => one.name === name);
      keys = keys.filter((one) => one !== key);
      return ofDomain(domain) ?? key ?? refuse('NoSuchDkimKey', name);
    },
  };
}

async function run(keys: AdministeredDkim, ...args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const openers: Openers = {
    ...NO_OPENERS,
    async openControl() {
      const [client, server] = duplexPair();
      void serveControl(server, dkimCommands(keys), { clock: fakeClock(), log: silentLog });
      return client;
    },
  };
  const terminal = {
    ...NO_TERMINAL,
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
  };
  const code = await runProgram(['config', 'domain', 'dkim', ...args], terminal, openers);
  return { code, out, err };
}

describe('config domain dkim', () => {
  const line = (selector: string, algorithm: string): string =>
    `${selector}._domainkey.xn--bcher-kva.example. TXT "v=DKIM1;h=sha256;k=${algorithm};p=AAAA"`;

  it('makes keys, and prints what is to be put into DNS', async () => {
    const keys = fakeKeys();
    assert.partialDeepStrictEqual(await run(keys, 'add', 'Bücher.example', 'S1'), {
      code: 0,
      out: [line('s1', 'ed25519')],
    });
    const rsa = await run(keys, 'add', 'bücher.example', 's2', '--algorithm', 'rsa', '--json');
    assert.deepEqual(JSON.parse(rsa.out[0] ?? ''), {
      selector: 's2',
      algorithm: 'rsa',
      signs: true,
      recordName: 's2._domainkey.xn--bcher-kva.example',
      record: 'v=DKIM1;h=sha256;k=rsa;p=AAAA',
    });
    const listed = await run(keys, 'list', 'bücher.example');
    assert.deepEqual(listed, {
      code: 0,
      out: [line('s1', 'ed25519'), line('s2', 'rsa')],
      err: [],
    });
  });

  it('signs with the keys that are put into use', async () => {
    const keys = fakeKeys();
    await run(keys, 'add', 'bücher.example', 's1');
    await run(keys, 'add', 'bücher.example', 's2');
    assert.deepEqual(await run(keys, 'use', 'bücher.example', 'S2'), {
      code: 0,
      out: ['s1\twaits', 's2\tsigns'],
      err: [],
    });
  });

  it('throws a key away', async () => {
    const keys = fakeKeys();
    await run(keys, 'add', 'bücher.example', 's1');
    assert.equal((await run(keys, 'rm', 'bücher.example', 's1')).code, 0);
    assert.deepEqual((await run(keys, 'list', 'bücher.example')).out, []);
    assert.deepEqual(await run(keys, 'rm', 'bücher.example', 's1'), {
      code: 1,
      out: [],
      err: ['daybook: The domain has no signing key with this selector: s1'],
    });
  });

  it('is for domains of ours, and kinds of keys that there are', async () => {
    assert.equal((await run(fakeKeys(), 'list', 'example.net')).code, 1);
    assert.deepEqual((await run(fakeKeys(), 'list', 'no domain')).err, [
      'daybook: no domain cannot be a domain.',
    ]);
    assert.equal((await run(fakeKeys(), 'add', 'a.example', 's', '--algorithm', 'dsa')).code, 2);
  });
});
