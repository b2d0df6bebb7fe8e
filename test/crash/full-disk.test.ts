/**
 * A disk without room: mail is refused for the time being, what is there can be read, nothing that
 * was acknowledged is lost, and everything goes on when there is room again.
 *
 * The disk is a small one in memory, which only root may mount.
 */

import assert from 'node:assert/strict';
import { it, suite } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LOGIN, startLocalserve, type Localserve } from '../support/localserve.ts';
import { appendCommand, deliver, logIn, said } from '../support/mail-answers.ts';
import { runDaybook } from '../support/programs.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { smallDisk, type SmallDisk } from '../support/small-disk.ts';

const SMALL = 2000;
const LARGE = 1_000_000;
/** Retries included. */
const ARRIVAL_MS = 20_000;
const FOR_NOW = /^45[12] 4\.3\.[01] [^\r\n]+\r\n$/;

/** Delivers until that is refused; the subjects that were taken. */
async function deliverUntilRefused(ip: string, kind: string, bytes: number): Promise<string[]> {
  const taken: string[] = [];
  const client = await SmtpDriver.open(ip, 1025);
  await client.ask('EHLO client.example', 250);
  for (;;) {
    const subject = `${kind}-${taken.length}`;
    const message = `Subject: ${subject}\r\n\r\n${'some words and\r\n'.repeat(bytes / 16)}`;
    const reply = await client.send('you@example.org', LOGIN, message);
    if (!reply.startsWith('250 ')) {
      assert.match(reply, FOR_NOW);
      client.close();
      return taken;
    }
    taken.push(subject);
  }
}

/** The same for mail of our users, at most so many. */
async function submitUntilRefused(ip: string, kind: string, atMost = 50): Promise<string[]> {
  const taken: string[] = [];
  const client = await SmtpDriver.openSubmission(ip);
  while (taken.length < atMost) {
    const subject = `${kind}-${taken.length}`;
    const message = `From: <${LOGIN}>\r\nSubject: ${subject}\r\n\r\nhello`;
    const reply = await client.send(LOGIN, 'friend@example.org', message);
    if (!reply.startsWith('250 ')) {
      assert.match(reply, FOR_NOW);
      break;
    }
    taken.push(subject);
  }
  client.close();
  return taken;
}

async function subjectsOf(ip: string): Promise<string[]> {
  const client = await logIn(ip);
  await said(client, 'EXAMINE INBOX');
  const listed = await said(client, 'UID FETCH 1:* (FLAGS BODY.PEEK[])');
  client.close();
  return [...listed.matchAll(/^Subject: (\S+)\r\n/gm)].map(([, subject = '']) => subject);
}

