/**
 * A server's folder without its servers: mail comes in through the lanes, and copies of it are made
 * and put back as the command line does it.
 */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openFolder } from './folder.ts';
import { ARRIVAL } from './given.ts';
import { silentLog } from './silent-log.ts';
import { temporaryDirectory } from './temporary.ts';
import { prepareLocal } from '#compose';
import { backup, restore } from '#compose-backup';
import { isRefusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import { readManifest, type Manifest } from '#infra/backup-manifest';
import { verifyBackup } from '#infra/backup-read';
import type { Engine } from '#infra/engine';
import { verifyEngine, type Finding } from '#infra/verify';
import type { BackupRequest, RestoredServer, RestoreRequest } from '#protocols/cli/openers';

export const ACCOUNT = 1;
const CAUSE = { actor: 'test' };

export interface BackedUp {
  readonly missing: readonly string[];
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  readonly manifest: Manifest;
}

export interface Home extends AsyncDisposable {
  readonly dir: string;
  readonly engine: Engine;
  /** A place for other folders; gone with the test. */
  file(name: string): string;
  /** A message with this subject comes into Inbox; the hash of its body. */
  deliver(subject: string, accountId?: AccountId): Promise<string>;
  /** Of the whole log. */
  position(): Promise<number>;
  backup(target: string, more?: Partial<BackupRequest>): Promise<BackedUp>;
  /** Nobody uses the folder meanwhile. */
  offline(target: string, more?: Partial<BackupRequest>): Promise<BackedUp>;
}

/** `isNew`: with a log of its own, which takes a while. */
export async function openHome(isNew = false): Promise<Home> {
  const directory = await temporaryDirectory();
  const dir = directory.file('home');
  if (isNew) await prepareLocal({ dir, limits: false });
  else await cp(await preparedFolder(), dir, { recursive: true });
  let engine = await openFolder(dir);
  return {
    dir,
    get engine() {
      return engine;
    },
    file: (name) => directory.file(name),
    deliver: (subject, accountId) => deliver(engine, subject, accountId),
    position: async () => (await engine.eventLog.readAll(0, 1_000_000)).at(-1)?.position ?? 0,
    backup: (target, more) => makeBackup(dir, target, more),
    async offline(target, more) {
      await engine.close();
      try {
        return await makeBackup(dir, target, { ...more, offline: true });
      } finally {
        engine = await openFolder(dir);
      }
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

let prepared: Promise<string> | undefined;

/** Passwords take their time: one folder is made, and copied. */
function preparedFolder(): Promise<string> {
  prepared ??= (async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'daybook-prepared-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    await prepareLocal({ dir: folder, limits: false });
    return folder;
  })();
  return prepared;
}

async function deliver(
  { bodies, lanes }: Engine,
  subject: string,
  accountId: AccountId = ACCOUNT,
): Promise<string> {
  const octets = Buffer.from(`Subject: ${subject}\r\n\r\nhello ${subject}\r\n`);
  const staged = await bodies.stage(
    (async function* () {
      yield octets;
    })(),
    1_000_000,
  );
  await bodies.link(staged, accountId);
  await staged.discard();
  const message = {
    body: staged.hash,
    prefix: '',
    sizeBytes: octets.length,
    flags: [],
    receivedAt: Date.now(),
    zoneMinutes: 0,
  };
  const command = { type: 'DeliverMessage', mailbox: 'Inbox', message, arrival: ARRIVAL } as const;
  const done = await lanes.execute(accountId, command, CAUSE);
  assert.ok(!isRefusal(done));
  return staged.hash;
}

export async function makeBackup(
  dir: string,
  target: string,
  more: Partial<BackupRequest> = {},
): Promise<BackedUp> {
  const notes: string[] = [];
  const warnings: string[] = [];
  const missing = await backup(dir, {
    target,
    offline: false,
    withKeys: true,
    goOn: () => Promise.resolve(),
    note: (text) => void notes.push(text),
    warn: (sentence) => void warnings.push(sentence),
    ...more,
  });
  const { manifest } = await readManifest(target);
  return { missing, notes, warnings, manifest };
}

export function restoreTo(
  from: string,
  target: string,
  more: Partial<RestoreRequest> = {},
): Promise<RestoredServer> {
  return restore(from, { target, priors: [], exact: false, note: () => undefined, ...more });
}

export async function findingsIn(
  from: string,
  ...priors: readonly string[]
): Promise<readonly Finding[]> {
  return all(verifyBackup(from, priors, () => undefined));
}

/** What stands in every table of every view, made from the log if need be. */
export async function digestsOf(engine: Engine): Promise<ReadonlyMap<string, string>> {
  const found: [string, string][] = [...engine.books.digests()];
  for (const accountId of engine.directory.state.accounts.keys()) {
    for (const [table, digest] of await engine.lanes.digests(accountId)) {
      found.push([`${accountId}: ${table}`, digest]);
    }
  }
  return new Map(found);
}

/** Everything wrong with the data of an engine. */
export function problemsOf(engine: Engine): Promise<readonly Finding[]> {
  return all(verifyEngine(engine, silentLog, () => undefined));
}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export /** Every file below a folder with its content, to see that nothing happened to it. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const found = new Map<string, string>();
  for (const file of files.sort()) {
    found.set(path.relative(folder, file), await readFile(file, 'latin1'));
  }
  return found;
}

export async function deliverSome(home: Home, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await home.deliver(`${count} ${n}`);
}

/** What a server on the folder says is in Inbox. */
export async function inboxOf(folder: string): Promise<{
  readonly messages: number;
  readonly uidValidity: number;
  readonly pausedFor: string | null;
  readonly problems: readonly unknown[];
}> {
  const engine = await openFolder(folder);
  try {
    const inbox = (await engine.lanes.account(ACCOUNT)).mailboxNamed('Inbox');
    const { pausedFor } = engine.directory.state;
    assert.ok(inbox !== undefined);
    const { exists: messages, uidValidity } = inbox;
    return { messages, uidValidity, pausedFor, problems: await problemsOf(engine) };
  } finally {
    await engine.close();
  }
}
