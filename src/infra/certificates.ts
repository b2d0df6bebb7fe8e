/**
 * Keys and certificates for TLS: one that we sign ourselves, for machines that have no other, and
 * how every certificate is used.
 *
 * Invariants: key and certificate stand in one file for the owner only, replaced at once, so that
 * they always fit together. RFC 5280 (certificates), RFC 9325 (which TLS to speak).
 */

import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Fault } from '#domain/values/fault';
import type { Clock, Random } from '#protocols/ports';
import { replaceFile } from './files.ts';

const DAY_MS = 24 * 60 * 60_000;
const VALID_MS = 4 * 365 * DAY_MS;
/** A certificate that ends this soon is made again. */
const RENEW_MS = 30 * DAY_MS;
const EC_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface SelfSignedOptions {
  /** Key and certificate in PEM. */
  readonly file: string;
  /** Host names and addresses; `localhost`, `127.0.0.1` and `::1` come along. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

/** A private key and its certificate, in PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** Reads our own certificate; makes it when it is missing, soon over, or for other names. */
export async function openSelfSigned(options: SelfSignedOptions): Promise<KeyPair> {
  const names = [...new Set([...options.names, 'localhost', '127.0.0.1', '::1'])];
  const kept = await readPair(options.file);
  if (kept !== undefined && fits(kept, names, options.clock)) return kept;
  const made = await makeSelfSigned(names, options);
  await mkdir(path.dirname(options.file), { recursive: true, mode: 0o700 });
  await replaceFile(options.file, made.key + made.cert, 0o600);
  return made;
}

/** How a server uses a certificate. */
export function serverContext(pair: KeyPair): SecureContext {
  return createSecureContext({
    key: pair.key,
    cert: pair.cert,
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    // Renegotiation would change what RFC 5929 tls-unique binds to.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: createHash('sha256').update(pair.cert).digest('hex').slice(0, 32),
  });
}

/** The context of the first pair that is for a name; of the first one when none is. */
export function contextsOf(
  pairs: readonly [KeyPair, ...KeyPair[]],
): (serverName?: string) => SecureContext {
  const [first, ...others] = pairs.map((pair) => ({
    certificate: new X509Certificate(pair.cert),
    context: serverContext(pair),
  }));
  if (first === undefined) throw new Error('there is no certificate');
  return (serverName) => {
    const isFor = ({ certificate }: typeof first): boolean =>
      serverName !== undefined && certificate.checkHost(serverName) !== undefined;
    return ([first, ...others].find(isFor) ?? first).context;
  };
}

/** Throws a Fault with one sentence when the files cannot be read or do not fit together. */
export async function readKeyPair(certFile: string, keyFile: string): Promise<KeyPair> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { key, cert };
  } catch (cause) {
    const sentence = `The certificate ${certFile} or its key ${keyFile} cannot be read.`;
    throw new Fault('SecretUnreadable', sentence, { cause, temporary: false });
  }
  const sentence = `The key ${keyFile} is not for the certificate ${certFile}.`;
  throw new Fault('SecretUnreadable', sentence, { temporary: false });
}

async function readPair(file: string): Promise<KeyPair | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    const cert = new X509Certificate(text);
    const key = createPrivateKey(text);
    if (!cert.checkPrivateKey(key)) throw new Error('Key and certificate do not belong together.');
    return { key: pemOf(key), cert: cert.toString() };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const sentence = `The key and certificate for TLS cannot be read: ${file}`;
    throw new Fault('SecretUnreadable', sentence, { cause: error, temporary: false });
  }
}

function fits(pair: KeyPair, names: readonly string[], clock: Clock): boolean {
  const cert = new X509Certificate(pair.cert);
  const endsAt = cert.validToDate.getTime();
  if (clock.now() < cert.validFromDate.getTime() || clock.now() > endsAt - RENEW_MS) return false;
  return names.every((name) =>
    isIP(name) === 0 ? cert.checkHost(name) !== undefined : cert.checkIP(name) !== undefined,
  );
}

/** A certificate around a key that somebody has, to show the key in a handshake. */
export async function certificateFor(privateKey: KeyObject, clock: Clock): Promise<KeyPair> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'Ed25519' };
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const { subtle } = webcrypto;
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: [{ CN: ['daybook'] }],
    notBefore: new Date(clock.now() - DAY_MS),
    notAfter: new Date(clock.now() + VALID_MS),
    signingAlgorithm: algorithm,
    keys: {
      privateKey: await subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
      publicKey: await subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
  });
  return { key: pemOf(privateKey), cert: `${cert.toString('pem')}\n` };
}

async function makeSelfSigned(
  names: readonly string[],
  { clock, random }: SelfSignedOptions,
): Promise<KeyPair> {
  // Loaded only when needed; the library wants the metadata first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify']);
  const serial = random.bytes(16);
  // RFC 5280 §4.1.2.2: positive.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString('hex'),
    name: [{ CN: [names[0] ?? 'localhost'] }],
    notBefore: new Date(clock.now() - DAY_MS),
    notAfter: new Date(clock.now() + VALID_MS),
    signingAlgorithm: EC_P256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
    ],
  });
  return { key: pemOf(KeyObject.from(keys.privateKey)), cert: `${cert.toString('pem')}\n` };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}
