/**
 * Who may log in, and as whom: what the directory says of a login, joined with the secret store.
 *
 * Invariants: an unknown login takes the same steps as a wrong password, against a stand-in secret
 * that nobody knows the password of; the SCRAM salt of an unknown login stays the same.
 * A password that was right is remembered for a short time as a keyed hash in memory, so that mail
 * programs that open many connections do not cost a slow hash each.
 */

import { createHmac } from 'node:crypto';
import type { AccountId, Instant, SecretRef } from '#domain/values/ids';
import type { Clock, LoginOutcome, Logins, Random, ScramVerifier } from '#protocols/ports';
import { Passwords, SCRAM_ITERATIONS, SCRAM_SALT_BYTES, scramVerifierIn } from './passwords.ts';
import type { Secrets } from './secrets.ts';

const REMEMBERED_MS = 5 * 60_000;
const REMEMBERED_MAX = 10_000;
const PASSWORD_BYTES_MIN = 8;
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

export interface LoginsOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  /** Given prepared logins. */
  readonly lookup: (login: string) => KnownLogin | undefined;
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
  const passwords = new Passwords(random);
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

  async scramVerifier(login: string): Promise<ScramVerifier> {
    const ref = this.#known(login)?.passwordSecret;
    const secret = await this.#options.secrets.get(ref ?? STAND_IN_SECRET);
    // Made in any case, so that it takes no longer for an unknown login.
    const standIn = this.#standInVerifier(this.#options.prepare.login(login) ?? '');
    if (secret === undefined) return standIn;
    const own = scramVerifierIn(secret);
    return ref === undefined ? standIn : { known: true, ...own };
  }

  admit(login: string): LoginOutcome {
    const known = this.#known(login);
    return known?.passwordSecret === undefined ? { type: 'wrong' } : outcomeOf(known);
  }

  async storePassword(password: string): Promise<StoredPassword> {
    if (Buffer.byteLength(password) < PASSWORD_BYTES_MIN) {
      const reason = `A password has at least ${PASSWORD_BYTES_MIN} characters.`;
      return { type: 'unfit', reason };
    }
    const prepared = this.#options.prepare.password(password);
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

  #standInVerifier(login: string): ScramVerifier {
    const make = (what: string): Buffer =>
      createHmac('sha256', this.#saltKey).update(`${what}\0${login}`).digest();
    return {
      known: false,
      salt: make('salt').subarray(0, SCRAM_SALT_BYTES),
      iterations: SCRAM_ITERATIONS,
      storedKey: make('stored key'),
      serverKey: make('server key'),
    };
  }
}

function outcomeOf(known: KnownLogin): LoginOutcome {
  const { accountId, login, forbidden } = known;
  if (forbidden !== undefined) return { type: 'forbidden', reason: forbidden };
  return { type: 'ok', accountId, login };
}
