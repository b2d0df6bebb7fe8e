/**
 * Backups of a server that is busy, made by the program and put back by the program; and a backup
 * that is killed.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findingsIn, openHome } from '../support/backups.ts';
import { LOGIN, startLocalserve } from '../support/localserve.ts';
import { deliver, logIn, makeMail, said } from '../support/mail-answers.ts';
import { runDaybook } from '../support/programs.ts';
import { smallDisk } from '../support/small-disk.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const HELD_SECONDS = 20;

interface Item {
  readonly RecipientLocalpart: string;
  readonly NextAttempt: string;
}

async function queueOf(dir: string, ...list: readonly string[]): Promise<readonly Item[]> {
  const { code, stdout, stderr } = await runDaybook(['queue', ...list, '--json', '--dir', dir]);
  assert.equal(code, 0, stderr);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Item);
}

/** A message to somebody else that may not go before so many seconds are over. */
async function submit(ip: string, localpart: string, holdSeconds: number): Promise<void> {
  const client = await SmtpDriver.openSubmission(ip);
  await client.ask(`MAIL FROM:<${LOGIN}> HOLDFOR=${holdSeconds}`, 250);
  await client.ask(`RCPT TO:<${localpart}@far.example>`, 250);
  await client.ask('DATA', 354);
  await client.ask(`From: <${LOGIN}>\r\nSubject: ${localpart}\r\n\r\nhello\r\n.`, 250);
  client.close();
}

async function subjectsIn(ip: string): Promise<ReadonlySet<string>> {
  const client = await logIn(ip);
  await said(client, 'SELECT INBOX');
  const listed = await said(client, 'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
  client.close();
  return new Set(listed.matchAll(/Subject: (.*)\r\n/g).map(([, subject = '']) => subject));
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  while (!(await isSo())) {
    assert.ok(Date.now() < giveUpAt, 'it takes too long');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('operations 85, queue 38: made during deliveries it has all acknowledged', async (t) => {
  await using directory = await temporaryDirectory();
  const [dir, copy, target] = [
    directory.file('old'),
    directory.file('new'),
    directory.file('backup'),
  ];
  const acknowledged: string[] = [];
  let before: readonly string[];
  let waiting: readonly Item[];
  {
    await using server = await startLocalserve({ dir });
    const { ip } = server;
    await makeMail(ip);
    await submit(ip, 'late', 3600);
    await submit(ip, 'soon', HELD_SECONDS);
    const over = new AbortController();
    const busy = [1, 2, 3].map(async (sender) => {
      for (let n = 1; !over.signal.aborted; n++) {
        const subject = `mail ${sender}-${n}`;
        assert.match(await deliver(ip, subject), /^250 /);
        acknowledged.push(subject);
      }
    });
    await until(() => acknowledged.length > 30);
    waiting = await queueOf(dir, 'list');
    before = [...acknowledged];
    const made = await runDaybook(['backup', target, '--dir', dir, '--with-keys']);
    assert.deepEqual(made, { code: 0, stdout: '', stderr: '' });
    t.diagnostic(`${before.length} before, ${acknowledged.length - before.length} meanwhile`);
    assert.ok(acknowledged.length > before.length, 'nobody delivered meanwhile');
    over.abort();
    await Promise.all(busy);
    await server.kill();
  }
  const checked = await runDaybook(['verifydata', '--backup', target]);
  assert.equal(checked.code, 0, checked.stdout);
  const restored = await runDaybook(['restore', target, copy]);
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stdout, /\ndelivery is paused: /);
  {
    await using server = await startLocalserve({ dir: copy });
    const { ip } = server;
    const subjects = await subjectsIn(ip);
    const lost = before.filter((subject) => !subjects.has(subject));
    assert.deepEqual(lost, []);
    assert.deepEqual(await queueOf(copy, 'list'), waiting);
    const soon = waiting.find((item) => item.RecipientLocalpart === 'soon');
    await until(() => Date.now() > Date.parse(soon?.NextAttempt ?? '') + 1_000);
    assert.deepEqual(await queueOf(copy, 'list'), waiting, 'nothing left while it was paused');
    assert.ok(!(await subjectsIn(ip)).has('soon'));
    const resumed = await runDaybook(['queue', 'resume', '--dir', copy]);
    assert.equal(resumed.stdout, 'delivery goes on\n', resumed.stderr);
    await until(async () => (await subjectsIn(ip)).has('soon'));
    const late = waiting.filter((item) => item.RecipientLocalpart === 'late');
    assert.deepEqual(await queueOf(copy, 'list'), late);
    assert.equal(await server.stop(), 0, server.said());
  }
  const sound = await runDaybook(['verifydata', '--dir', copy]);
  assert.equal(sound.code, 0, sound.stdout);
});

it('a backup that is killed is no backup, and the next run goes on with it', async (t) => {
  await using home = await openHome();
  const target = home.file('backup');
  for (let n = 0; n < 20; n++) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => home.deliver(`message ${n}-${i}`)));
  }
  await home.engine.close();
  const command = ['backup', target, '--dir', home.dir, '--offline'];
  const points = [
    ['begun', 'unfinished.json'],
    ['some bodies are there', `accounts/*/bodies/*/*`],
    ['a piece is sealed', 'log/*.zst'],
    ['secrets are there', 'secrets/*'],
  ] as const;
  let kills = 0;
  for (const [what, file] of points) {
    const args = ['--disable-warning=ExperimentalWarning', MAIN];
    const child = spawn(process.execPath, [...args, ...command]);
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    let isOver = false;
    void exited.then(() => (isOver = true));
    await until(() => isOver || globSync(file, { cwd: target }).length > 0);
    child.kill('SIGKILL');
    const code = await exited;
    if (code === null) kills++;
    if (existsSync(path.join(target, 'manifest.json'))) continue;
    const restored = await runDaybook(['restore', target, home.file('new')]);
    assert.equal(restored.code, 1, what);
    assert.match(restored.stderr, /is no complete backup: there is no manifest\.json/);
  }
  t.diagnostic(`${kills} kills`);
  assert.ok(kills >= 2, 'it was too fast to be killed');
  const made = await runDaybook(command);
  assert.deepEqual(made, { code: 0, stdout: '', stderr: '' });
  assert.deepEqual(await findingsIn(target), []);
  const names = await readdir(target);
  assert.ok(!names.includes('unfinished.json'));
  const bodies = globSync('accounts/*/bodies/*/*', { cwd: target });
  assert.equal(bodies.length, 2000);
});

it('a full disk ends a backup with one sentence, and the next run goes on', async (t) => {
  await using disk = await smallDisk();
  if (disk === undefined) return t.skip('no disk may be mounted here');
  await using home = await openHome();
  await Promise.all(Array.from({ length: 1000 }, (_, i) => home.deliver(`message ${i}`)));
  await home.engine.close();
  const target = path.join(disk.dir, 'backup');
  const command = ['backup', target, '--dir', home.dir, '--offline'];
  disk.fill(1024 * 1024);
  const full = await runDaybook(command);
  const warning = 'messages are copied: files cannot be linked there\n';
  const stderr = `${warning}daybook: The disk is full.\n`;
  assert.deepEqual(full, { code: 1, stdout: '', stderr });
  assert.ok(!existsSync(path.join(target, 'manifest.json')));
  disk.free();
  assert.deepEqual(await runDaybook(command), { code: 0, stdout: '', stderr: warning });
  assert.deepEqual(await findingsIn(target), []);
  assert.equal(globSync('accounts/*/bodies/*/*', { cwd: target }).length, 1000);
});
