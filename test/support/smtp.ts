/**
 * A mail server in memory for SMTP: real decisions on plain maps, a clock that only the test moves,
 * bodies in a map, conversations over a pair of pipes. Host mail.example.org; what it serves stands
 * in `smtp-directory.ts`.
 */

import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { Readable } from 'node:stream';
import { notedAttempts, type NotedAttempts } from './attempts.ts';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { OPENED, recorded } from './given.ts';
import { fakeLogins } from './logins.ts';
import { givenDirectory, type GivenDirectory } from './smtp-directory.ts';
import { Talk, TLS } from './smtp-talk.ts';
import { decideAccount, type AccountCommand, type AnswerTo } from '#domain/account';
import { emptyAccountState, type AccountRecords } from '#domain/account-state';
import { DEFAULT_POLICY, DEFAULT_SETTINGS, type AccountSettings } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import { modSeqAt, type AccountEvent, type AccountFact } from '#domain/log/streams';
import type { MessageDelivered } from '#domain/message/events';
import type { MessageQueued } from '#domain/queue/events';
import { isRefusal, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, BodyHash } from '#domain/values/ids';
import { Live } from '#infra/live';
import { readFacts } from '#protocols/message/facts';
import type {
  Bodies,
  Commands,
  Done,
  KeyHolder,
  Log,
  PeerKey,
  Rates,
  StagedBody,
  TlsFacts,
} from '#protocols/ports';
import type { SigningKey } from '#protocols/ports-dkim';
import { openSmtpServer, type SmtpServer } from '#protocols/smtp/server';
import type { SmtpPorts, SmtpSettings } from '#protocols/smtp/session';

export const ALICE = 1;
export const BOB = 2;
export const PASSWORD = 'test-pass-123';

const LOGINS = {
  'alice@example.org': { accountId: ALICE, password: PASSWORD },
  'alice2@example.org': { accountId: ALICE, password: PASSWORD },
  'bob@example.org': { accountId: BOB, password: PASSWORD },
  'former@example.org': { accountId: 3, password: PASSWORD, forbidden: 'Closed for now.' },
};

/** TLS keys by fingerprint. */
const KEYS: ReadonlyMap<string, KeyHolder> = new Map([
  ['alices', { accountId: ALICE, login: 'alice@example.org', imapPreauth: false }],
  ['closed', { accountId: 3, login: 'former@example.org', imapPreauth: true }],
]);

export interface World extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly ports: SmtpPorts;
  readonly directory: GivenDirectory;
  readonly server: SmtpServer;
  readonly bodies: MemoryBodies;
  readonly attempts: NotedAttempts;
  readonly rates: { admits: boolean; mayLogin: boolean; open: number; failures: number };
  readonly logged: readonly string[];
  /** Logins with passwords from before SCRAM-SHA-1 and CRAM-MD5 were there. */
  readonly old: Set<string>;
  /** What the next commands fail with, one after the other. */
  readonly faults: Fault[];
  /** What of an account's settings is other than everybody's. */
  readonly settings: Map<AccountId, Partial<AccountSettings>>;
  /** By domain. */
  readonly signingKeys: Map<string, readonly SigningKey[]>;
  events(accountId: AccountId): readonly AccountEvent[];
  state(accountId: AccountId): AccountRecords;
  /** A client's end of a new connection. */
  connect(options?: ConnectOptions): Talk;
  /** The account of a key learns that it is gone. */
  removeKey(fingerprint: string): void;
}

export interface ConnectOptions {
  readonly tls?: boolean;
  /** Shown in the handshake. */
  readonly key?: PeerKey | undefined;
}

export interface WorldOptions extends Partial<SmtpSettings> {
  readonly startTls?: boolean;
}

