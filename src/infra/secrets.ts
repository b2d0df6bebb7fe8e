/**
 * The secret store: small secrets, each sealed in a file of its own, named by reference.
 *
 * Invariants: a file never shows its secret without the key; a file that was changed, or stands
 * under another name, does not open; a secret is on the disk before its reference is known.
 * The key is a file of 32 octets outside the data directory, so that copies of the data tell
 * nothing. Diagnostics: a wrong key or a damaged file is the Fault SecretUnreadable.
 */

import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '#domain/values/fault';
import type { SecretRef } from '#domain/values/ids';
import type { Random } from '#protocols/ports';
import { replaceFile, syncDirectory } from './files.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First octet of a sealed file: how it is sealed. */
const AES_256_GCM = 1;
const REF = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** Sealed under the key when the store is made: opens only under the same key. */
const KEY_CHECK: SecretRef = 'key-check';

export interface SecretsOptions {
  /** Where the sealed secrets are; made when missing. */
  readonly directory: string;
  /** Made when missing, unless there are secrets already. */
  readonly keyFile: string;
  readonly random: Random;
}

export interface Secrets {
  /** Seals a secret, under a new reference or in the place of the one given. */
  put(secret: Uint8Array, ref?: SecretRef): Promise<SecretRef>;
  /** Undefined when there is no such secret. */
  get(ref: SecretRef): Promise<Buffer | undefined>;
  remove(ref: SecretRef): Promise<void>;
  /** Those whose references begin so. */
  list(prefix: string): Promise<readonly SecretRef[]>;
}

export async function openSecrets(options: SecretsOptions): Promise<Secrets> {
  const { directory, keyFile, random } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const isNew = (await readIfThere(path.join(directory, KEY_CHECK))) === undefined;
  const key = (await readIfThere(keyFile)) ?? (isNew ? await makeKey(keyFile, random) : undefined);
  if (key === undefined) {
    throw unreadable(`The key file of the secrets is missing: ${keyFile}`);
  }
  if (key.length !== KEY_BYTES) {
    throw unreadable(`The key file of the secrets does not hold ${KEY_BYTES} octets: ${keyFile}`);
  }
  const store = new SecretFiles(directory, key, random);
  if (isNew) await store.put(createHash('sha256').update(KEY_CHECK).digest(), KEY_CHECK);
  else await store.get(KEY_CHECK);
  return store;
}

class SecretFiles implements Secrets {
  readonly #directory: string;
  readonly #key: Buffer;
  readonly #random: Random;

  constructor(directory: string, key: Buffer, random: Random) {
    this.#directory = directory;
    this.#key = key;
    this.#random = random;
  }

  async put(secret: Uint8Array, ref?: SecretRef): Promise<SecretRef> {
    const name = ref ?? this.#random.uuid();
    await replaceFile(this.#fileOf(name), this.#seal(secret, name), 0o600);
    return name;
  }

  async get(ref: SecretRef): Promise<Buffer | undefined> {
    const sealed = await readIfThere(this.#fileOf(ref));
    return sealed === undefined ? undefined : this.#unseal(sealed, ref);
  }

  async remove(ref: SecretRef): Promise<void> {
    await rm(this.#fileOf(ref), { force: true });
    await syncDirectory(this.#directory);
  }

  async list(prefix: string): Promise<readonly SecretRef[]> {
    const names = await readdir(this.#directory);
    return names.filter((name) => name.startsWith(prefix) && REF.test(name)).sort();
  }

  #fileOf(ref: SecretRef): string {
    if (!REF.test(ref)) throw new RangeError('not a reference to a secret');
    return path.join(this.#directory, ref);
  }

  #seal(secret: Uint8Array, ref: SecretRef): Buffer {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    // The name is sealed along, so that secrets cannot change places.
    cipher.setAAD(Buffer.from(ref));
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([Buffer.from([AES_256_GCM]), nonce, sealed, cipher.getAuthTag()]);
  }

  #unseal(file: Buffer, ref: SecretRef): Buffer {
    if (file[0] !== AES_256_GCM || file.length < 1 + NONCE_BYTES + TAG_BYTES) {
      throw unreadable(`The secret ${ref} is damaged.`);
    }
    const nonce = file.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(ref));
    decipher.setAuthTag(file.subarray(-TAG_BYTES));
    try {
      const sealed = file.subarray(1 + NONCE_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch (error) {
      const sentence = `The secret ${ref} is damaged, or sealed under another key.`;
      throw unreadable(sentence, error);
    }
  }
}

async function makeKey(keyFile: string, random: Random): Promise<Buffer> {
  const key = random.bytes(KEY_BYTES);
  await mkdir(path.dirname(keyFile), { recursive: true, mode: 0o700 });
  await replaceFile(keyFile, key, 0o600);
  return key;
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function unreadable(sentence: string, cause?: unknown): Fault {
  return new Fault('SecretUnreadable', sentence, { cause, temporary: false });
}
