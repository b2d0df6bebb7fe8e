/**
 * The process is killed in the middle of the removal of an account: the next start finishes it, and
 * nothing of the account is left. `unit/infra/account-removal.test.ts` goes through the places
 * between two appends one by one; here it is wherever the time has come to.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { startLocalserve, type Localserve } from '../support/localserve.ts';
import { runDaybook } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { dialControl } from '#infra/control-socket';
import { askControl } from '#protocols/cli/control';

const PASSWORD = 'a password of bob';
const BOB = 'bob@two.example';
const MESSAGES = 6;
const RECIPIENTS = 50;
const PATIENCE_MS = 20_000;

/** What the server answers to a command. */
async function ask({ dir }: Localserve, command: string, fields: object = {}): Promise<string> {
  const socket = await dialControl(path.join(dir, 'data'));
  return JSON.stringify(await askControl(socket, command, fields));
}

/** The account bob, with mail that waits. */
async function prepare(server: Localserve): Promise<void> {
  const account = 'bob';
  await ask(server, 'domain.add', { domain: 'two.example', account, localpart: 'bob' });
  await ask(server, 'accounts.setpassword', { account, password: PASSWORD });
  await ask(server, 'queue.holdrules.add', { account });
  const mailer = createTransport({
    host: server.ip,
    port: 1465,
    secure: true,
    auth: { user: BOB, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
  });
  for (let i = 0; i < MESSAGES; i++) {
    const to = Array.from({ length: RECIPIENTS }, (_, n) => `r${n}@other.example`);
    await mailer.sendMail({ from: BOB, to, subject: `number ${i}`, text: 'body' });
  }
  mailer.close();
}

it('queue 35: killed in mid-removal, it is finished by the next start', async () => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  {
    await using server = await startLocalserve({ dir });
    await prepare(server);
    const removing = assert.rejects(ask(server, 'accounts.rm', { account: 'bob' }));
    const isClosed = async (): Promise<boolean> =>
      (await ask(server, 'accounts.list')).includes('"Closed":true');
    while (!(await isClosed())) await delay(1);
    await server.kill();
    await removing;
  }
  await using server = await startLocalserve({ dir });
  const folder = path.join(dir, 'data', 'accounts', '2');
  for (let waited = 0; existsSync(folder); waited += 50) {
    assert.ok(waited < PATIENCE_MS, 'the account is still there');
    await delay(50);
  }
  assert.doesNotMatch(await ask(server, 'accounts.list'), /bob/);
  assert.equal(await server.stop(), 0, server.said());
  const verdict = await runDaybook(['verifydata', '--dir', dir]);
  assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
});
