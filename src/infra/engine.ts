/**
 * The data directory in use: lock, log, bodies, secrets, views and lanes, opened in order and
 * closed in reverse. Nothing of it speaks a protocol.
 */

import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { policyOf } from '#domain/directory/state';
import type { EventLog } from '#domain/log/event-log';
import type { MessageFacts } from '#domain/values/facts';
import { Fault } from '#domain/values/fault';
import type { AccountId } from '#domain/values/ids';
import type { KeyHolder, Log, Views } from '#protocols/ports';
import { AuditTrail } from './audit.ts';
import { AccountRegister } from './account-register.ts';
import { Ballast } from './ballast.ts';
import { bodyFile, openBodies, type BodyStore } from './bodies.ts';
import { BodySweep } from './body-sweep.ts';
import { systemClock, systemRandom } from './clock.ts';
import { takeDataLock } from './data-lock.ts';
import { DkimKeyring } from './dkim-keys.ts';
import { DirectoryLane } from './directory-lane.ts';
import { openSqliteEventLog, type SqliteEventLog } from './event-log-sqlite.ts';
import { Lanes } from './lanes.ts';
import { Live } from './live.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { ServerBooks } from './server-books.ts';
import { TextIndex } from './text-index.ts';
import { textThreads } from './text-thread.ts';
import { TlsKeyRegister } from './tls-keys.ts';
import { TlsRecorder } from './tls-results.ts';

export interface EngineOptions {
  readonly dataDir: string;
  readonly secretsKeyFile: string;
  readonly log: Log;
  readonly readFacts: (body: Buffer) => MessageFacts;
  /** The module that reads messages for full-text indexes; without it there are none. */
  readonly textReader: string | undefined;
  /** How long the body of a removed message is kept, when it is not as long as usual. */
  readonly keepExpungedMs?: number;
  /** Nobody can carry on: the process must end; the next start repairs. */
  readonly fatal: (error: unknown) => void;
}

export interface Engine {
  readonly eventLog: SqliteEventLog;
  readonly bodies: BodyStore;
  readonly secrets: Secrets;
  readonly books: ServerBooks;
  readonly lanes: Lanes;
  readonly directory: DirectoryLane;
  readonly live: Live;
  readonly accounts: AccountRegister;
  readonly tlsKeys: TlsKeyRegister;
  readonly dkimKeys: DkimKeyring;
  readonly audit: AuditTrail;
  readonly tlsResults: TlsRecorder;
  readonly texts: TextIndex | undefined;
  /** Not started; what copies bodies runs while it is paused. */
  readonly sweep: BodySweep;
  close(): Promise<void>;
}

/** Names of files in a data directory; docs/formats.md describes each. */
export const LOG_FILE = 'log.db';
const SERVER_VIEWS_FILE = 'server.db';
/** Of an account; see `accountFile`. */
export const VIEWS_FILE = 'views.db';
const ACCOUNTS_DIRECTORY = 'accounts';

/** Where the files of an account are. */
export function accountDirectory(dataDir: string, accountId: AccountId): string {
  return path.join(dataDir, ACCOUNTS_DIRECTORY, String(accountId));
}

export function accountFile(dataDir: string, accountId: AccountId, name: string): string {
  return path.join(accountDirectory(dataDir, accountId), name);
}

