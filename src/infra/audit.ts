/**
 * The audit trail: attempts to log in, on their way from the protocols into the month's stream.
 *
 * The first attempt of its kind is recorded within a second; equal ones that follow are counted and
 * recorded together, minutes later (docs/adr/0016-login-attempts.md).
 *
 * Invariants: nobody waits for a record; memory is bounded whatever comes in, and so is what a day
 * adds to the log; what is not an address of a domain of ours is not recorded as a login, for it
 * may be a password. Diagnostics: what cannot be appended is kept and tried again later.
 */

import { domainToASCII } from 'node:url';
import {
  attemptKey,
  decideAudit,
  recordable,
  together,
  withoutDetails,
  type GatheredAttempt,
} from '#domain/audit/decide';
import type { AuditEvent, LoginAttempt, LoginDetails } from '#domain/audit/events';
import type { AuditState } from '#domain/audit/state';
import { accountCalled, accountOfLogin, type DirectoryState } from '#domain/directory/state';
import type { AuditFact } from '#domain/log/fact';
import { auditStream, isAuditStream } from '#domain/log/streams';
import { parseAddress } from '#domain/values/address';
import { isRefusal, type Refusal } from '#domain/values/decision';
import type { Fault } from '#domain/values/fault';
import type { AccountId, Instant } from '#domain/values/ids';
import type { AttemptFilter } from '#projections/login-attempts';
import type {
  AttemptedLogin,
  AttemptQuestion,
  KeyHolder,
  Log,
  LoginAttempts,
  RecordedLogin,
  RecordedLogins,
} from '#protocols/ports';
import { openAuditLedger } from './audit-ledger.ts';
import type { LanePorts } from './lane.ts';
import { MonthStream, type Recording, type Some } from './month-stream.ts';

/** How long the first attempt of its kind waits for others to be appended with. */
const FIRST_MS = 1000;
/** How long those wait that equal one that was recorded, and those that are only counted. */
export const REPEATED_MS: number = 15 * 60_000;
const COUNTED_MS: number = 60 * 60_000;
const RETRY_MS = 5_000;
/** Kinds that wait; beyond, attempts are only counted. */
const WAITING_MAX = 10_000;
/** Kinds that are known to have been recorded. */
const RECENT_MAX = 10_000;
/** Kinds in one command: together they fit into an append, however long their texts are. */
const COMMAND_ATTEMPTS_MAX = 100;
const LOGIN_LETTERS_MAX = 320;
const AGENT_LETTERS_MAX = 200;
const CAUSE = { actor: 'system:audit' };

export interface AuditPorts extends LanePorts {
  readonly notes: Log;
  readonly directory: { readonly state: DirectoryState };
  readonly keyHolder: (fingerprint: string) => KeyHolder | undefined;
  readonly books: {
    followAudit(stream: string, facts: readonly AuditFact[]): void;
    loginAttempts(filter: AttemptFilter): readonly GatheredAttempt[];
  };
}

type Attempts = MonthStream<GatheredAttempt, AuditState, AuditEvent>;

interface Waiting {
  readonly gathered: GatheredAttempt;
  readonly dueAt: Instant;
}

export class AuditTrail implements LoginAttempts, RecordedLogins {
  readonly #ports: AuditPorts;
  readonly #month: Attempts;
  /** By key. */
  readonly #waiting = new Map<string, Waiting>();
  /** Keys of kinds that were recorded, with the time; the oldest first. */
  readonly #recent = new Map<string, Instant>();
  #wakesAt = Infinity;
  #cancelWake: () => void = () => undefined;

  private constructor(ports: AuditPorts, month: Attempts) {
    this.#ports = ports;
    this.#month = month;
  }

  static async open(ports: AuditPorts): Promise<AuditTrail> {
    const stream = auditStream(ports.clock.now());
    return new AuditTrail(ports, await MonthStream.open(stream, recordingOf(ports), ports));
  }

  record(attempted: AttemptedLogin): void {
    const now = this.#ports.clock.now();
    const { state } = this.#month;
    let attempt = recordable(attemptOf(attempted, this.#ports), state, now);
    let key = attemptKey(attempt);
    if (!this.#waiting.has(key) && this.#waiting.size >= WAITING_MAX) {
      attempt = withoutDetails(attempt);
      key = attemptKey(attempt);
    }
    const gathered = { attempt, count: 1, firstAt: now, lastAt: now };
    const before = this.#waiting.get(key);
    const dueAt = before?.dueAt ?? now + this.#delayOf(key, attempt, now);
    this.#waiting.set(key, { gathered: together(before?.gathered, gathered), dueAt });
    this.#wakeAt(dueAt);
  }

  async list({
    account,
    failedOnly,
    limit,
  }: AttemptQuestion): Promise<readonly RecordedLogin[] | Refusal> {
    const asked = this.#accountNamed(account);
    if (typeof asked === 'object') return asked;
    await this.flush();
    const { accounts } = this.#ports.directory.state;
    return this.#ports.books
      .loginAttempts({ account: asked, failedOnly, limit })
      .map(({ attempt, ...rest }) => {
        const { accountId } = attempt;
        const name = accountId === undefined ? undefined : accounts.get(accountId)?.name;
        return { ...attempt, ...rest, account: name ?? NOBODY };
      });
  }

  /** Everything that waits is recorded when it resolves, unless the disk is full. */
  flush(): Promise<void> {
    return this.#write(Infinity);
  }

  async close(): Promise<void> {
    this.#cancelWake();
    await this.flush();
    this.#cancelWake();
    await this.#month.close();
  }

  #accountNamed(name: string | undefined): AccountId | 'nobody' | Refusal | undefined {
    if (name === undefined) return undefined;
    if (name === NOBODY) return 'nobody';
    const account = accountCalled(this.#ports.directory.state, name);
    return isRefusal(account) ? account : account.accountId;
  }

  #delayOf(key: string, { details }: LoginAttempt, now: Instant): number {
    if (details === undefined) return COUNTED_MS;
    const recordedAt = this.#recent.get(key) ?? -Infinity;
    return Math.max(FIRST_MS, recordedAt + REPEATED_MS - now);
  }

