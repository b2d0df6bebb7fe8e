/**
 * Memory per idle connection, how fast one delivery reaches 1,000 of them, and how long a start
 * takes with the views present.
 */

import { readFile } from 'node:fs/promises';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import type { BenchRow } from './row.ts';

const CONNECTIONS = 1000;
const TEXT = 'Subject: wake up\r\n\r\nhello\r\n';

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  await using server = await startLocalserve();
  const writer = await ImapDriver.open(server.ip, 1143);
  await writer.command(`LOGIN ${LOGIN} ${PASSWORD}`);
  await writer.command(`APPEND INBOX {${TEXT.length}+}\r\n${TEXT}`);
  const before = await residentMb(server.pid);
  const idle: ImapDriver[] = [];
  for (let i = 0; i < CONNECTIONS; i++) {
    const driver = await ImapDriver.open(server.ip, 1143);
    await driver.command(`LOGIN ${LOGIN} ${PASSWORD}`);
    await driver.command('SELECT INBOX');
    driver.sendRaw('i IDLE\r\n');
    await driver.untagged(/^\+ /m);
    idle.push(driver);
  }
  const after = await residentMb(server.pid);
  rows.push({
    what: 'memory per idle connection',
    unit: 'MB',
    ours: (after - before) / CONNECTIONS,
  });
  const start = performance.now();
  const heard = idle.map((driver) => driver.untagged(/EXISTS/));
  await writer.command(`APPEND INBOX {${TEXT.length}+}\r\n${TEXT}`);
  await Promise.all(heard);
  rows.push({
    what: 'one delivery reaches 1,000 idle',
    unit: 'ms',
    ours: performance.now() - start,
  });
  say(rows.map(({ what, ours, unit }) => `${what}: ${ours.toFixed(3)} ${unit}`).join('; '));
  for (const driver of idle) driver.close();
  writer.close();
  await server.stop();
  rows.push(await startUp(server.dir));
  return rows;
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
