/**
 * TLS keys of clients: reading the certificate that one stands in, what is done when a client shows
 * one, and when it is taken away.
 *
 * Nothing of a certificate counts but its key: not who signed it, not its dates, not its names.
 * Invariants: a client with a key that lets nobody in does not get to speak; a source that failed
 * too often is not told which keys do.
 * RFC 5280 §4.1 (certificates), RFC 8422 §5.1.1 (names of curves).
 */

import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import type {
  AttemptedLogin,
  CertificateShown,
  Changes,
  Log,
  LoginAttempts,
  Logins,
  PeerKey,
  Rates,
} from '../ports.ts';
import { KEY_MECHANISM } from './login-record.ts';

/** What is to be known of a certificate. */
export interface ClientCertificate {
  /** SHA-256 over the DER of the public key (SubjectPublicKeyInfo), base64url. */
  readonly fingerprint: string;
  /** `ed25519`, `ecdsa-p256`, `rsa-2048`, or whatever it is. */
  readonly keyType: string;
  /** The common name of its subject, or its serial number. */
  readonly name: string;
  /** DER, base64url. */
  readonly certificate: string;
}

const NAME_LETTERS_MAX = 100;

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'p256',
  secp384r1: 'p384',
  secp521r1: 'p521',
};

/** Reads the first certificate of a text in PEM; undefined when there is none that can be read. */
export function readClientCertificate(pem: string): ClientCertificate | undefined {
  return unlessUnreadable(() => {
    const certificate = new X509Certificate(pem);
    return {
      fingerprint: fingerprintOf(certificate),
      keyType: keyTypeOf(certificate.publicKey),
      name: nameOf(certificate),
      certificate: certificate.raw.toString('base64url'),
    };
  });
}

function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return undefined;
  }
}

/** Throws for a key of a kind that is not known at all. */
function fingerprintOf({ publicKey }: X509Certificate): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url');
}

function keyTypeOf(key: KeyObject): string {
  const { modulusLength, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return `rsa-${modulusLength}`;
    case 'ec':
      return `ecdsa-${CURVES[namedCurve] ?? namedCurve}`;
    default:
      return key.asymmetricKeyType ?? 'unknown';
  }
}

function nameOf(certificate: X509Certificate): string {
  const { CN: names } = certificate.toLegacyObject().subject;
  const first = Array.isArray(names) ? names[0] : names;
  const letters = Array.from((first ?? '').replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ').trim());
  const name = letters.slice(0, NAME_LETTERS_MAX).join('').trim();
  return name === '' ? `serial ${certificate.serialNumber.toLowerCase()}` : name;
}

export interface ClientKeyPorts {
  readonly logins: Logins;
  readonly rates: Rates;
  readonly attempts: LoginAttempts;
  readonly log: Log;
}

/**
 * What follows from a client's certificate: the key, that the client has to go, or (undefined) that
 * things go on as if it had shown none.
 */
export function judgeClientKey(
  certificate: X509Certificate,
  { ip, localIp, tls, resumed }: CertificateShown,
  protocol: AttemptedLogin['protocol'],
  { logins, rates, attempts, log }: ClientKeyPorts,
): PeerKey | 'refused' | undefined {
  if (!rates.mayLogin(ip)) return undefined;
  const fingerprint = unlessUnreadable(() => fingerprintOf(certificate));
  const holder = fingerprint === undefined ? undefined : logins.keyHolder(fingerprint);
  const isIn = holder !== undefined && holder.forbidden === undefined;
  // A key that was taken away since the session began is told so by the protocol.
  if (fingerprint !== undefined && (isIn || resumed)) return { fingerprint, resumed };
  rates.failedLogin(ip);
  attempts.record({
    protocol,
    mechanism: KEY_MECHANISM,
    result: holder === undefined ? 'badcreds' : 'logindisabled',
    login: '',
    remoteIp: ip,
    localIp,
    tls,
    fingerprint,
    userAgent: '',
  });
  log.info({ ip, fingerprint, known: holder !== undefined }, 'tls key refused');
  return 'refused';
}

/** Calls back when the key of a connection is taken from its account; returns how to stop. */
export function untilKeyRemoved(
  key: PeerKey | undefined,
  { logins, changes }: { readonly logins: Logins; readonly changes: Changes },
  removed: () => void,
): () => void {
  const holder = key === undefined ? undefined : logins.keyHolder(key.fingerprint);
  if (key === undefined || holder === undefined) return () => undefined;
  const subscription = changes.of(holder.accountId).subscribe(({ facts }) => {
    const isIt = facts.some(
      ({ event }) => event.type === 'TlsKeyRemoved' && event.fingerprint === key.fingerprint,
    );
    if (isIt) removed();
  });
  return () => subscription.unsubscribe();
}
