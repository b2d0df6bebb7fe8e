/**
 * Memory per idle connection; how fast one delivery reaches those that idle, beside Dovecot; and
 * how long a start takes with the views present.
 *
 * Dovecot waits half a second on purpose, to tell of several messages at once. Each connection is
 * a process of its own there; beyond the inotify instances that a user may have (128 by default)
 * they look for news only now and then, so that we compare with 100 connections.
 */

import { readFile } from 'node:fs/promises';
import type { ImapDriver } from '../support/imap-driver.ts';
import { startLocalserve } from '../support/localserve.ts';
import { openImap, type Server } from './beside.ts';
import { startDovecot } from './dovecot.ts';
import { median, type BenchRow } from './row.ts';

const CONNECTIONS = 1000;
const BESIDE = 100;
const ROUNDS = 9;
const TEXT = 'Subject: wake up\r\n\r\nhello\r\n';

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  await using server = await startLocalserve();
  const ours = { ip: server.ip, imapPort: 1143 };
  const few = await idling(ours, BESIDE);
  await using dovecot = await startDovecot(say);
  const row = {
    what: `one delivery reaches ${BESIDE} idle`,
    unit: 'ms',
    ours: await fanOut(ours, few),
  };
  rows.push(dovecot === undefined ? row : { ...row, peer: await peerFanOut(dovecot) });
  for (const driver of few) driver.close();

  const before = await residentMb(server.pid);
  const idle = await idling(ours, CONNECTIONS);
  const after = await residentMb(server.pid);
  const memory = (after - before) / CONNECTIONS;
  rows.push({ what: 'memory per idle connection', unit: 'MB', ours: memory });
  const what = `one delivery reaches ${CONNECTIONS} idle`;
  rows.push({ what, unit: 'ms', ours: await fanOut(ours, idle) });
  say(rows.map((each) => `${each.what}: ${each.ours.toFixed(3)} ${each.unit}`).join('; '));
  for (const driver of idle) driver.close();
  await server.stop();
  rows.push(await startUp(server.dir));
  return rows;
}

async function peerFanOut(
  dovecot: Server & { readonly name: string },
): Promise<NonNullable<BenchRow['peer']>> {
  const idle = await idling(dovecot, BESIDE);
  const value = await fanOut(dovecot, idle);
  for (const driver of idle) driver.close();
  return { name: dovecot.name, value };
}

async function idling(server: Server, count: number): Promise<readonly ImapDriver[]> {
  const idle: ImapDriver[] = [];
  for (let i = 0; i < count; i++) {
    const driver = await openImap(server);
    await driver.command('SELECT INBOX');
    driver.sendRaw('i IDLE\r\n');
    await driver.untagged(/^\+ /m);
    idle.push(driver);
  }
  return idle;
}

/** From an APPEND to the last who heard of it. */
async function fanOut(server: Server, idle: readonly ImapDriver[]): Promise<number> {
  const writer = await openImap(server);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const heard = idle.map((driver) => driver.untagged(/EXISTS/));
    const start = performance.now();
    await writer.command(`APPEND INBOX {${TEXT.length}+}\r\n${TEXT}`);
    await Promise.all(heard);
    times.push(performance.now() - start);
  }
  writer.close();
  return median(times);
}

/** From spawn to the `ready` line, on a folder that has data. */
async function startUp(dir: string): Promise<BenchRow> {
  const start = performance.now();
  await using again = await startLocalserve({ dir });
  const ours = performance.now() - start;
  await again.stop();
  return { what: 'start to listening', unit: 'ms', ours };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
