/**
 * Who may log in, and as whom: what the directory says of a login, joined with the secret store.
 *
 * Invariants: an unknown login takes the same steps as a wrong password, against a stand-in secret
 * that nobody knows the password of; the SCRAM salt of an unknown login stays the same. A TLS key
 * needs no secret: showing it in the handshake proved that the client has it.
 * A password that was right is remembered for a short time as a keyed hash in memory, so that mail
 * programs that open many connections do not cost a slow hash each.
 */

import { createHmac } from 'node:crypto';
import type { AccountId, Instant, SecretRef } from '#domain/values/ids';
import type {
  Clock,
  CramMd5States,
  KeyHolder,
  LoginOutcome,
  Logins,
  ScramHash,
  ScramVerifier,
} from '#protocols/ports';
import {
  cramMd5StatesIn,
  Passwords,
  SCRAM_ITERATIONS,
  SCRAM_KEY_BYTES,
  SCRAM_SALT_BYTES,
  scramVerifierIn,
  type PasswordsOptions,
} from './passwords.ts';
import type { Secrets } from './secrets.ts';

const REMEMBERED_MS = 5 * 60_000;
const REMEMBERED_MAX = 10_000;
const PASSWORD_CHARACTERS_MIN = 8;
const SALT_SECRET: SecretRef = 'unknown-login-salts';
const STAND_IN_SECRET: SecretRef = 'unknown-login-password';

/** What the directory knows of a login. */
export interface KnownLogin {
  readonly accountId: AccountId;
  /** The login as the account has it. */
  readonly login: string;
  /** Undefined for an account without a password. */
  readonly passwordSecret?: SecretRef | undefined;
  /** Why nobody may log in; undefined when one may. */
  readonly forbidden?: string | undefined;
}

export interface LoginsOptions extends PasswordsOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Given prepared logins. */
  readonly lookup: (login: string) => KnownLogin | undefined;
  /** Given fingerprints of TLS keys. */
  readonly lookupKey: (fingerprint: string) => KeyHolder | undefined;
  /** RFC 8265: one form of each; undefined for what cannot be a login or password. */
  readonly prepare: {
    readonly login: (login: string) => string | undefined;
    readonly password: (password: string) => string | undefined;
  };
}

export type StoredPassword =
  | { readonly type: 'stored'; readonly secret: SecretRef }
  /** A sentence for whoever chose it. */
  | { readonly type: 'unfit'; readonly reason: string };

export interface OpenLogins extends Logins {
  /** Keeps a new password; the reference goes into the account's events. */
  storePassword(password: string): Promise<StoredPassword>;
}

export async function openLogins(options: LoginsOptions): Promise<OpenLogins> {
  const { secrets, random } = options;
  const passwords = new Passwords(options);
  let saltKey = await secrets.get(SALT_SECRET);
  if (saltKey === undefined) {
    saltKey = random.bytes(32);
    await secrets.put(saltKey, SALT_SECRET);
  }
  if ((await secrets.get(STAND_IN_SECRET)) === undefined) {
    const unknowable = random.bytes(32).toString('base64');
    await secrets.put(await passwords.secretOf(unknowable), STAND_IN_SECRET);
  }
  return new StoredLogins(options, passwords, saltKey);
}

class StoredLogins implements OpenLogins {
  readonly #options: LoginsOptions;
  readonly #passwords: Passwords;
  readonly #saltKey: Buffer;
  /** Of this process only: what is remembered is worth nothing outside of it. */
  readonly #memoryKey: Buffer;
  /** Keyed hash of login, secret and password → until when it is known to be right. */
  readonly #remembered = new Map<string, Instant>();
  /** The same comparison asked for many times at once is made once. */
  readonly #underway = new Map<string, Promise<boolean>>();

  constructor(options: LoginsOptions, passwords: Passwords, saltKey: Buffer) {
    this.#options = options;
    this.#passwords = passwords;
    this.#saltKey = saltKey;
    this.#memoryKey = options.random.bytes(32);
  }

  async verifyPassword(login: string, password: string): Promise<LoginOutcome> {
    const known = this.#known(login);
    const prepared = this.#options.prepare.password(password);
    const right = await this.#isRight(known?.passwordSecret, prepared ?? '');
    if (known === undefined || !right || prepared === undefined) return { type: 'wrong' };
    return outcomeOf(known);
  }

  async scramVerifier(login: string, hash: ScramHash): Promise<ScramVerifier | undefined> {
    const { secret, isKnown } = await this.#secretFor(login);
    // Made in any case, so that it takes no longer for an unknown login.
    const standIn = this.#standInVerifier(this.#options.prepare.login(login) ?? '', hash);
    const own = secret === undefined ? undefined : scramVerifierIn(secret, hash);
    if (!isKnown || secret === undefined) return standIn;
    return own === undefined ? undefined : { known: true, ...own };
  }