export function smtpWorld(options: WorldOptions = {}): World {
  const { startTls = true, ...given } = options;
  const settings: SmtpSettings = {
    role: 'mx',
    hostName: 'mail.example.org',
    messageBytesMax: 104_857_600,
    allowPlaintextLogin: false,
    localMode: false,
    ...given,
  };
  const clock = fakeClock();
  const accounts = new Accounts(clock);
  const bodies = new MemoryBodies();
  const attempts = notedAttempts();
  const rates = { admits: true, mayLogin: true, open: 0, failures: 0 };
  const logged: string[] = [];
  const talks: Talk[] = [];
  const old = new Set<string>();
  const keys = new Map(KEYS);
  const live = new Live();
  const signingKeys = new Map<string, readonly SigningKey[]>();
  const directory = givenDirectory(ALICE, BOB);
  const ports: SmtpPorts = {
    commands: accounts,
    bodies,
    directory: {
      ...directory,
      usesFromIds: (accountId, login) =>
        accounts.settings.get(accountId)?.fromIdLogins?.includes(login) === true,
    },
    signing: {
      signingKeys: async (domain) => signingKeys.get(domain) ?? [],
      provingKeys: (domain) =>
        (signingKeys.get(domain) ?? []).map(({ name, key }) => ({
          name,
          key: createPublicKey(key),
          signs: true,
        })),
    },
    logins: fakeLogins(LOGINS, { old, keys }),
    changes: live,
    attempts,
    rates: fakeRates(rates),
    clock,
    random: fakeRandom(),
    log: fakeLog(logged),
  };
  const server = openSmtpServer(settings, ports);
  return {
    clock,
    ports,
    directory,
    server,
    bodies,
    attempts,
    rates,
    logged,
    old,
    faults: accounts.faults,
    settings: accounts.settings,
    signingKeys,
    events: (accountId) => accounts.events(accountId),
    state: (accountId) => accounts.state(accountId),
    connect({ tls = false, key } = {}) {
      const talk = new Talk();
      talks.push(talk);
      const secured: TlsFacts = key === undefined ? TLS : { ...TLS, peerKey: key };
      void server.serve(talk.accept(tls ? secured : undefined, startTls ? secured : undefined));
      return talk;
    },
    removeKey(fingerprint) {
      const accountId = keys.get(fingerprint)?.accountId ?? 0;
      keys.delete(fingerprint);
      const facts = recorded([{ type: 'TlsKeyRemoved', fingerprint }]);
      live.announce({ accountId, facts });
    },
    async [Symbol.asyncDispose]() {
      for (const talk of talks) talk.hangUp();
      await server.close();
    },
  };
}

/** Accounts by their own rules, without a log. */
export class Accounts implements Commands {
  readonly faults: Fault[] = [];
  readonly settings: Map<AccountId, Partial<AccountSettings>> = new Map();
  readonly #clock: FakeClock;
  readonly #accounts = new Map<AccountId, { state: AccountRecords; facts: AccountFact[] }>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async execute<C extends AccountCommand>(
    accountId: AccountId,
    command: C,
    cause: Cause,
  ): Promise<Done<AnswerTo<C>> | Refusal> {
    await Promise.resolve();
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
    const { state, facts } = this.#account(accountId);
    // As in the log: time does not go back.
    const at = Math.max(this.#clock.now(), facts.at(-1)?.at ?? 0);
    const settings = { ...DEFAULT_SETTINGS, ...this.settings.get(accountId) };
    const policy = { ...DEFAULT_POLICY, settings };
    const decision = decideAccount(command, state, { accountId, at, policy });
    if (isRefusal(decision)) return decision;
    for (const event of decision.events) {
      const revision = facts.length;
      const fact = { revision, modSeq: modSeqAt(revision, 0), at, cause, event };
      state.write(fact);
      facts.push(fact);
    }
    const revision = facts.length - 1;
    const made = facts.slice(facts.length - decision.events.length);
    return { revision, modSeq: modSeqAt(revision, 0), facts: made, answer: decision.answer };
  }

  events(accountId: AccountId): readonly AccountEvent[] {
    return this.#account(accountId)
      .facts.slice(1)
      .map(({ event }) => event);
  }

  state(accountId: AccountId): AccountRecords {
    return this.#account(accountId).state;
  }

  #account(accountId: AccountId): { state: AccountRecords; facts: AccountFact[] } {
    let account = this.#accounts.get(accountId);
    if (account === undefined) {
      const opened = { revision: 0, modSeq: 1, at: 0, cause: { actor: 'test' }, event: OPENED };
      account = { state: emptyAccountState(), facts: [opened] };
      account.state.write(opened);
      this.#accounts.set(accountId, account);
    }
    return account;
  }
}

