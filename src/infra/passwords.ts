/**
 * Password secrets: what is kept of a password, and comparing one with it.
 *
 * A secret holds an argon2id hash (for passwords that are sent to us) and a SCRAM-SHA-256 verifier
 * (for those that are not). Passwords come in prepared form.
 *
 * Invariants: few are hashed at once, so that the threads of the pool stay free for files; how
 * many may wait is bounded. Diagnostics: more than that is the Fault LoginsBusy.
 * RFC 9106 (argon2), RFC 5802 §3 and RFC 7677 §4 (verifiers).
 */

import { argon2, createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '#domain/values/fault';
import type { Random, ScramVerifier } from '#protocols/ports';

export const SCRAM_ITERATIONS = 4096;
export const SCRAM_SALT_BYTES = 16;

const ARGON2 = { memoryKib: 19 * 1024, passes: 2, lanes: 1, saltBytes: 16, hashBytes: 32 };
const HASHING_MAX = 2;
const WAITING_MAX = 200;

/** The secret's shape, as JSON; octets in base64. */
interface PasswordSecret {
  readonly version: 1;
  readonly argon2id: {
    readonly memoryKib: number;
    readonly passes: number;
    readonly lanes: number;
    readonly salt: string;
    readonly hash: string;
  };
  readonly scramSha256: {
    readonly iterations: number;
    readonly salt: string;
    readonly storedKey: string;
    readonly serverKey: string;
  };
}

const derive = promisify(pbkdf2);
const hashArgon2 = promisify(argon2);

export class Passwords {
  readonly #random: Random;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #hashing = 0;

  constructor(random: Random, waitingMax: number = WAITING_MAX) {
    this.#random = random;
    this.#waitingMax = waitingMax;
  }

  /** What is to be kept of a password. */
  async secretOf(password: string): Promise<Buffer> {
    return this.#taking(async () => {
      const { memoryKib, passes, lanes, saltBytes } = ARGON2;
      const salt = this.#random.bytes(saltBytes);
      const hash = await argon2id(password, { memoryKib, passes, lanes, salt });
      const scramSalt = this.#random.bytes(SCRAM_SALT_BYTES);
      const { storedKey, serverKey } = await scramKeys(password, scramSalt);
      const secret: PasswordSecret = {
        version: 1,
        argon2id: { memoryKib, passes, lanes, salt: textOf(salt), hash: textOf(hash) },
        scramSha256: {
          iterations: SCRAM_ITERATIONS,
          salt: textOf(scramSalt),
          storedKey: textOf(storedKey),
          serverKey: textOf(serverKey),
        },
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

export function scramVerifierIn(secret: Buffer): Omit<ScramVerifier, 'known'> {
  const { scramSha256: kept } = parseSecret(secret);
  return {
    salt: octetsOf(kept.salt),
    iterations: kept.iterations,
    storedKey: octetsOf(kept.storedKey),
    serverKey: octetsOf(kept.serverKey),
  };
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

/** RFC 5802 §3: StoredKey and ServerKey. */
async function scramKeys(
  password: string,
  salt: Buffer,
): Promise<{ readonly storedKey: Buffer; readonly serverKey: Buffer }> {
  const salted = await derive(password, salt, SCRAM_ITERATIONS, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const serverKey = createHmac('sha256', salted).update('Server Key').digest();
  return { storedKey, serverKey };
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
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 1;
}

function textOf(octets: Buffer): string {
  return octets.toString('base64');
}

function octetsOf(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
