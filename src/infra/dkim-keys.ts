/**
 * Signing keys: made here, sealed in the secret store, named in the directory.
 *
 * Invariants: a key is in the store before the directory names it, and leaves it after; a key that
 * was read once is held in memory. Diagnostics: a key that is missing or damaged is the Fault
 * SecretUnreadable.
 */

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { DkimKey } from '#domain/directory/dkim-keys';
import { dkimKeysOf } from '#domain/directory/state';
import type { Cause } from '#domain/log/event';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { SecretRef } from '#domain/values/ids';
import type {
  AdministeredDkim,
  ProvingKey,
  PublishedKey,
  SigningKey,
  SigningKeys,
} from '#protocols/ports-dkim';
import type { DirectoryLane } from './directory-lane.ts';
import type { Secrets } from './secrets.ts';

const generate = promisify(generateKeyPair);
/** RFC 8301 §3.2 */
const RSA_BITS = 2048;

export class DkimKeyring implements SigningKeys, AdministeredDkim {
  readonly #directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly #secrets: Secrets;
  readonly #keys = new Map<SecretRef, KeyObject>();

  constructor(directory: Pick<DirectoryLane, 'state' | 'execute'>, secrets: Secrets) {
    this.#directory = directory;
    this.#secrets = secrets;
  }

  signingKeys(domain: string): Promise<readonly SigningKey[]> {
    return Promise.all(
      dkimKeysOf(this.#directory.state, domain)
        .filter(({ standby }) => standby !== true)
        .map(async (one) => {
          const { secret, publicKey: _, algorithm: __, standby: ___, ...how } = one;
          return { ...how, key: await this.#keyOf(secret) };
        }),
    );
  }

  provingKeys(domain: string): readonly ProvingKey[] {
    return dkimKeysOf(this.#directory.state, domain).map((one) => ({
      name: one.name,
      key: publicKeyOf(one),
      signs: one.standby !== true,
    }));
  }

  async add(
    domain: string,
    wanted: Pick<DkimKey, 'name' | 'algorithm'>,
    cause: Cause,
  ): Promise<PublishedKey | Refusal> {
    const key = await this.make(wanted);
    const done = await this.#directory.execute({ type: 'AddDkimKey', domain, key }, cause);
    if (!isRefusal(done)) return published(key);
    await this.discard(key);
    return done;
  }

  /** A key in the store that no domain has yet. */
  async make({ name, algorithm }: Pick<DkimKey, 'name' | 'algorithm'>): Promise<DkimKey> {
    const { privateKey, publicKey } = await newKey(algorithm);
    const secret = await this.#secrets.put(privateKey);
    return { name, algorithm, secret, publicKey };
  }

  /** Throws a key away that no domain has. */
  async discard({ secret }: DkimKey): Promise<void> {
    await this.#secrets.remove(secret);
  }

  async use(
    domain: string,
    names: readonly string[],
    cause: Cause,
  ): Promise<readonly PublishedKey[] | Refusal> {
    const done = await this.#directory.execute({ type: 'UseDkimKeys', domain, names }, cause);
    return isRefusal(done) ? done : this.list(domain);
  }

  list(domain: string): readonly PublishedKey[] | Refusal {
    const { state } = this.#directory;
    if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
    return dkimKeysOf(state, domain).map(published);
  }

  async remove(domain: string, name: string, cause: Cause): Promise<PublishedKey | Refusal> {
    const key = dkimKeysOf(this.#directory.state, domain).find((one) => one.name === name);
    const done = await this.#directory.execute({ type: 'RemoveDkimKey', domain, name }, cause);
    if (isRefusal(done)) return done;
    if (key === undefined) return refuse('NoSuchDkimKey', name);
    this.#keys.delete(key.secret);
    await this.#secrets.remove(key.secret);
    return published(key);
  }

  async #keyOf(secret: SecretRef): Promise<KeyObject> {
    const held = this.#keys.get(secret);
    if (held !== undefined) return held;
    const octets = await this.#secrets.get(secret);
    if (octets === undefined) {
      const sentence = `The signing key ${secret} is not in the secret store.`;
      throw new Fault('SecretUnreadable', sentence, { temporary: false });
    }
    const key = createPrivateKey({ key: octets, format: 'der', type: 'pkcs8' });
    this.#keys.set(secret, key);
    return key;
  }
}

function published(key: DkimKey): PublishedKey {
  const { secret: _, ...others } = key;
  return others;
}

interface NewKey {
  /** PKCS #8 in DER. */
  readonly privateKey: Buffer;
  /** See DkimKey. */
  readonly publicKey: string;
}

async function newKey(algorithm: DkimKey['algorithm']): Promise<NewKey> {
  const { privateKey, publicKey } =
    algorithm === 'rsa'
      ? await generate('rsa', { modulusLength: RSA_BITS })
      : await generate('ed25519');
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: publicKeyText(algorithm, publicKey),
  };
}

/** RFC 8463 §4.2: of Ed25519 the key alone, of RSA with what it is (RFC 6376 §3.6.1). */
function publicKeyText(algorithm: DkimKey['algorithm'], key: KeyObject): string {
  const octets =
    algorithm === 'ed25519'
      ? Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
      : key.export({ format: 'der', type: 'spki' });
  return octets.toString('base64');
}

/** The key behind the text. */
function publicKeyOf({ algorithm, publicKey }: DkimKey): KeyObject {
  const octets = Buffer.from(publicKey, 'base64');
  if (algorithm === 'rsa') return createPublicKey({ key: octets, format: 'der', type: 'spki' });
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: octets.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}
