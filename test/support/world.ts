/**
 * A small world for servers of a test: log in memory, views and bodies in a directory that is gone
 * afterwards, time and chance that do as told, and everything said into the log kept.
 */

import { notedAttempts, type NotedAttempts } from './attempts.ts';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { fakeLogins } from './logins.ts';
import { nearFiler } from './near-filer.ts';
import { nearReader } from './readings.ts';
import { temporaryDirectory } from './temporary.ts';
import { nearTextThread } from './text-threads.ts';
import type { AccountCommand, AnswerTo } from '#domain/account';
import { DEFAULT_POLICY, DEFAULT_SETTINGS, type AccountSettings } from '#domain/directory/settings';
import type { EventLog } from '#domain/log/event-log';
import { isRefusal } from '#domain/values/decision';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { bodyFile, openBodies, type BodyStore } from '#infra/bodies';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { Lanes } from '#infra/lanes';
import { Live } from '#infra/live';
import { openRates } from '#infra/rates';
import { TextIndex } from '#infra/text-index';
import type { StartTextThread } from '#infra/text-thread';
import { readFacts } from '#protocols/message/facts';
import type {
  Done,
  KeyHolder,
  Log,
  Logins,
  Random,
  Rates,
  Settings,
  Texts,
} from '#protocols/ports';
import type { MessageReader } from '#protocols/ports-reading';

/** Accounts of every test: alice with two addresses, bob, and carol, who may not log in. */
export const ALICE: AccountId = 1;
const BOB: AccountId = 2;
const CAROL: AccountId = 3;
export const PASSWORD = 'test-pass-123';

const LOGINS = {
  'alice@example.org': { accountId: ALICE, password: PASSWORD },
  'alice2@example.org': { accountId: ALICE, password: PASSWORD },
  'bob@example.org': { accountId: BOB, password: PASSWORD },
  'carol@example.org': {
    accountId: CAROL,
    password: PASSWORD,
    forbidden: 'suspended, call us',
  },
};

const KEYS: ReadonlyMap<string, KeyHolder> = new Map<string, KeyHolder>([
  ['alices', { accountId: ALICE, login: 'alice@example.org', imapPreauth: true }],
  ['waiting', { accountId: ALICE, login: 'alice@example.org', imapPreauth: false }],
  ['carols', { accountId: CAROL, login: 'carol@example.org', imapPreauth: true }],
]);

