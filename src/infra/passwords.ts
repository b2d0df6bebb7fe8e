/**
 * Password secrets: what is kept of a password, and comparing one with it.
 *
 * A secret holds an argon2id hash (for passwords that are sent to us), and for those that are not
 * the SCRAM verifiers and what CRAM-MD5 needs. Passwords come in prepared form. Secrets of version
 * 1 have the hash and the verifier of SCRAM-SHA-256 alone.
 *
 * Invariants: few are hashed at once, so that the threads of the pool stay free for files; how
 * many may wait is bounded. Diagnostics: more than that is the Fault LoginsBusy.
 * RFC 9106 (argon2), RFC 5802 §3 and RFC 7677 §4 (verifiers), RFC 2195 (CRAM-MD5).
 */

import { argon2, createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '#domain/values/fault';
import type { CramMd5States, Random, ScramHash, ScramVerifier } from '#protocols/ports';

/** RFC 7677 §4: 4096 at least; the older hash is quicker to try. */
export const SCRAM_ITERATIONS: Readonly<Record<ScramHash, number>> = { sha1: 8192, sha256: 4096 };
export const SCRAM_KEY_BYTES: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32 };
export const SCRAM_SALT_BYTES = 16;

const ARGON2 = { memoryKib: 19 * 1024, passes: 2, lanes: 1, saltBytes: 16, hashBytes: 32 };
const HASHING_MAX = 2;
const WAITING_MAX = 200;

type Verifier = Omit<ScramVerifier, 'known'>;
type DigestStates = Omit<CramMd5States, 'known'>;

/** The secret's shape, as JSON; octets in base64. */
interface PasswordSecret {
  readonly version: 1 | 2;
  readonly argon2id: {
    readonly memoryKib: number;
    readonly passes: number;
    readonly lanes: number;
    readonly salt: string;
    readonly hash: string;
  };
  readonly scramSha256: KeptVerifier;
  /** From version 2 on. */
  readonly scramSha1?: KeptVerifier;
  readonly cramMd5?: { readonly inner: string; readonly outer: string };
}

interface KeptVerifier {
  readonly iterations: number;
  readonly salt: string;
  readonly storedKey: string;
  readonly serverKey: string;
}

export interface PasswordsOptions {
  readonly random: Random;
  /** RFC 2104 §4: the states of MD5 that are kept of a password. */
  readonly cramMd5StatesOf: (password: string) => DigestStates;
  readonly waitingMax?: number;
}

const derive = promisify(pbkdf2);
const hashArgon2 = promisify(argon2);

export class Passwords {
  readonly #options: PasswordsOptions;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #hashing = 0;

  constructor(options: PasswordsOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  /** What is to be kept of a password. */
  async secretOf(password: string): Promise<Buffer> {
    return this.#taking(async () => {
      const { memoryKib, passes, lanes, saltBytes } = ARGON2;
      const salt = this.#options.random.bytes(saltBytes);
      const hash = await argon2id(password, { memoryKib, passes, lanes, salt });
      const { inner, outer } = this.#options.cramMd5StatesOf(password);
      const secret: PasswordSecret = {
        version: 2,
        argon2id: { memoryKib, passes, lanes, salt: textOf(salt), hash: textOf(hash) },
        scramSha256: await this.#verifierOf(password, 'sha256'),
        scramSha1: await this.#verifierOf(password, 'sha1'),
        cramMd5: { inner: textOf(inner), outer: textOf(outer) },
      };
      return Buffer.from(JSON.stringify(secret));
    });
  }

  /** True when it is the password that the secret was made of. */
  async matches(secret: Buffer, password: string): Promise<boolean> {
    const { argon2id: kept } = parseSecret(secret);
    const expected = octetsOf(kept.hash);
    const salt = octetsOf(kept.salt);
    const hash = await this.#taking(async () => argon2id(password, { ...kept, salt }));
    return hash.length === expected.length && timingSafeEqual(hash, expected);
  }

  /** RFC 5802 §3: StoredKey and ServerKey. */
  async #verifierOf(password: string, hash: ScramHash): Promise<KeptVerifier> {
    const iterations = SCRAM_ITERATIONS[hash];
    const salt = this.#options.random.bytes(SCRAM_SALT_BYTES);
    const salted = await derive(password, salt, iterations, SCRAM_KEY_BYTES[hash], hash);
    const clientKey = createHmac(hash, salted).update('Client Key').digest();
    const storedKey = createHash(hash).update(clientKey).digest();
    const serverKey = createHmac(hash, salted).update('Server Key').digest();
    return {
      iterations,
      salt: textOf(salt),
      storedKey: textOf(storedKey),
      serverKey: textOf(serverKey),
    };
  }

  async #taking<T>(work: () => Promise<T>): Promise<T> {
    if (this.#hashing < HASHING_MAX) {
      this.#hashing++;
    } else {
      if (this.#waiting.length >= this.#waitingMax) {
        throw new Fault('LoginsBusy', 'Too many are logging in at the moment.');
      }
      // Whoever finishes hands over its place.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#hashing--;
      else next();
    }
  }
}

/** Undefined when the secret is older than what is asked for. */
export function scramVerifierIn(secret: Buffer, hash: ScramHash): Verifier | undefined {
  const { scramSha1, scramSha256 } = parseSecret(secret);
  const kept = hash === 'sha1' ? scramSha1 : scramSha256;
  if (kept === undefined) return undefined;
  return {
    salt: octetsOf(kept.salt),
    iterations: kept.iterations,
    storedKey: octetsOf(kept.storedKey),
    serverKey: octetsOf(kept.serverKey),
  };
}

/** Undefined when the secret is older than what is asked for. */
export function cramMd5StatesIn(secret: Buffer): DigestStates | undefined {
  const { cramMd5: kept } = parseSecret(secret);
  if (kept === undefined) return undefined;
  return { inner: octetsOf(kept.inner), outer: octetsOf(kept.outer) };
}

interface Argon2Settings {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Buffer;
}

async function argon2id(password: string, settings: Argon2Settings): Promise<Buffer> {
  const { memoryKib, passes, lanes, salt } = settings;
  return hashArgon2('argon2id', {
    message: password,
    nonce: salt,
    memory: memoryKib,
    passes,
    parallelism: lanes,
    tagLength: ARGON2.hashBytes,
  });
}

/** The secret was sealed by us: its shape is only checked for its version. */
function parseSecret(secret: Buffer): PasswordSecret {
  const parsed: unknown = JSON.parse(secret.toString());
  if (!isPasswordSecret(parsed)) {
    throw new Fault('SecretUnreadable', 'The secret is not one of a password.', {
      temporary: false,
    });
  }
  return parsed;
}

function isPasswordSecret(value: unknown): value is PasswordSecret {
  if (typeof value !== 'object' || value === null || !('version' in value)) return false;
  return value.version === 1 || value.version === 2;
}

function textOf(octets: Buffer): string {
  return octets.toString('base64');
}

function octetsOf(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
