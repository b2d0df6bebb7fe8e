/**
 * Logging in by TLS key with programs that are not ours: keys and certificates made by openssl,
 * registered by our command line, shown by openssl, curl, gsasl and msmtp.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOGIN, startLocalserve, type Localserve } from '../support/localserve.ts';
import { missing, runDaybook, runProgram, type Ran } from '../support/programs.ts';

const MAIL = `From: ${LOGIN}\r\nTo: friend@example.org\r\nSubject: by key\r\n\r\nhello\r\n`;

interface Pair {
  readonly key: string;
  readonly cert: string;
}

const KINDS = {
  ed25519: ['-newkey', 'ed25519'],
  'ecdsa-p256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'rsa-2048': ['-newkey', 'rsa:2048'],
} as const;

/** Files with a key and its certificate in the folder of the server. */
async function newPair(server: Localserve, name: keyof typeof KINDS): Promise<Pair> {
  const key = join(server.dir, `${name}.key.pem`);
  const cert = join(server.dir, `${name}.cert.pem`);
  const files = ['-keyout', key, '-out', cert, '-nodes'];
  const made = await runProgram('openssl', [
    'req',
    '-x509',
    ...KINDS[name],
    ...files,
    '-subj',
    `/CN=${name}`,
  ]);
  assert.equal(made.code, 0, made.stderr);
  return { key, cert };
}

async function tlspubkey(server: Localserve, args: readonly string[], input = ''): Promise<string> {
  const ran = await runDaybook(['config', 'tlspubkey', ...args, '--dir', server.dir], { input });
  assert.equal(ran.code, 0, ran.stderr);
  return ran.stdout.trim();
}

/** Registers the key; gives its fingerprint. */
async function register(
  server: Localserve,
  { cert }: Pair,
  ...flags: readonly string[]
): Promise<string> {
  return tlspubkey(server, ['add', LOGIN, ...flags], await readFile(cert, 'utf8'));
}

/** Everything that the server says to these lines; the last of them has to make it hang up. */
async function sClient(
  server: Localserve,
  port: number,
  pair: Pair,
  lines: readonly string[],
  ...more: readonly string[]
): Promise<string> {
  const input = lines.map((line) => `${line}\r\n`).join('');
  const args = sClientArgs(server, port, pair, more);
  return (await runProgram('openssl', args, { input, seconds: 20 })).stdout;
}

function sClientArgs(
  { ip }: Localserve,
  port: number,
  { key, cert }: Pair,
  more: readonly string[] = [],
): readonly string[] {
  return ['s_client', '-quiet', '-connect', `${ip}:${port}`, '-key', key, '-cert', cert, ...more];
}

const OPENSSL = 'openssl';
const skip = missing(OPENSSL);