export class MemoryBodies implements Bodies {
  readonly staged: Set<BodyHash> = new Set();
  readonly linked: Map<string, Buffer> = new Map();
  /** What the next stage fails with, after its first chunk. */
  fault: Fault | undefined;
  hasRoom = true;

  async requireRoom(): Promise<void> {
    if (!this.hasRoom) throw new Fault('DiskFull', 'almost full');
  }

  async stage(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<StagedBody> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) {
      if (this.fault !== undefined) throw this.fault;
      chunks.push(chunk);
    }
    const octets = Buffer.concat(chunks);
    if (octets.length > limitBytes) throw new Fault('BodyTooLarge', 'too large');
    const hash = createHash('sha256').update(octets).digest('hex');
    this.staged.add(hash);
    this.#staging.set(hash, octets);
    return {
      hash,
      sizeBytes: octets.length,
      facts: readFacts(octets),
      discard: async () => void this.staged.delete(hash),
    };
  }

  readonly #staging = new Map<BodyHash, Buffer>();

  async link(staged: StagedBody, accountId: AccountId): Promise<void> {
    assert.ok(this.staged.has(staged.hash), 'linked before it is discarded');
    this.linked.set(`${accountId}/${staged.hash}`, this.#staging.get(staged.hash) as Buffer);
  }

  read(accountId: AccountId, hash: BodyHash): Buffer | undefined {
    return this.linked.get(`${accountId}/${hash}`);
  }

  header(accountId: AccountId, hash: BodyHash): Buffer | undefined {
    return this.read(accountId, hash);
  }

  slice(accountId: AccountId, hash: BodyHash, start: number, end: number): Buffer | undefined {
    return this.read(accountId, hash)?.subarray(start, end);
  }

  stream(accountId: AccountId, hash: BodyHash, start: number = 0): Readable {
    const body = this.read(accountId, hash)?.subarray(start);
    const gone = new Fault('BodyMissing', 'gone', { temporary: false });
    return body === undefined
      ? new Readable({
          read: (): never => {
            throw gone;
          },
        })
      : Readable.from([body]);
  }

  facts(accountId: AccountId, hash: BodyHash): ReturnType<Bodies['facts']> {
    const body = this.read(accountId, hash);
    return body === undefined ? undefined : readFacts(body);
  }
}

function fakeRates(rates: World['rates']): Rates {
  return {
    admitConnection() {
      if (rates.admits) rates.open++;
      return rates.admits;
    },
    releaseConnection: () => void rates.open--,
    failedLogin: () => void rates.failures++,
    successfulLogin: () => void (rates.failures = 0),
    mayLogin: () => rates.mayLogin,
  };
}

export function fakeLog(logged: string[]): Log {
  const at =
    (level: string) =>
    (_fields: object, phrase: string): void =>
      void logged.push(`${level} ${phrase}`);
  const log: Log = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => log,
  };
  return log;
}

/** Lets everything happen that needs no time to pass. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function deliveredTo(world: World, accountId: AccountId): readonly MessageDelivered[] {
  return world.events(accountId).filter((event) => event.type === 'MessageDelivered');
}

export function queuedBy(world: World, accountId: AccountId): readonly MessageQueued[] {
  return world.events(accountId).filter((event) => event.type === 'MessageQueued');
}

/** A delivered or queued message as a reader sees it: prefix and body. */
export function wholeText(
  world: World,
  accountId: AccountId,
  { prefix, body }: { readonly prefix: string; readonly body: BodyHash },
): string {
  return prefix + (world.bodies.read(accountId, body)?.toString('latin1') ?? '(no body)');
}
