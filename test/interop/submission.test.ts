/**
 * What a submission server adds, seen from outside: swaks hands in, curl reads what came of it.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOGIN, PASSWORD, startLocalserve, type Localserve } from '../support/localserve.ts';
import { missing, runDaybook, runProgram } from '../support/programs.ts';

const SKIP = missing('swaks') || missing('curl');

test(
  'smtp 96, smtp 92: a reverse-path per recipient, and a signature',
  { skip: SKIP },
  async () => {
    await using server = await startLocalserve();
    const login = LOGIN.replace('@', '+app@');
    await daybook(server, 'config', 'account', 'set', 'daybook', '--from-id-login', login);
    const records = await daybook(server, 'config', 'domain', 'dkim', 'list', 'localhost');
    assert.match(
      records,
      /^localserve\._domainkey\.localhost\. TXT "v=DKIM1;h=sha256;k=ed25519;p=/,
    );
    const to = 'one@remote.example,two@remote.example';
    const swaks = ['--server', `${server.ip}:1587`, '--tls', '--from', LOGIN, '--to', to];
    const auth = ['--auth', 'PLAIN', '--auth-user', login, '--auth-password', PASSWORD];
    const ran = await runProgram('swaks', [...swaks, ...auth]);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const paths = new Set<string>();
    for (const index of ['1', '2']) {
      const text = (await message(server, index)).replace(/\r\n[ \t]+/g, ' ');
      const path = /^Return-Path: <(daybook\+[a-z2-7]{26}@localhost)>\r$/m.exec(text)?.[1];
      assert.ok(path, text);
      paths.add(path);
      assert.match(text, /^DKIM-Signature: .* d=localhost; s=localserve;/m);
    }
    assert.equal(paths.size, 2);
  },
);

/** What a command of ours prints. */
async function daybook(server: Localserve, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runDaybook([...args, '--dir', server.dir]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A message of Inbox, as soon as it is there. */
async function message(server: Localserve, index: string): Promise<string> {
  const url = `imap://${server.ip}:1143/INBOX;MAILINDEX=${index}`;
  const curl = ['--silent', '--insecure', '--user', `${LOGIN}:${PASSWORD}`];
  const retried = ['--retry', '20', '--retry-all-errors', '--retry-delay', '1'];
  const { stdout, stderr } = await runProgram('curl', [...curl, ...retried, url]);
  assert.notEqual(stdout, '', stderr);
  return stdout;
}