  async cramMd5States(login: string): Promise<CramMd5States | undefined> {
    const { secret, isKnown } = await this.#secretFor(login);
    const own = secret === undefined ? undefined : cramMd5StatesIn(secret);
    if (!isKnown || secret === undefined) return NO_STATES;
    return own === undefined ? undefined : { known: true, ...own };
  }

  admit(login: string): LoginOutcome {
    const known = this.#known(login);
    return known?.passwordSecret === undefined ? { type: 'wrong' } : outcomeOf(known);
  }

  keyHolder(fingerprint: string): KeyHolder | undefined {
    return this.#options.lookupKey(fingerprint);
  }

  admitKey(fingerprint: string, login: string): LoginOutcome {
    const holder = this.keyHolder(fingerprint);
    if (holder === undefined) return { type: 'wrong' };
    if (login === '') return outcomeOf(holder);
    const known = this.#known(login);
    return known?.accountId === holder.accountId ? outcomeOf(known) : { type: 'wrong' };
  }

  async storePassword(password: string): Promise<StoredPassword> {
    if (Array.from(password).length < PASSWORD_CHARACTERS_MIN) {
      const reason = `A password has at least ${PASSWORD_CHARACTERS_MIN} characters.`;
      return { type: 'unfit', reason };
    }
    // U+FFFD is what becomes of octets that are not UTF-8: nobody could type it.
    const isText = !password.includes('\ufffd');
    const prepared = isText ? this.#options.prepare.password(password) : undefined;
    if (prepared === undefined) {
      const reason = 'The password is too long or has characters that cannot be in a password.';
      return { type: 'unfit', reason };
    }
    const secret = await this.#options.secrets.put(await this.#passwords.secretOf(prepared));
    return { type: 'stored', secret };
  }

  #known(login: string): KnownLogin | undefined {
    const prepared = this.#options.prepare.login(login);
    return prepared === undefined ? undefined : this.#options.lookup(prepared);
  }

  /** What is kept of the password of a login, or of one that nobody has. */
  async #secretFor(
    login: string,
  ): Promise<{ readonly secret: Buffer | undefined; readonly isKnown: boolean }> {
    const ref = this.#known(login)?.passwordSecret;
    const secret = await this.#options.secrets.get(ref ?? STAND_IN_SECRET);
    return { secret, isKnown: ref !== undefined };
  }

  async #isRight(ref: SecretRef | undefined, password: string): Promise<boolean> {
    // A new password has a new reference: what was remembered of the old one is not asked again.
    const key = createHmac('sha256', this.#memoryKey)
      .update(`${ref ?? STAND_IN_SECRET}\0${password}`)
      .digest('base64');
    const until = this.#remembered.get(key);
    if (until !== undefined && until > this.#options.clock.now()) return true;
    const underway = this.#underway.get(key);
    if (underway !== undefined) return underway;
    const comparison = this.#compare(ref, password);
    this.#underway.set(key, comparison);
    try {
      const right = await comparison;
      if (right) this.#remember(key);
      return right;
    } finally {
      this.#underway.delete(key);
    }
  }

  async #compare(ref: SecretRef | undefined, password: string): Promise<boolean> {
    const { secrets } = this.#options;
    const secret =
      (await secrets.get(ref ?? STAND_IN_SECRET)) ?? (await secrets.get(STAND_IN_SECRET));
    return secret !== undefined && (await this.#passwords.matches(secret, password));
  }

  #remember(key: string): void {
    const remembered = this.#remembered;
    remembered.delete(key);
    remembered.set(key, this.#options.clock.now() + REMEMBERED_MS);
    // In order of time: what is over stands in front.
    for (const [oldest, until] of remembered) {
      if (remembered.size <= REMEMBERED_MAX && until > this.#options.clock.now()) break;
      remembered.delete(oldest);
    }
  }

  #standInVerifier(login: string, hash: ScramHash): ScramVerifier {
    const keyBytes = SCRAM_KEY_BYTES[hash];
    // The salt must not be the same for both: with real ones it is not either.
    const mark = hash === 'sha256' ? '' : `${hash} `;
    const make = (what: string): Buffer =>
      createHmac('sha256', this.#saltKey).update(`${mark}${what}\0${login}`).digest();
    return {
      known: false,
      salt: make('salt').subarray(0, SCRAM_SALT_BYTES),
      iterations: SCRAM_ITERATIONS[hash],
      storedKey: make('stored key').subarray(0, keyBytes),
      serverKey: make('server key').subarray(0, keyBytes),
    };
  }
}

/** Whatever digest they lead to is refused. */
const NO_STATES: CramMd5States = {
  known: false,
  inner: Buffer.alloc(16),
  outer: Buffer.alloc(16),
};

function outcomeOf(known: Pick<KeyHolder, 'accountId' | 'login' | 'forbidden'>): LoginOutcome {
  const { accountId, login, forbidden } = known;
  if (forbidden !== undefined) return { type: 'forbidden', reason: forbidden };
  return { type: 'ok', accountId, login };
}
