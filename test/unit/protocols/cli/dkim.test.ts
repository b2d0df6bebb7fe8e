/** `config domain dkim`, from the command line to the keys and back. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { controlOf, runLine, type Ran } from '../../../support/command-line.ts';
import { refuse, type Refusal } from '#domain/values/decision';
import { dkimCommands } from '#protocols/cli/dkim-control';
import type { AdministeredDkim, PublishedKey } from '#protocols/ports-dkim';

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
  const openControl = controlOf(dkimCommands(keys));
  return runLine(['config', 'domain', 'dkim', ...args], { openControl });
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
    await run(keys, 'add', 'bücher.example', 's2');
    const gone = 'The key is gone. To be taken out of DNS in some days:';
    assert.deepEqual((await run(keys, 'rm', 'bücher.example', 's2')).err, [gone]);
    const last = await run(keys, 'rm', 'bücher.example', 's1');
    assert.deepEqual(last.err, [gone, 'No key signs mail from the domain now.']);
    assert.equal(last.code, 0);
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