export interface Said {
  readonly level: string;
  readonly phrase: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface World extends AsyncDisposable {
  readonly commands: Lanes;
  readonly views: Lanes;
  readonly changes: Live;
  readonly settings: Settings;
  /** Sets what of an account's settings is other than everybody's. */
  change(accountId: AccountId, settings: Partial<AccountSettings>): void;
  readonly bodies: BodyStore;
  readonly reader: MessageReader;
  readonly logins: Logins;
  /** TLS keys by fingerprint: `alices`, `waiting` (of alice too, but not for PREAUTH), `carols`. */
  readonly keys: Map<string, KeyHolder>;
  /** Logins with passwords from before SCRAM-SHA-1 and CRAM-MD5 were there. */
  readonly old: Set<string>;
  readonly attempts: NotedAttempts;
  readonly rates: Rates;
  readonly clock: FakeClock;
  readonly random: Random;
  readonly log: Log;
  readonly said: Said[];
  readonly eventLog: EventLog;
  /** What searches ask about texts; nothing but the messages themselves unless it is set. */
  texts: Texts | undefined;
  /** A full-text index of the accounts; it is closed with the world. */
  openTexts(startThread?: StartTextThread): TextIndex;
  /** The file of an account's index. */
  textsFile(accountId: AccountId): string;
  bodyFile(accountId: AccountId, hash: BodyHash): string;
  /** Carries out a command that must not be refused. */
  execute<C extends AccountCommand>(accountId: AccountId, command: C): Promise<Done<AnswerTo<C>>>;
  /** Puts a message into a mailbox, by itself. */
  append(accountId: AccountId, mailbox: string, message: Message): Promise<void>;
}

export interface Message {
  readonly octets: Buffer;
  /** What was put before it. */
  readonly prefix?: string;
  readonly flags?: readonly string[];
  readonly receivedAt?: number;
}

export interface WorldOptions {
  /** How many modseqs removals are remembered. */
  readonly removalsKept?: number;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const directory = await temporaryDirectory();
  const clock = fakeClock();
  const random = fakeRandom();
  const said: Said[] = [];
  const log = logInto(said);
  const bodies = openBodies({
    dir: directory.path,
    readFacts,
    startFiler: nearFiler,
    fatal(error) {
      throw error;
    },
  });
  const changes = new Live();
  const eventLog = openMemoryEventLog();
  const old = new Set<string>();
  const keys = new Map(KEYS);
  const settings = new Map<AccountId, Partial<AccountSettings>>();
  const settingsOf = (accountId: AccountId): AccountSettings => ({
    ...DEFAULT_SETTINGS,
    ...settings.get(accountId),
  });
  const lanes = new Lanes({
    log: eventLog,
    clock,
    random,
    notes: log,
    factsOf: (accountId) => (hash) => bodies.facts(accountId, hash),
    fileOf: (accountId) => directory.file(`views-${accountId}.sqlite`),
    ...options,
    policyOf: (accountId) => ({ ...DEFAULT_POLICY, settings: settingsOf(accountId) }),
    announce: (accountId, facts) => changes.announce({ accountId, facts }),
    fatal(error) {
      throw error;
    },
  });
  const indexes: TextIndex[] = [];
  const world: World = {
    commands: lanes,
    views: lanes,
    settings: { of: settingsOf },
    change: (accountId, changes) => void settings.set(accountId, changes),
    changes,
    bodies,
    reader: nearReader(bodies),
    logins: fakeLogins(LOGINS, { old, keys }),
    keys,
    old,
    attempts: notedAttempts(),
    rates: openRates({ clock }),
    clock,
    random,
    log,
    said,
    eventLog,
    texts: undefined,
    openTexts(startThread = nearTextThread) {
      const index = new TextIndex({
        log: eventLog,
        views: lanes,
        clock,
        notes: log,
        fileOf: (accountId) => world.textsFile(accountId),
        bodyFileOf: (accountId, hash) => world.bodyFile(accountId, hash),
        startThread,
      });
      indexes.push(index);
      return index;
    },
    bodyFile: (accountId, hash) => bodyFile(directory.path, accountId, hash),
    textsFile: (accountId) => directory.file(`texts-${accountId}.sqlite`),
    async execute(accountId, command) {
      const outcome = await lanes.execute(accountId, command, { actor: 'test' });
      if (isRefusal(outcome)) throw new Error(`refused: ${outcome.refused}`);
      return outcome;
    },
    async append(accountId, mailbox, given) {
      const { octets, prefix = '', flags = [], receivedAt = clock.now() } = given;
      const staged = await bodies.stage(oneChunk(octets), octets.length);
      await bodies.link(staged, accountId);
      const sizeBytes = prefix.length + staged.sizeBytes;
      const message = {
        body: staged.hash,
        prefix,
        sizeBytes,
        flags,
        receivedAt,
        zoneMinutes: 0,
      };
      await world.execute(accountId, { type: 'AppendMessages', mailbox, messages: [message] });
      await staged.discard();
    },
    async [Symbol.asyncDispose]() {
      for (const index of indexes) await index.close();
      await lanes.close();
      changes.close();
      await eventLog.close();
      await directory[Symbol.asyncDispose]();
    },
  };
  for (const account of [ALICE, BOB]) await world.execute(account, { type: 'OpenAccount' });
  return world;
}

async function* oneChunk(octets: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield octets;
}

function logInto(said: Said[], bound: Readonly<Record<string, unknown>> = {}): Log {
  const at =
    (level: string): Log['info'] =>
    (fields, phrase) =>
      void said.push({ level, phrase, fields: { ...bound, ...fields } });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => logInto(said, { ...bound, ...fields }),
  };
}
