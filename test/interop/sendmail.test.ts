/**
 * `daybook sendmail` in a process of its own, handing in mail at a running server.
 */

import assert from 'node:assert/strict';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newPair } from '../support/certificates.ts';
import { LOGIN, PASSWORD, startLocalserve, type Localserve } from '../support/localserve.ts';
import { runDaybook, runProgram, type Ran } from '../support/programs.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary.ts';

const LAUNCHER = fileURLToPath(new URL('../../ops/bin/daybook', import.meta.url));
const MAIL = 'Subject: by cron\nTo: friend@example.org\nBcc: hidden@example.org\n\nhello\n';

/** Runs sendmail under its own name, for a user with this home and these settings. */
async function sendmail(
  home: TemporaryDirectory,
  settings: string,
  args: readonly string[],
): Promise<Ran> {
  await writeFile(home.file('.daybook-submit.yaml'), settings);
  const env = { HOME: home.path, DAYBOOKSUBMITCONF: '' };
  return await runProgram(home.file('sendmail'), args, { env, input: MAIL });
}

async function newHome(): Promise<TemporaryDirectory> {
  const home = await temporaryDirectory();
  await symlink(LAUNCHER, home.file('sendmail'));
  return home;
}

function settingsFor(server: Pick<Localserve, 'ip'>, secret: string, more = ''): string {
  return [
    'LocalHostname: host.example',
    `Host: ${server.ip}`,
    'Port: 1465',
    'TLS: true',
    'TLSInsecureSkipVerify: true',
    `Username: ${LOGIN}`,
    `From: ${LOGIN}`,
    secret,
    more,
  ].join('\n');
}

const WINDOWS = { skip: process.platform === 'win32' && 'links and shells' };

test('ops 75: sendmail with each mechanism', WINDOWS, async () => {
  await using server = await startLocalserve();
  await using home = await newHome();
  const password = `Password: ${PASSWORD}`;
  for (const mechanism of ['', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN']) {
    const settings = settingsFor(server, password, `AuthMethod: ${mechanism}`);
    const ran = await sendmail(home, settings, ['-FCron', '-i', '-f', 'root', '-t']);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], mechanism);
  }
  const listed = await readdir(home.path);
  assert.ok(!listed.includes('daybook-submit.failures'));
});

test('ops 77: sendmail with a key, which the server must know', WINDOWS, async () => {
  await using server = await startLocalserve();
  await using home = await newHome();
  const pair = await newPair();
  await writeFile(home.file('bare.pem'), pair.key);
  await writeFile(home.file('both.pem'), pair.key + pair.cert);
  const withFile = (name: string): string =>
    settingsFor(server, `ClientAuthCertPrivateKeyPEMFile: ${home.file(name)}`);
  const stranger = await sendmail(home, withFile('both.pem'), ['friend@example.org']);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /^sendmail: .*; the message is kept in .*newmsg\..*\n$/);
  const add = ['config', 'tlspubkey', 'add', LOGIN, '--dir', server.dir];
  assert.equal((await runDaybook(add, { input: pair.cert })).code, 0);
  for (const name of ['both.pem', 'bare.pem']) {
    const ran = await sendmail(home, withFile(name), ['friend@example.org']);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], name);
  }
});

test('ops 76: sendmail keeps what it cannot hand in, and sends it later', WINDOWS, async () => {
  await using home = await newHome();
  const password = `Password: ${PASSWORD}`;
  const nobody = settingsFor({ ip: '127.0.0.1' }, password).replace('1465', '1');
  const ran = await sendmail(home, nobody, ['-t']);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /Cannot connect to 127\.0\.0\.1:1/);
  const folder = home.file('daybook-submit.failures');
  const names = await readdir(folder);
  const file = join(folder, names.find((name) => !name.endsWith('.envelope')) ?? '');
  assert.equal(await readFile(file, 'utf8'), MAIL);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await sendmail(home, nobody, ['-q'])).code, 1);
  await using server = await startLocalserve();
  const sent = await sendmail(home, settingsFor(server, password), ['-q']);
  assert.deepEqual([sent.code, sent.stderr], [0, '']);
  assert.deepEqual(await readdir(folder), []);
});

test(
  'ops 77: sendmail names what is wrong with its file, and shows no secret',
  WINDOWS,
  async () => {
    await using home = await newHome();
    const lost = await sendmail(home, '', ['--config', home.file('lost.yaml'), 'x@example.org']);
    assert.equal(lost.code, 1);
    assert.ok(lost.stderr.includes(home.file('lost.yaml')));
    const seed = Buffer.alloc(32, 7).toString('base64url');
    const secrets = `Password: hunter2\nClientAuthEd25519PrivateKey: ${seed}`;
    const two = await sendmail(home, settingsFor({ ip: '127.0.0.1' }, secrets), ['x@example.org']);
    assert.equal(two.code, 1);
    assert.ok(!two.stderr.includes('hunter2') && !two.stderr.includes(seed), two.stderr);
  },
);
