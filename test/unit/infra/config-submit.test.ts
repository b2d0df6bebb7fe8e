/**
 * The file of sendmail: what may stand there, every mistake, and its keys.
 */

import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { newPair } from '../../support/certificates.ts';
import { fakeClock } from '../../support/clock.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temporary.ts';
import { clientKeyOf, readSubmitConfig, type SubmitConfig } from '#infra/config-submit';

const BASE = 'LocalHostname: h\nHost: mail.example.org\nPort: 465\nUsername: me\nFrom: me@x\n';
const SEED = Buffer.alloc(32, 7).toString('base64url');

async function written(directory: TemporaryDirectory, text: string): Promise<string> {
  const file = directory.file('submit.yaml');
  await writeFile(file, text);
  return file;
}

async function read(text: string): Promise<SubmitConfig> {
  await using directory = await temporaryDirectory();
  return readSubmitConfig(await written(directory, text));
}

describe('the file of sendmail', () => {
  it('says where to hand in mail; keys may stand there without a value', async () => {
    const config = await read(`# comment\n${BASE}TLS: true\nPassword: secret\nAuthMethod:\n`);
    assert.equal(config.Host, 'mail.example.org');
    assert.equal(config.AuthMethod, null);
  });

  for (const [more, mistake] of [
    ['Pasword: x\n', /:6:\d+: Pasword: is not a known key/],
    ['Password: x\nRequireTLS: maybe\n', /:7:\d+: RequireTLS: /],
    ['Password: x\nTLS: true\nSTARTTLS: true\n', /not both/],
    ['', /one of Password, .* is needed; there is none/],
  ] as const) {
    it(`is refused with ${JSON.stringify(more)}`, async () => {
      await assert.rejects(read(BASE + more), { name: 'BadConfig', message: mistake });
    });
  }

  it('ops 77: with two secrets is refused without showing either', async () => {
    const both = `${BASE}Password: hunter2\nClientAuthEd25519PrivateKey: ${SEED}\n`;
    await assert.rejects(read(both), (error: Error) => {
      const shown = inspect(error, { depth: 9 });
      assert.match(error.message, /Password and ClientAuthEd25519PrivateKey/);
      return !shown.includes('hunter2') && !shown.includes(SEED);
    });
  });

  it('ops 77: that is not there is named', () => {
    assert.throws(() => readSubmitConfig('nowhere.yaml'), {
      message: /^nowhere\.yaml: there is no/,
    });
  });
});

describe('the key of sendmail', () => {
  const clock = fakeClock(Date.now());

  async function keyFrom(pem: string): Promise<{ key: string; cert: string } | undefined> {
    await using directory = await temporaryDirectory();
    await writeFile(directory.file('key.pem'), pem);
    const text = `${BASE}ClientAuthCertPrivateKeyPEMFile: key.pem\n`;
    const file = await written(directory, text);
    return await clientKeyOf(readSubmitConfig(file), file, clock);
  }

  it('is none when there is a password', async () => {
    const config = await read(`${BASE}Password: x\n`);
    assert.equal(await clientKeyOf(config, 'file', clock), undefined);
  });

  it('may be a seed', async () => {
    const config = await read(`${BASE}ClientAuthEd25519PrivateKey: ${SEED}\n`);
    const pair = await clientKeyOf(config, 'file', clock);
    assert.ok(pair);
    const key = createPrivateKey(pair.key);
    assert.deepEqual(key.export({ format: 'jwk' }).d, SEED);
    assert.ok(new X509Certificate(pair.cert).checkPrivateKey(key));
    const short = { ...config, ClientAuthEd25519PrivateKey: 'AAAA' };
    await assert.rejects(clientKeyOf(short, 'file', clock), /is no seed of 32 octets/);
  });

  it('may be a file with a certificate, or an Ed25519 key alone', async () => {
    const pair = await newPair({ kind: 'p256' });
    for (const pem of [pair.key + pair.cert, pair.cert + pair.key]) {
      const read = await keyFrom(pem);
      assert.deepEqual([read?.key.trim(), read?.cert.trim()], [pair.key.trim(), pair.cert.trim()]);
    }
    const { key } = await newPair();
    const alone = await keyFrom(key);
    assert.ok(alone && new X509Certificate(alone.cert).checkPrivateKey(createPrivateKey(key)));
  });

  it('is refused when it does not fit, or is none, without showing it', async () => {
    const one = await newPair({ kind: 'p256' });
    const other = await newPair({ kind: 'p256' });
    await assert.rejects(keyFrom(one.key + other.cert), /is not for the key/);
    await assert.rejects(keyFrom(one.key), /no certificate/);
    await assert.rejects(keyFrom('hunter2'), (error: Error) => {
      assert.match(error.message, /no private key in PEM/);
      return !inspect(error, { depth: 9 }).includes('hunter2');
    });
  });
});
