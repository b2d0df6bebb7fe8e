/**
 * Our own certificate: made once, kept, and made again in time; and those of the configuration.
 */

import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import {
  contextsOf,
  openSelfSigned,
  readKeyPair,
  serverContext,
  type KeyPair,
} from '#infra/certificates';
import { newCertificate } from '../../support/chains.ts';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';

const DAY_MS = 24 * 60 * 60_000;

interface Place {
  readonly file: string;
  readonly clock: FakeClock;
  readonly open: (...names: string[]) => Promise<KeyPair>;
}

async function inPlace(test: (place: Place) => Promise<void>): Promise<void> {
  const root = await mkdtemp(path.join(tmpdir(), 'daybook-certificates-'));
  const file = path.join(root, 'config', 'self-signed.pem');
  const clock = fakeClock();
  const random = fakeRandom();
  const open = async (...names: string[]): Promise<KeyPair> =>
    openSelfSigned({ file, names, clock, random });
  try {
    await test({ file, clock, open });
  } finally {
    await rm(root, { recursive: true });
  }
}

describe('our own certificate', () => {
  it('is for the given names and this machine, for four years, with its own key', async () => {
    await inPlace(async ({ clock, open }) => {
      const pair = await open('mail.example.org', '192.0.2.1');
      const cert = new X509Certificate(pair.cert);
      for (const name of ['mail.example.org', 'localhost']) {
        assert.equal(cert.checkHost(name), name);
      }
      for (const ip of ['192.0.2.1', '127.0.0.1', '::1']) assert.equal(cert.checkIP(ip), ip);
      assert.equal(cert.checkHost('other.example.org'), undefined);
      assert.equal(cert.ca, false);
      const years = (cert.validToDate.getTime() - clock.now()) / DAY_MS / 365;
      assert.equal(Math.round(years), 4);
      const key = createPrivateKey(pair.key);
      assert.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
      assert.equal(cert.checkPrivateKey(key), true);
      assert.equal(cert.verify(cert.publicKey), true);
      assert.ok(serverContext(pair));
    });
  });

  it('is kept', async () => {
    await inPlace(async ({ file, open }) => {
      const made = await open('mail.example.org');
      assert.deepEqual(await open('mail.example.org'), made);
      assert.deepEqual(await open(), made);
      if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal(await readFile(file, 'utf8'), made.key + made.cert);
    });
  });

  it('is made again for another name, and in time', async () => {
    await inPlace(async ({ clock, open }) => {
      const first = await open();
      const second = await open('mail.example.org');
      assert.notDeepEqual(first, second);
      clock.advance((4 * 365 - 31) * DAY_MS);
      assert.deepEqual(await open('mail.example.org'), second);
      clock.advance(2 * DAY_MS);
      assert.notDeepEqual(await open('mail.example.org'), second);
    });
  });

  it('that cannot be read is not replaced', async () => {
    await inPlace(async ({ file, open }) => {
      const one = await open();
      await writeFile(file, 'something else');
      const unreadable = { name: 'Fault', code: 'SecretUnreadable', temporary: false };
      await assert.rejects(open(), unreadable);
      await rm(file);
      const other = await open();
      await writeFile(file, one.key + other.cert);
      await assert.rejects(open(), unreadable);
    });
  });
});

describe('certificates of the configuration', () => {
  it('are chosen by the name that a client wants, the first one otherwise', async () => {
    const names = ['mail.example.org', 'imap.example.org'] as const;
    const [mail, imap] = await Promise.all(
      names.map((name) => newCertificate({ name: `CN=${name}`, hosts: [name] })),
    );
    assert.ok(mail !== undefined && imap !== undefined);
    const contextFor = contextsOf([mail, imap]);
    assert.equal(contextFor('imap.example.org'), contextFor('IMAP.example.org'));
    assert.notEqual(contextFor('imap.example.org'), contextFor());
    for (const name of ['mail.example.org', 'other.example.org']) {
      assert.equal(contextFor(name), contextFor());
    }
  });

  it('must fit to their keys', async () => {
    await inPlace(async ({ file, open }) => {
      await open();
      const certFile = file;
      const { cert, key } = await newCertificate({ name: 'CN=other' });
      const keyFile = `${file}.key`;
      await writeFile(keyFile, key);
      const wrong = { code: 'SecretUnreadable', message: /is not for the certificate/ };
      await assert.rejects(readKeyPair(certFile, keyFile), wrong);
      const gone = { code: 'SecretUnreadable', message: /cannot be read/ };
      await assert.rejects(readKeyPair(certFile, `${file}.gone`), gone);
      await writeFile(certFile, cert);
      assert.deepEqual(await readKeyPair(certFile, keyFile), { key, cert });
    });
  });
});
