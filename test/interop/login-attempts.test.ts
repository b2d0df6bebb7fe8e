/**
 * Attempts to log in, from curl to a real server and back through the command line.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOGIN, PASSWORD, startLocalserve, type Localserve } from '../support/localserve.ts';
import { missing, runDaybook, runProgram } from '../support/programs.ts';

interface Listed {
  readonly account: string;
  readonly result: string;
  readonly protocol: string;
  readonly count: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

async function listed(
  { dir }: Localserve,
  ...flags: readonly string[]
): Promise<readonly Listed[]> {
  const ran = await runDaybook(['loginattempts', 'list', '--json', '--dir', dir, ...flags]);
  assert.equal(ran.code, 0, ran.stderr);
  const lines = ran.stdout.split('\n').filter((line) => line !== '');
  return lines.map((line): Listed => JSON.parse(line));
}

async function curl({ ip }: Localserve, user: string, password: string): Promise<void> {
  const url = `imaps://${ip}:1993/`;
  const login = ['--user', `${user}:${password}`, '--login-options', 'AUTH=PLAIN'];
  await runProgram('curl', ['-sk', '--url', url, ...login, '-X', 'NOOP'], { seconds: 20 });
}

/** All that a server says to who says nothing. */
async function heard(ip: string, port: number): Promise<string> {
  let text = '';
  for await (const chunk of connect(port, ip)) text += String(chunk);
  return text;
}

test('38, 41: attempts are refused in the end, and listed', { skip: missing('curl') }, async () => {
  await using server = await startLocalserve({ args: ['--limits'] });
  const { ip } = server;
  await curl(server, LOGIN, PASSWORD);
  for (let i = 0; i < 10; i++) {
    await curl(server, i < 3 ? 'nobody@localhost.example' : LOGIN, `guess-${i}-of-mine`);
  }
  assert.match(await heard(ip, 1143), /^\* BYE /);
  assert.match(await heard(ip, 1587), /^421 /);

  const seen = await listed(server);
  const kinds = seen.map(({ result, account, count }) => `${result} ${account} ${count}`);
  assert.deepEqual(kinds, ['badpassword daybook 7', 'baduser - 3', 'ok daybook 1']);
  assert.partialDeepStrictEqual(seen[0], {
    protocol: 'imap',
    details: { mechanism: 'plain', login: LOGIN, remoteIp: '127.0.0.1', localIp: ip },
  });
  assert.match(JSON.stringify(seen[0]), /"version":"TLSv1\.[23]"/);
  assert.equal((await listed(server, '--failed', '--account', '-')).length, 1);

  await server.stop();
  const log = await readFile(join(server.dir, 'data', 'log.db'), 'latin1');
  assert.ok(log.includes('LoginAttempted') && !log.includes('of-mine'));
  assert.ok(!log.includes(PASSWORD));
  await using again = await startLocalserve({ dir: server.dir });
  assert.deepEqual(await listed(again), seen);
});
