/**
 * An older copy of the log is put in the place of a longer one: after `bumpuidvalidity` a mail
 * client begins anew, and nothing of what is gone is left in the views.
 */

import assert from 'node:assert/strict';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { runDaybook } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const IMAP_PORT = 1143;

it('an older log makes clients begin anew (item 210)', async () => {
  await using directory = await temporaryDirectory();
  const dir = path.join(directory.path, 'daybook');
  const copy = path.join(directory.path, 'copy');
  let ip = '';
  {
    await using server = await startLocalserve({ dir });
    ip = server.ip;
    await append(ip, 3);
    assert.equal(await server.stop(), 0, server.said());
  }
  await copyLog(dir, copy);
  let before: Told;
  {
    await using server = await startLocalserve({ dir, ip });
    await append(ip, 2);
    before = await told(ip, 'SELECT Inbox');
    assert.equal(before.exists, 5);
    assert.equal(await server.stop(), 0, server.said());
  }
  await copyLog(copy, dir);
  const bumped = await runDaybook(['bumpuidvalidity', '--dir', dir]);
  assert.equal(bumped.stdout, 'daybook: 6 mailboxes have a new UIDVALIDITY\n', bumped.stderr);
  const byName = await runDaybook(['bumpuidvalidity', 'DayBook', '--dir', dir]);
  assert.equal(byName.stdout, bumped.stdout, 'a name is one in any case');
  {
    await using server = await startLocalserve({ dir, ip });
    await append(ip, 1);
    const known = `${before.uidValidity} ${before.modSeq}`;
    const after = await told(ip, `SELECT Inbox (QRESYNC (${known}))`);
    assert.equal(after.exists, 4);
    assert.ok(after.uidValidity > before.uidValidity);
    assert.ok(after.modSeq > before.modSeq);
    assert.doesNotMatch(after.text, /VANISHED|FETCH/);
    assert.equal(await server.stop(), 0, server.said());
  }
  const verdict = await runDaybook(['verifydata', '--dir', dir]);
  assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
});

/** The files of the log, in the place of those that are there. */
async function copyLog(from: string, to: string): Promise<void> {
  const [source, target] = [path.join(from, 'data'), path.join(to, 'data')];
  await mkdir(target, { recursive: true });
  const isLog = (name: string): boolean => name.startsWith('log.db');
  for (const name of (await readdir(target)).filter(isLog)) await rm(path.join(target, name));
  for (const name of (await readdir(source)).filter(isLog)) {
    await cp(path.join(source, name), path.join(target, name));
  }
}

async function loggedIn(ip: string): Promise<ImapDriver> {
  const driver = await ImapDriver.open(ip, IMAP_PORT);
  await driver.command(`LOGIN ${LOGIN} ${PASSWORD}`);
  await driver.command('ENABLE QRESYNC');
  return driver;
}

async function append(ip: string, count: number): Promise<void> {
  const driver = await loggedIn(ip);
  for (let n = 1; n <= count; n++) {
    const answer = await driver.command(`APPEND Inbox {14+}\r\nSubject: ${n}\r\n\r\n`);
    assert.match(answer.toString(), /OK \[APPENDUID /);
  }
  driver.close();
}

interface Told {
  readonly text: string;
  readonly exists: number;
  readonly uidValidity: number;
  readonly modSeq: number;
}

async function told(ip: string, command: string): Promise<Told> {
  const driver = await loggedIn(ip);
  const text = (await driver.command(command)).toString();
  driver.close();
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1]);
  return {
    text,
    exists: number(/\* (\d+) EXISTS/),
    uidValidity: number(/\[UIDVALIDITY (\d+)\]/),
    modSeq: number(/\[HIGHESTMODSEQ (\d+)\]/),
  };
}