  #wakeAt(at: Instant): void {
    if (at >= this.#wakesAt) return;
    this.#cancelWake();
    this.#wakesAt = at;
    const { clock } = this.#ports;
    this.#cancelWake = clock.after(at - clock.now(), () => {
      this.#wakesAt = Infinity;
      void this.#write(clock.now());
    });
  }

  #write(dueBy: Instant): Promise<void> {
    return this.#month.append(
      () => new Map([[auditStream(this.#ports.clock.now()), portions(this.#take(dueBy))]]),
      (attempts, fault) => this.#putBack(attempts, fault),
    );
  }

  #take(dueBy: Instant): readonly GatheredAttempt[] {
    const taken: GatheredAttempt[] = [];
    let next = Infinity;
    for (const [key, { gathered, dueAt }] of this.#waiting) {
      if (dueAt > dueBy) {
        next = Math.min(next, dueAt);
        continue;
      }
      taken.push(gathered);
      this.#waiting.delete(key);
      this.#remember(key);
    }
    this.#wakeAt(next);
    return taken;
  }

  #remember(key: string): void {
    this.#recent.delete(key);
    this.#recent.set(key, this.#ports.clock.now());
    if (this.#recent.size <= RECENT_MAX) return;
    const [oldest = ''] = this.#recent.keys();
    this.#recent.delete(oldest);
  }

  #putBack(attempts: readonly GatheredAttempt[], fault: Fault): void {
    this.#ports.notes.warn({ err: fault }, 'login attempts wait');
    const dueAt = this.#ports.clock.now() + RETRY_MS;
    for (const gathered of attempts) {
      const key = attemptKey(gathered.attempt);
      const more = together(this.#waiting.get(key)?.gathered, gathered);
      this.#waiting.set(key, { gathered: more, dueAt });
    }
    this.#wakeAt(dueAt);
  }
}

/** What is shown where an account has no name. */
const NOBODY = '-';

function recordingOf({
  log,
  clock,
  books,
}: AuditPorts): Recording<GatheredAttempt, AuditState, AuditEvent> {
  return {
    cause: CAUSE,
    isOurs: isAuditStream,
    openLedger: (stream) => openAuditLedger(log, stream, clock.now()),
    follow: (stream, facts) => books.followAudit(stream, facts),
    decide: (attempts, state, at) => decideAudit({ type: 'RecordAttempts', attempts }, state, at),
  };
}

/** As many as go into one command. */
function portions(attempts: readonly GatheredAttempt[]): readonly Some<GatheredAttempt>[] {
  const found: Some<GatheredAttempt>[] = [];
  for (let i = 0; i < attempts.length; i += COMMAND_ATTEMPTS_MAX) {
    const [first, ...others] = attempts.slice(i, i + COMMAND_ATTEMPTS_MAX);
    if (first !== undefined) found.push([first, ...others]);
  }
  return found;
}

type Known = Pick<AuditPorts, 'directory' | 'keyHolder'>;

/** What is recorded of an attempt. */
function attemptOf(attempted: AttemptedLogin, { directory, keyHolder }: Known): LoginAttempt {
  const { protocol, mechanism, login, remoteIp, localIp, tls, fingerprint } = attempted;
  const address = parseAddress(login.normalize('NFC'), domainToASCII);
  const { state } = directory;
  const isOurs = address !== undefined && state.domains.has(address.domain);
  const owner = isOurs ? accountOfLogin(state, address.localpart, address.domain) : undefined;
  const holder =
    login === '' && fingerprint !== undefined ? keyHolder(fingerprint)?.accountId : undefined;
  const accountId = attempted.accountId ?? owner ?? holder;
  const details: LoginDetails = {
    mechanism,
    login: isOurs ? oneLine(login, LOGIN_LETTERS_MAX) : '',
    remoteIp,
    localIp,
    ...(tls === undefined ? {} : { tls: { version: tls.version, cipher: tls.cipher } }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    userAgent: oneLine(attempted.userAgent, AGENT_LETTERS_MAX),
  };
  const isWrong = attempted.result === 'badpassword' || attempted.result === 'badcreds';
  const result = isWrong && login !== '' && accountId === undefined ? 'baduser' : attempted.result;
  return { protocol, result, ...(accountId === undefined ? {} : { accountId }), details };
}

function oneLine(text: string, lettersMax: number): string {
  const start = text.slice(0, lettersMax).replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ');
  return start.toWellFormed().trim();
}
