/**
 * Accounts that are added, closed to logins, and removed while they are in use, at a server in this
 * process: the command line talks to its control socket, clients to its ports.
 */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { LineClient } from '../support/line-client.ts';
import { freeLoopbackAddress, LOGIN, PASSWORD as LOGIN_PASSWORD } from '../support/localserve.ts';
import { NO_OPENERS, NO_TERMINAL } from '../support/openers.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { openControl, openLocalServer, openStore, prepareLocal } from '#compose';
import type { RunningServer } from '#protocols/cli/openers';
import { runProgram } from '#protocols/cli/program';

const PASSWORD = 'a password of bob';
const BOB = 'bob@two.example';

interface Stage extends AsyncDisposable {
  readonly dir: string;
  readonly ip: string;
  /** Lines of a command of ours that must work; without `--dir`. */
  run(...args: readonly string[]): Promise<readonly string[]>;
  /** A connection with TLS. */
  client(port: number): LineClient;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const directory = await temporaryDirectory();
  const options = { dir: directory.path, ip: freeLoopbackAddress(), limits: false };
  const { dir, ip } = options;
  await prepareLocal(options);
  const open = (): Promise<RunningServer> => openLocalServer({ ...options, logLevel: 'error' });
  let server: RunningServer | undefined = await open();
  const sockets: Socket[] = [];
  return {
    dir,
    ip,
    async run(...args) {
      const out: string[] = [];
      const err: string[] = [];
      const openers = { ...NO_OPENERS, openControl: async () => openControl(dir) };
      const terminal = {
        ...NO_TERMINAL,
        out: (line: string | Uint8Array) => void out.push(String(line)),
        err: (line: string) => void err.push(line),
        password: async () => PASSWORD,
      };
      const code = await runProgram([...args, '--dir', dir], terminal, openers);
      assert.equal(code, 0, `${args.join(' ')}: ${err.join('\n')}`);
      return out.filter((line) => !line.startsWith('# '));
    },
    client(port) {
      const socket = connect({ host: ip, port, rejectUnauthorized: false });
      sockets.push(socket);
      return new LineClient(socket);
    },
    async restart() {
      await server?.stop();
      server = await open();
    },
    async stop() {
      await server?.stop();
      server = undefined;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server?.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function withBob(stage: Stage): Promise<void> {
  await stage.run('config', 'domain', 'add', 'two.example', 'bob', 'bob');
  await stage.run('setaccountpassword', 'bob');
}

async function imap(stage: Stage): Promise<{ client: LineClient; answer: string | undefined }> {
  const client = stage.client(1993);
  await client.until('* OK');
  const lines = await client.command(`a LOGIN ${BOB} "${PASSWORD}"`);
  return { client, answer: lines.at(-1) };
}

async function submission(
  stage: Stage,
  login: string = BOB,
  password: string = PASSWORD,
): Promise<{ client: LineClient; answer: string | undefined }> {
  const client = stage.client(1465);
  await client.until('220 ');
  client.send('EHLO here.example\r\n');
  await client.until('250 ');
  const plain = Buffer.from(`\0${login}\0${password}`).toString('base64');
  client.send(`AUTH PLAIN ${plain}\r\n`);
  return { client, answer: await client.line() };
}

/** The code at the end of DATA for a message from elsewhere. */
async function deliver(stage: Stage, to: string): Promise<string> {
  const socket = connectPlain({ host: stage.ip, port: 1025 });
  const client = new LineClient(socket);
  await client.until('220 ');
  for (const line of ['HELO x.example', 'MAIL FROM:<you@x.example>', `RCPT TO:<${to}>`, 'DATA']) {
    client.send(`${line}\r\n`);
    await client.line();
  }
  client.send('Subject: hello\r\n\r\nbody\r\n.\r\n');
  const answer = (await client.line()) ?? '';
  socket.destroy();
  return answer.slice(0, 3);
}

async function submit({ client }: { client: LineClient }, to: string): Promise<void> {
  for (const line of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${to}>`, 'DATA']) {
    client.send(`${line}\r\n`);
    assert.match((await client.line()) ?? '', /^(250|354) /);
  }
  client.send(`From: ${BOB}\r\nSubject: out\r\n\r\nbody\r\n.\r\n`);
  assert.match((await client.line()) ?? '', /^250 /);
}

it('operations 33: an account that is closed to logins says why, and gets its mail', async () => {
  await using stage = await openStage();
  await withBob(stage);
  assert.match((await imap(stage)).answer ?? '', /^a OK /);
  await stage.run('config', 'account', 'disable', 'bob', 'moved to elsewhere');
  assert.equal((await imap(stage)).answer, 'a NO moved to elsewhere');
  assert.match((await submission(stage)).answer ?? '', /^525 5\.7\.13 moved to elsewhere/);
  assert.equal(await deliver(stage, BOB), '250');
  await stage.run('config', 'account', 'enable', 'bob');
  const { client } = await imap(stage);
  assert.ok((await client.command('b STATUS INBOX (MESSAGES)'))[0]?.includes('MESSAGES 1'));
  assert.match((await submission(stage)).answer ?? '', /^235 /);
});

it('queue 35, operations 32: an account goes while it is in use', async () => {
  await using stage = await openStage();
  await withBob(stage);
  await stage.run('config', 'account', 'set', 'bob', '--keep-retired', '1h');
  await stage.run('queue', 'holdrules', 'add', '--account', 'bob');
  await stage.run('queue', 'suppress', 'add', 'bob', 'full@other.example');
  const reader = await imap(stage);
  reader.client.send('b SELECT INBOX\r\nc IDLE\r\n');
  await reader.client.until('+ ');
  const writer = await submission(stage);
  await submit(writer, 'a@other.example');
  await submit(writer, 'b@other.example');
  assert.equal((await stage.run('queue', 'list')).length, 2);

  const [said] = await stage.run('config', 'account', 'rm', 'bob');
  assert.match(said ?? '', /^bob is removed; its data go when/);
  assert.equal(await reader.client.line(), '* BYE [ALERT] your account was removed');
  assert.match((await writer.client.line()) ?? '', /^421 4\.7\.0 Your account was removed/);
  assert.match((await imap(stage)).answer ?? '', /^a NO \[AUTHENTICATIONFAILED\]/);
  const other = await submission(stage, LOGIN, LOGIN_PASSWORD);
  for (const line of [`MAIL FROM:<${LOGIN}>`, `RCPT TO:<${BOB}>`]) other.client.send(`${line}\r\n`);
  assert.match((await other.client.line()) ?? '', /^250 /);
  assert.match((await other.client.line()) ?? '', /^550 5\.1\.1 /);
  assert.deepEqual(await stage.run('queue', 'list'), ['(none)']);
  assert.deepEqual(await stage.run('queue', 'suppress', 'list'), ['(none)']);

  await stage.restart();
  assert.deepEqual(await stage.run('config', 'account', 'list'), ['daybook']);
  const retired = await stage.run('queue', 'retired', 'list', '--json');
  assert.equal(retired.length, 2);
  for (const line of retired) {
    assert.partialDeepStrictEqual(JSON.parse(line), { SenderAccount: 'bob', Success: false });
  }
  assert.ok(existsSync(path.join(stage.dir, 'data', 'accounts', '2')));
});

it('queue 35, operations 32: with nothing to remember, all of it goes at once', async () => {
  await using stage = await openStage();
  await withBob(stage);
  assert.equal(await deliver(stage, BOB), '250');
  const folder = path.join(stage.dir, 'data', 'accounts', '2');
  assert.ok(existsSync(folder));
  // The index of texts is being made.
  await delay(400);
  const [said] = await stage.run('config', 'account', 'rm', 'bob');
  assert.equal(said, 'bob is removed, with everything that it had.');
  assert.ok(!existsSync(folder));
  await stage.run('config', 'account', 'add', 'bob', BOB);
  assert.ok(existsSync(path.join(stage.dir, 'data', 'accounts', '3')), 'no number comes again');
  await stage.stop();
  const store = await openStore(stage.dir);
  for await (const wrong of store.verify(() => undefined)) assert.fail(JSON.stringify(wrong));
  await store.close();
});
