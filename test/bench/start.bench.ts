/**
 * From the start of the process to its `ready` line: with an empty log and with 1,000,000 events,
 * the views being there and having to be made anew.
 */

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountEvent } from '#domain/log/streams';
import { newEventOf } from '#domain/log/fact';
import { openSqliteEventLog } from '#infra/event-log-sqlite';
import { stored } from '../support/given.ts';
import { ImapDriver } from '../support/imap-driver.ts';
import { freeLoopbackAddress, LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { median, type BenchRow } from './row.ts';

const EVENTS = 1_000_000;
const MESSAGES = 10_000;
const PER_APPEND = 500;
const STREAM = 'account-1';
const INBOX = 1;
const STARTS = 5;

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const ip = freeLoopbackAddress();
  const rows: BenchRow[] = [];
  const note = (what: string, ours: number): void => {
    say(`${what}: ${ours.toFixed(0)} ms`);
    rows.push({ what, unit: 'ms', ours });
  };
  note('first start: keys, configuration, account', await startMs(dir, ip));
  note('start, log of a few events', await medianStartMs(dir, ip));
  await fill(join(dir, 'data', 'log.db'));
  await removeViews(dir);
  note('start, 1,000,000 events, views of the server missing', await startMs(dir, ip));
  note('start and first SELECT, views of the account missing', await startMs(dir, ip, firstSelect));
  note('start, 1,000,000 events, views present', await medianStartMs(dir, ip));
  note('start and first SELECT, views present', await startMs(dir, ip, firstSelect));
  return rows;
}

async function medianStartMs(dir: string, ip: string): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < STARTS; i++) taken.push(await startMs(dir, ip));
  return median(taken);
}

async function startMs(
  dir: string,
  ip: string,
  use: (ip: string) => Promise<void> = async () => undefined,
): Promise<number> {
  const begun = performance.now();
  await using server = await startLocalserve({ dir, ip });
  await use(ip);
  const taken = performance.now() - begun;
  await server.stop();
  return taken;
}

async function firstSelect(ip: string): Promise<void> {
  const client = await ImapDriver.open(ip, 1143);
  await client.command(`LOGIN ${LOGIN} ${PASSWORD}`);
  await client.command('SELECT INBOX');
  client.close();
}

/** A mailbox whose flags were changed very often. */
async function fill(file: string): Promise<void> {
  await using log = await openSqliteEventLog({
    file,
    onFatal: (fault) => {
      throw fault;
    },
  });
  let head = await log.head(STREAM);
  const append = async (events: readonly AccountEvent[]): Promise<void> => {
    const cause = { actor: 'imap:bench' };
    const news = events.map((event) => newEventOf(event, randomUUID(), Date.now(), cause));
    head = (await log.append(STREAM, head, news)).revision;
  };
  for (let first = 1; first <= MESSAGES; first += PER_APPEND) {
    const messages = Array.from({ length: PER_APPEND }, (_, i) => ({
      ...stored(),
      uid: first + i,
      messageId: first + i,
    }));
    await append([{ type: 'MessagesAppended', mailboxId: INBOX, messages }]);
  }
  for (let n = MESSAGES; n < EVENTS; n += PER_APPEND) {
    await append(Array.from({ length: PER_APPEND }, (_, i) => flagging(n + i)));
  }
}

/** Each message gets the flag and loses it again, all in turn. */
function flagging(n: number): AccountEvent {
  const isSet = Math.floor(n / MESSAGES) % 2 === 0;
  return {
    type: 'FlagsChanged',
    mailboxId: INBOX,
    uids: String(1 + (n % MESSAGES)),
    edit: isSet ? { add: ['\\Seen'], remove: [] } : { add: [], remove: ['\\Seen'] },
  };
}

async function removeViews(dir: string): Promise<void> {
  const views = [join(dir, 'data', 'server.db'), join(dir, 'data', 'accounts', '1', 'views.db')];
  for (const file of views) {
    for (const suffix of ['', '-wal', '-shm']) await rm(file + suffix, { force: true });
  }
}
