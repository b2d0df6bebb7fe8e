/**
 * One measurement twice: of our server, and of Dovecot where it can be had, by the same raw driver
 * on loopback.
 */

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { startDovecot, type DovecotSync } from './dovecot.ts';
import type { BenchRow } from './row.ts';

export interface Server {
  readonly ip: string;
  readonly imapPort: number;
  /** Where it is known, what the server does when nobody waits is waited for. */
  readonly pid?: number;
}

export type Note = (what: string, unit: string, value: number) => void;

type Measured = Map<string, { readonly unit: string; readonly value: number }>;

export async function besideDovecot(
  say: (text: string) => void,
  measure: (server: Server, note: Note) => Promise<void>,
  sync?: DovecotSync,
): Promise<readonly BenchRow[]> {
  await using ours = await startLocalserve();
  await using dovecot = await startDovecot(say, sync);
  const of = async (server: Server, name: string): Promise<Measured> => {
    const results: Measured = new Map();
    await measure(server, (what, unit, value) => {
      say(`${name}: ${what}: ${value.toFixed(value < 10 ? 3 : 1)} ${unit}`);
      results.set(what, { unit, value });
    });
    return results;
  };
  const mine = await of({ ip: ours.ip, imapPort: 1143, pid: ours.pid }, 'daybook');
  const peer = dovecot === undefined ? undefined : await of(dovecot, dovecot.name);
  return Array.from(mine, ([what, { unit, value }]): BenchRow => {
    const other = peer?.get(what);
    const row = { what, unit, ours: value };
    if (other === undefined || dovecot === undefined) return row;
    return { ...row, peer: { name: dovecot.name, value: other.value } };
  });
}

export async function openImap(server: Server): Promise<ImapDriver> {
  const driver = await ImapDriver.open(server.ip, server.imapPort);
  await driver.command(`LOGIN ${LOGIN} ${PASSWORD}`);
  return driver;
}

/**
 * Fills a new mailbox, many messages to a command (RFC 3502), flags of every tenth set, and waits
 * until the server has nothing more to do for them: a full-text index, which the peer has not.
 */
export async function fillMailbox(
  server: Server,
  mailbox: string,
  count: number,
  message: (i: number) => string,
): Promise<void> {
  const driver = await openImap(server);
  await driver.command(`CREATE ${mailbox}`);
  const perCommand = 200;
  for (let done = 0; done < count; done += perCommand) {
    let text = `APPEND ${mailbox}`;
    for (let i = done; i < Math.min(count, done + perCommand); i++) {
      const body = message(i);
      text += ` ${i % 10 === 0 ? '(\\Seen) ' : ''}{${body.length}+}\r\n${body}`;
    }
    const answer = (await driver.command(text)).toString('latin1');
    if (!answer.includes(' OK ')) throw new Error(answer.slice(-300));
  }
  driver.close();
  if (server.pid !== undefined) await quiet(server.pid);
}

const LOOK_MS = 1000;
/** Hundredths of a second of a processor. */
const QUIET_TICKS = 3;

async function quiet(pid: number): Promise<void> {
  for (let before = await ticks(pid); ;) {
    await pause(LOOK_MS);
    const now = await ticks(pid);
    if (now - before <= QUIET_TICKS) return;
    before = now;
  }
}

/** How long a process has had a processor so far; always the same where nobody says so. */
async function ticks(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