for (const kind of ['ed25519', 'ecdsa-p256', 'rsa-2048'] as const) {
  test(
    `openssl with a key of ${kind} is in at once, by IMAP and submission`,
    { skip },
    async () => {
      await using server = await startLocalserve();
      const pair = await newPair(server, kind);
      const fingerprint = await register(server, pair);
      const pem = `openssl x509 -pubkey -noout -in ${pair.cert}`;
      const spki = `${pem} | openssl pkey -pubin -outform der`;
      const theirs = await runProgram('sh', ['-c', `${spki} | openssl dgst -sha256 -hex`]);
      const hex = Buffer.from(fingerprint, 'base64url').toString('hex');
      assert.ok(theirs.stdout.includes(hex), theirs.stdout);

      const imap = await sClient(server, 1993, pair, ['a SELECT inbox', 'b LOGOUT']);
      assert.match(imap, /^\* PREAUTH \[CAPABILITY /);
      assert.match(imap, /^a OK /m);
      const mail = `MAIL FROM:<${LOGIN}>`;
      const smtp = await sClient(server, 1465, pair, ['EHLO client.example', mail, 'QUIT']);
      assert.match(smtp, /^250-AUTH EXTERNAL SCRAM-SHA-256-PLUS /m);
      assert.match(smtp, /^250 2\.1\.0 /m);
      assert.equal(await server.stop(), 0);
    },
  );
}

test('openssl with STARTTLS is in by EXTERNAL', { skip }, async () => {
  await using server = await startLocalserve();
  const pair = await newPair(server, 'ed25519');
  const fingerprint = await register(server, pair, '--no-imap-preauth');
  const other = Buffer.from('nobody@localhost').toString('base64');
  const lines = [`a AUTHENTICATE EXTERNAL ${other}`, 'b AUTHENTICATE EXTERNAL =', 'c SELECT inbox'];
  for (const [port, ...args] of [[1993], [1143, '-starttls', 'imap']] as const) {
    const stdout = await sClient(server, port, pair, [...lines, 'd LOGOUT'], ...args);
    assert.match(stdout, /^a NO \[AUTHENTICATIONFAILED\]/m);
    assert.match(stdout, /^b OK \[CAPABILITY /m);
    assert.match(stdout, /^c OK /m);
  }
  const submission = ['EHLO client.example', 'AUTH EXTERNAL =', `MAIL FROM:<${LOGIN}>`, 'QUIT'];
  const smtp = await sClient(server, 1587, pair, submission, '-starttls', 'smtp');
  assert.match(smtp, /^235 2\.7\.0 /m);
  assert.match(smtp, /^250 2\.1\.0 /m);

  await tlspubkey(server, ['change', fingerprint, '--imap-preauth']);
  const imap = await sClient(server, 1993, pair, ['a LOGOUT']);
  assert.match(imap, /^\* PREAUTH /);
});

test(
  'openssl with an unknown key hears nothing; a removed one ends what is open',
  { skip },
  async () => {
    await using server = await startLocalserve({ args: ['--limits'] });
    const pair = await newPair(server, 'ed25519');
    for (const port of [1993, 1465]) {
      assert.equal(await sClient(server, port, pair, ['a NOOP']), '');
    }
    const fingerprint = await register(server, pair);
    assert.match(await tlspubkey(server, ['list']), new RegExp(`^${fingerprint}\ted25519\t`, 'm'));
    const idling = spawn(OPENSSL, sClientArgs(server, 1993, pair), { stdio: 'pipe' });
    idling.stdin.write('a IDLE\r\n');
    let heard = '';
    for await (const chunk of idling.stdout) {
      const isIdling = heard.includes('+ ');
      heard += String(chunk);
      if (!isIdling && heard.includes('+ ')) await tlspubkey(server, ['rm', fingerprint]);
    }
    assert.match(heard, /^\* BYE \[ALERT\] /m);
    assert.equal(await sClient(server, 1993, pair, ['a NOOP']), '');
  },
);

test('gsasl logs in with EXTERNAL', { skip: missing('gsasl') || skip }, async () => {
  await using server = await startLocalserve();
  const pair = await newPair(server, 'ecdsa-p256');
  await register(server, pair, '--no-imap-preauth');
  for (const [protocol, port] of [
    ['--imap', 1143],
    ['--smtp', 1587],
  ] as const) {
    const ran = await runProgram('gsasl', [
      protocol,
      '--connect',
      `${server.ip}:${port}`,
      '--mechanism=EXTERNAL',
      `--authorization-id=${LOGIN}`,
      `--x509-ca-file=${join(server.dir, 'config', 'tls', 'localhost.pem')}`,
      `--x509-cert-file=${pair.cert}`,
      `--x509-key-file=${pair.key}`,
    ]);
    assert.match(ran.stderr, /Client authentication finished/, ran.stdout + ran.stderr);
  }
});

test(
  'curl reads and submits with a client certificate',
  { skip: missing('curl') || skip },
  async () => {
    await using server = await startLocalserve();
    const { key, cert } = await newPair(server, 'ecdsa-p256');
    const fingerprint = await register(server, { key, cert });
    const curl = (...args: readonly string[]): Promise<Ran> =>
      runProgram(
        'curl',
        ['--silent', '--show-error', '--insecure', '--key', key, '--cert', cert, ...args],
        {
          input: MAIL,
        },
      );
    const recipients = ['--mail-from', LOGIN, '--mail-rcpt', LOGIN, '--upload-file', '-'];
    const sent = await curl(`smtps://${server.ip}:1465`, ...recipients);
    assert.equal(sent.code, 0, sent.stderr);
    const listed = await curl(`imaps://${server.ip}:1993/`);
    assert.match(listed.stdout, /\* LIST \([^)]*\) "\/" (INBOX|Inbox)\r\n/);

    await tlspubkey(server, ['change', fingerprint, '--no-imap-preauth']);
    const external = ['--user', `${LOGIN}:`, '--login-options', 'AUTH=EXTERNAL'];
    const again = await curl(...external, `imaps://${server.ip}:1993/`);
    assert.match(again.stdout, /\* LIST /, again.stderr);
    const more = await curl(...external, `smtps://${server.ip}:1465`, ...recipients);
    assert.equal(more.code, 0, more.stderr);
  },
);

test('msmtp submits with a client certificate', { skip: missing('msmtp') || skip }, async () => {
  await using server = await startLocalserve();
  const { key, cert } = await newPair(server, 'ecdsa-p256');
  await register(server, { key, cert });
  const config = join(server.dir, 'msmtprc');
  const lines = ['defaults', 'tls on', 'tls_starttls off', 'tls_certcheck off'];
  const account = ['account default', `host ${server.ip}`, 'port 1465', `from ${LOGIN}`];
  const auth = ['auth external', `user ${LOGIN}`, `tls_key_file ${key}`, `tls_cert_file ${cert}`];
  await writeFile(config, `${[...lines, ...account, ...auth].join('\n')}\n`, { mode: 0o600 });
  const ran = await runProgram('msmtp', ['--file', config, LOGIN], { input: MAIL });
  assert.equal(ran.code, 0, ran.stderr);
});

test('no server: the socket is named, exit 1', async () => {
  await using server = await startLocalserve();
  assert.equal(await server.stop(), 0);
  const ran = await runDaybook(['config', 'tlspubkey', 'list', '--dir', server.dir]);
  assert.equal(ran.code, 1);
  const where = join(server.dir, 'data', 'ctl');
  assert.equal(
    ran.stderr,
    `daybook: No server answers on ${where}: start it, or give its folder by --dir.\n`,
  );
});
