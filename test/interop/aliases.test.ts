/**
 * An alias for its members only, in a server of its own: made at the command line, closed to
 * strangers, open to what a member hands in and the server sends to itself.
 */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { parse, stringify } from 'yaml';
import { openFolder } from '../support/folder.ts';
import { CAUSE } from '../support/lane-ports.ts';
import { freeLoopbackAddress, LOGIN, startLocalserve } from '../support/localserve.ts';
import { runDaybook } from '../support/programs.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const BOB = 2;
const CLOSED = 'closed@localhost';

/** A folder of localserve with a second account, whose mail goes by SMTP to itself. */
async function prepare(dir: string, ip: string): Promise<void> {
  const prepared = await runDaybook(['localserve', '--dir', dir, '--ip', ip, '--init-only']);
  assert.equal(prepared.code, 0, prepared.stderr);
  const file = join(dir, 'config', 'daybook.yaml');
  const config = parse(await readFile(file, 'utf8'));
  config.Transports = {
    self: { SMTP: { Host: ip, Port: 1025, STARTTLSInsecureSkipVerify: true } },
  };
  await writeFile(file, stringify(config));
  const engine = await openFolder(dir);
  const address = { localpart: 'bob', domain: 'localhost' };
  await engine.directory.execute({ type: 'AddAccount', name: 'bob', address }, CAUSE);
  await engine.lanes.execute(BOB, { type: 'OpenAccount' }, CAUSE);
  await engine.close();
}

/** Until it is so; fails after a while. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAt, 'it never came to that');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('smtp 87: a closed alias is for what its members hand in', async () => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const ip = freeLoopbackAddress();
  await prepare(dir, ip);
  await using server = await startLocalserve({ dir, ip, command: 'serve' });
  const config = async (input: string, ...args: readonly string[]): Promise<string> => {
    const ran = await runDaybook(['config', ...args, '--dir', dir], { input });
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout;
  };
  const delivered = async (accountId: number): Promise<number> => {
    const only = ['--account', String(accountId), '--type', 'MessageDelivered'];
    const tail = ['log', 'tail', ...only, '--after', '0', '--no-follow', '--json', '--dir', dir];
    const { stdout } = await runDaybook(tail);
    return stdout.split('\n').filter((line) => line !== '').length;
  };
  await config('{"Transport":"self"}', 'routes', 'set');
  await config('', 'alias', 'add', CLOSED, LOGIN, 'bob@localhost');
  const closed = await config('', 'alias', 'update', CLOSED, '--post-public', 'false', '--json');
  assert.deepEqual(JSON.parse(closed), {
    Alias: CLOSED,
    Addresses: [LOGIN, 'bob@localhost'],
    PostPublic: false,
    ListMembers: false,
    AllowMsgFrom: false,
  });
  const message = `From: ${LOGIN}\r\nSubject: x\r\n\r\nhello\r\n`;

  const stranger = await SmtpDriver.open(ip, 1025);
  await stranger.ask('EHLO client.example', 250);
  assert.match(await stranger.send(LOGIN, CLOSED, message), /^550 5\.7\.2 /);
  stranger.close();
  assert.equal(await delivered(BOB), 0);

  const member = await SmtpDriver.openSubmission(ip);
  assert.match(await member.send(LOGIN, CLOSED, message), /^250 /);
  await until(async () => (await delivered(BOB)) === 1);
  // To the alias and to bob himself: they go apart, and he has it once.
  await member.ask(`MAIL FROM:<${LOGIN}>`, 250);
  for (const recipient of [CLOSED, 'bob@localhost'])
    await member.ask(`RCPT TO:<${recipient}>`, 250);
  await member.ask('DATA', 354);
  await member.ask(`${message}\r\n.`, 250);
  member.close();
  await until(async () => (await delivered(BOB)) === 2);
  assert.equal(await delivered(1), 0, 'who sent it needs no copy');
  assert.equal(await server.stop(), 0, server.said());
});
