/**
 * curl and swaks: send in by SMTP, submit, read by IMAP.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runProgram } from '../support/programs.ts';

const MAIL = `From: you@example.org\nTo: ${LOGIN}\nSubject: by curl\n\nhello\n`;

test('curl sends by SMTP and reads by IMAP and IMAPS', { skip: missing('curl') }, async () => {
  await using server = await startLocalserve();
  const sent = await runProgram(
    'curl',
    [
      '--silent',
      '--show-error',
      `smtp://${server.ip}:1025`,
      '--mail-from',
      'you@example.org',
      '--mail-rcpt',
      LOGIN,
      '--crlf',
      '--upload-file',
      '-',
    ],
    { input: MAIL },
  );
  assert.equal(sent.code, 0, sent.stderr);
  const login = ['--silent', '--show-error', '--insecure', '--user', `${LOGIN}:${PASSWORD}`];
  const read = await runProgram('curl', [...login, `imap://${server.ip}:1143/INBOX;MAILINDEX=1`]);
  assert.match(read.stdout, /Subject: by curl\r\n\r\nhello\r\n/);
  const listed = await runProgram('curl', [...login, `imaps://${server.ip}:1993/`]);
  assert.match(listed.stdout, /\* LIST \([^)]*\) "\/" (INBOX|Inbox)\r\n/);
});

/** Logs in with a password and submits a message. */
function swaks(
  server: string,
  password: string,
  ...tls: readonly string[]
): ReturnType<typeof runProgram> {
  const mail = ['--from', LOGIN, '--to', 'friend@example.org'];
  const login = ['--auth', 'PLAIN', '--auth-user', LOGIN, '--auth-password', password];
  return runProgram('swaks', ['--server', server, ...mail, ...login, ...tls]);
}

for (const [port, tls] of [
  [1587, ['--tls']],
  [1465, ['--tls-on-connect']],
] as const) {
  test(`swaks submits on ${port}`, { skip: missing('swaks') }, async () => {
    await using server = await startLocalserve();
    const ran = await swaks(`${server.ip}:${port}`, PASSWORD, ...tls);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /<[-~]+\s+250 2\.0\.0/);
  });
}

test('swaks is told what is wrong with a wrong password', { skip: missing('swaks') }, async () => {
  await using server = await startLocalserve();
  const ran = await swaks(`${server.ip}:1587`, 'wrong-password', '--tls');
  assert.match(ran.stdout, /535 5\.7\.8/);
});
