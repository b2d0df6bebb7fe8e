/**
 * Certificates that clients of a test show: of any kind of key, also ones that nobody would trust.
 */

import { KeyObject, webcrypto } from 'node:crypto';

export interface ClientPair {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 24 * 60 * 60_000;

interface Algorithm {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array<ArrayBuffer>;
}

/** Kinds of keys that tests ask for. */
export type KeyKind = 'ed25519' | 'p256' | 'p384' | 'rsa1024' | 'rsa2048';

const ALGORITHMS: Readonly<Record<KeyKind, Algorithm>> = {
  ed25519: { name: 'Ed25519' },
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa1024: rsa(1024),
  rsa2048: rsa(2048),
};

function rsa(modulusLength: number): Algorithm {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent };
}

export interface PairOptions {
  readonly kind?: KeyKind;
  /** Distinguished name, such as `CN=laptop`. */
  readonly subject?: string;
  /** A year ago it was over. */
  readonly expired?: boolean;
  /** The key of another certificate, instead of a new one. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

export async function newKeys(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  const usages: webcrypto.KeyUsage[] = ['sign', 'verify'];
  const keys = await webcrypto.subtle.generateKey(ALGORITHMS[kind], true, usages);
  return keys as webcrypto.CryptoKeyPair;
}

/** A self-signed certificate. */
export async function newPair(options: PairOptions = {}): Promise<ClientPair> {
  const { kind = 'ed25519', subject = 'CN=laptop', expired = false } = options;
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = options.keys ?? (await newKeys(kind));
  const endsAt = Date.now() + (expired ? -365 : 365) * DAY_MS;
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '0badcafe',
    name: subject,
    notBefore: new Date(endsAt - 700 * DAY_MS),
    notAfter: new Date(endsAt),
    signingAlgorithm: ALGORITHMS[kind],
    keys,
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { key, cert: `${cert.toString('pem')}\n` };
}