/** Throws a Fault with one sentence when the directory is in use, damaged or not to be written. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { dataDir, readFacts, fatal } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o750 });
    const lock = takeDataLock(dataDir);
    closers.push(() => lock.release());
    const secrets = await openSecrets({
      directory: path.join(dataDir, 'secrets'),
      keyFile: options.secretsKeyFile,
      random: systemRandom,
    });
    const file = path.join(dataDir, LOG_FILE);
    requireLogOf(dataDir, file);
    const eventLog = await openSqliteEventLog({ file, onFatal: fatal });
    closers.push(() => eventLog.close());
    const ballast = new Ballast(dataDir);
    const bodies = openBodies({ dir: dataDir, ballast, readFacts, fatal });
    closers.push(() => bodies.close());
    const recovered = await bodies.recover();
    if (recovered > 0) options.log.info({ bodies: recovered }, 'bodies taken from the journal');
    const notes = options.log.child({ pkg: 'views' });
    const books = await ServerBooks.open(path.join(dataDir, SERVER_VIEWS_FILE), {
      log: eventLog,
      notes,
      clock: systemClock,
    });
    closers.push(() => books.close());
    const live = new Live();
    closers.push(() => live.close());
    const makeRoom = (): void => ballast.spend();
    const ports = { log: eventLog, clock: systemClock, random: systemRandom, makeRoom, fatal };
    const lanes = new Lanes({
      ...ports,
      notes,
      factsOf: (accountId) => (hash) => bodies.facts(accountId, hash),
      fileOf: (accountId) => accountFile(dataDir, accountId, VIEWS_FILE),
      policyOf: (accountId) => policyOf(directory.state, accountId),
      announce: (accountId, facts) => {
        books.follow(accountId, facts);
        live.announce({ accountId, facts });
        texts?.follow(accountId, facts);
      },
    });
    closers.push(() => lanes.close());
    const texts = openTexts(options, eventLog, lanes);
    closers.push(() => texts?.close());
    const known = (): ReadonlyMap<AccountId, unknown> => directory.state.accounts;
    const sweep = sweepOf(options, known, { bodies, lanes });
    closers.push(() => sweep.stop());
    const directory = await DirectoryLane.open(ports);
    closers.push(() => directory.close());
    const accounts = new AccountRegister(directory, lanes);
    const tlsKeys = new TlsKeyRegister({ directory, commands: lanes, books });
    const dkimKeys = new DkimKeyring(directory, secrets);
    const keyHolder = (fingerprint: string): KeyHolder | undefined => tlsKeys.holder(fingerprint);
    const audit = await AuditTrail.open({ ...ports, notes, directory, books, keyHolder });
    closers.push(() => audit.close());
    const tlsResults = await TlsRecorder.open({ ...ports, notes, books });
    closers.push(() => tlsResults.close());
    const stores = { eventLog, bodies, secrets, books, lanes, directory, live, audit, texts };
    return { ...stores, sweep, accounts, tlsKeys, dkimKeys, tlsResults, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function sweepOf(
  { dataDir, keepExpungedMs, log, fatal }: EngineOptions,
  accounts: () => ReadonlyMap<AccountId, unknown>,
  { bodies, lanes }: Pick<Engine, 'bodies' | 'lanes'>,
): BodySweep {
  return new BodySweep({
    dir: dataDir,
    bodies,
    lanes,
    accounts,
    clock: systemClock,
    notes: log.child({ pkg: 'bodies' }),
    fatal,
    keepExpungedMs,
  });
}

function openTexts(
  { dataDir, textReader, log }: EngineOptions,
  eventLog: EventLog,
  views: Views,
): TextIndex | undefined {
  if (textReader === undefined) return undefined;
  return new TextIndex({
    log: eventLog,
    views,
    clock: systemClock,
    notes: log.child({ pkg: 'texts' }),
    fileOf: (accountId) => accountFile(dataDir, accountId, 'texts.db'),
    bodyFileOf: (accountId, hash) => bodyFile(dataDir, accountId, hash),
    startThread: textThreads(textReader),
  });
}

/** A log that is gone is not a new one: everything else would be thrown away to fit it. */
function requireLogOf(dataDir: string, file: string): void {
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.size;
  if ((sizeBytes ?? 0) > 0 || !existsSync(path.join(dataDir, ACCOUNTS_DIRECTORY))) return;
  const state = sizeBytes === undefined ? 'missing' : 'empty';
  const sentence = `The event log ${file} is ${state}, but accounts are there; put it back.`;
  throw new Fault('LogUnavailable', sentence, { temporary: false });
}