suite('a full disk', () => {
  it('refuses mail, lets read, and goes on when there is room', async (t) => {
    await using disk = await smallDisk();
    if (disk === undefined) return t.skip('a small disk cannot be mounted here');
    const { dir } = disk;
    await using server = await startLocalserve({ dir });
    const { ip } = server;
    assert.match(await deliver(ip, 'early'), /^250 /);
    const taken = ['early'];
    for (const [kind, leaveBytes, bytes] of [
      ['large', 3 * LARGE, LARGE],
      ['small', 500_000, SMALL],
      ['tiny', 20_000, 200],
    ] as const) {
      disk.fill(leaveBytes);
      taken.push(...(await deliverUntilRefused(ip, kind, bytes)));
    }
    await refusesOtherChanges(ip);
    areThere(await subjectsOf(ip), taken);

    disk.free();
    assert.match(await deliver(ip, 'late'), /^250 /);
    const client = await logIn(ip);
    await said(client, appendCommand('INBOX', 'Subject: appended-late\r\n\r\nhello\r\n'));
    await said(client, 'SELECT INBOX');
    await said(client, 'UID STORE 1:* +FLAGS (\\Seen)');
    client.close();
    taken.push('late', 'appended-late');
    areThere(await subjectsOf(ip), taken);
    t.diagnostic(`${taken.length} messages taken`);
    assert.equal(await server.stop(), 0, server.said());
    const verdict = await runDaybook(['verifydata', '--dir', dir]);
    assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
  });

  it('keeps the queue whole, however little room there is', async (t) => {
    await using disk = await smallDisk();
    if (disk === undefined) return t.skip('a small disk cannot be mounted here');
    const { dir } = disk;
    await using server = await startLocalserve({ dir });
    const { ip } = server;
    const taken: string[] = [];
    for (let leaveBytes = 4096; leaveBytes < 200_000; leaveBytes += 24_576) {
      disk.fill(leaveBytes);
      taken.push(...(await submitUntilRefused(ip, `room-${leaveBytes}`)));
      disk.free();
      // With room again, the next mail finds the ballast whole.
      assert.match(await deliver(ip, `late-${leaveBytes}`), /^250 /);
      taken.push(`late-${leaveBytes}`);
    }
    taken.push(...(await submitUntilRefused(ip, 'room', 10)));
    const giveUpAt = Date.now() + ARRIVAL_MS;
    for (;;) {
      const there = await subjectsOf(ip);
      assert.equal(new Set(there).size, there.length, 'something is there twice');
      const missing = taken.filter((subject) => !there.includes(subject));
      if (missing.length === 0) break;
      assert.ok(Date.now() < giveUpAt, `never came: ${missing.join(' ')}`);
      await delay(200);
    }
    areThere(await subjectsOf(ip), taken);
    t.diagnostic(`${taken.length} messages taken`);
    assert.equal(await server.stop(), 0, server.said());
    const verdict = await runDaybook(['verifydata', '--dir', dir]);
    assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
  });

  it('hinders a start with one sentence at most', async (t) => {
    await using disk = await smallDisk();
    if (disk === undefined) return t.skip('a small disk cannot be mounted here');
    const { dir } = disk;
    let ip: string;
    {
      await using server = await startLocalserve({ dir });
      ip = server.ip;
      assert.match(await deliver(ip, 'early'), /^250 /);
      await server.kill();
    }
    disk.fill(0);
    await startsOrSaysWhy(disk, ip);
    disk.free();
    await using server = await startLocalserve({ dir, ip });
    areThere(await subjectsOf(ip), ['early']);
    assert.equal(await server.stop(), 0);
  });
});

/** Each is refused for now, or found room. */
async function refusesOtherChanges(ip: string): Promise<void> {
  const client = await logIn(ip);
  await said(client, 'SELECT INBOX');
  for (const command of [
    appendCommand('INBOX', `Subject: appended-early\r\n\r\n${'word '.repeat(100_000)}\r\n`),
    appendCommand('INBOX', `Subject: appended-early\r\n\r\n${'word '.repeat(20_000)}\r\n`),
  ]) {
    const answer = (await client.command(command)).toString('latin1');
    assert.match(answer, /^T\d+x NO \[(OVERQUOTA|UNAVAILABLE)\] [^\r\n]+\r\n$/m);
  }
  for (const command of ['UID STORE 1 +FLAGS (\\Flagged)', 'CREATE Later', 'NOOP']) {
    const answer = (await client.command(command)).toString('latin1');
    assert.match(answer, /^T\d+x (OK|NO \[(OVERQUOTA|UNAVAILABLE)\]) [^\r\n]+\r\n$/m);
  }
  client.close();
  const submission = await SmtpDriver.openSubmission(ip);
  const message = `From: <${LOGIN}>\r\nSubject: submitted\r\n\r\n${'word '.repeat(20_000)}`;
  const reply = await submission.send(LOGIN, 'friend@example.org', message);
  assert.match(reply, FOR_NOW);
  submission.close();
}

async function startsOrSaysWhy(disk: SmallDisk, ip: string): Promise<void> {
  let server: Localserve;
  try {
    server = await startLocalserve({ dir: disk.dir, ip });
  } catch (error) {
    assert.match(String(error), /localserve ended with 1 before it was ready:\ndaybook: [^\n]+\n$/);
    return;
  }
  areThere(await subjectsOf(ip), ['early']);
  // The start has emptied the journal of the run before.
  disk.fill(0);
  assert.match(await deliver(ip, 'no room'), /^45[12] /);
  assert.equal(await server.stop(), 0);
}

/** Each of them, once, and nothing that was refused. */
function areThere(there: readonly string[], wanted: readonly string[]): void {
  assert.deepEqual(there.toSorted(), wanted.toSorted());
}
