/**
 * Chains of certificates: an authority, one between, a host, and what a test wants to be wrong.
 */

import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { newKeys } from './certificates.ts';

export interface Certificate {
  readonly der: Buffer;
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface CertificateOptions {
  /** Distinguished name. */
  readonly name: string;
  /** Who signs; the certificate itself when absent. */
  readonly issuer?: Certificate;
  readonly authority?: boolean;
  readonly hosts?: readonly string[];
  readonly expired?: boolean;
  readonly forClients?: boolean;
  readonly nameConstraints?: boolean;
}

const DAY_MS = 24 * 3_600_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
let serial = 1;

export async function newCertificate(options: CertificateOptions): Promise<Certificate> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await newKeys('p256');
  const { name, issuer, authority = false, hosts = [] } = options;
  const endsAt = Date.now() + (options.expired === true ? -1 : 1) * DAY_MS;
  const usage = options.forClients === true ? 'clientAuth' : 'serverAuth';
  const extensions = [
    new x509.BasicConstraintsExtension(authority, undefined, true),
    ...(authority ? [] : [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]])]),
    ...(hosts.length === 0
      ? []
      : [new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value })))]),
    // RFC 5280 §4.2.1.10: permitted, .example
    ...(options.nameConstraints === true
      ? [
          new x509.Extension(
            '2.5.29.30',
            true,
            Buffer.from('300ea00c300a82082e6578616d706c65', 'hex'),
          ),
        ]
      : []),
  ];
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: (serial++).toString(16).padStart(4, '0'),
    subject: name,
    issuer: issuer?.name ?? name,
    notBefore: new Date(endsAt - 30 * DAY_MS),
    notAfter: new Date(endsAt),
    signingAlgorithm: P256,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions,
  });
  const der = Buffer.from(made.rawData);
  return {
    der,
    spki: new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' }),
    cert: `${made.toString('pem')}\n`,
    key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }),
    name,
    keys,
  };
}

export interface Chain {
  readonly root: Certificate;
  readonly between: Certificate;
  readonly host: Certificate;
}

/** A host that an authority vouches for by another. */
export async function newChain(
  more: {
    readonly root?: Partial<CertificateOptions>;
    readonly between?: Partial<CertificateOptions>;
    readonly host?: Partial<CertificateOptions>;
  } = {},
): Promise<Chain> {
  const root = await newCertificate({ name: 'CN=Root', authority: true, ...more.root });
  const between = await newCertificate({
    name: 'CN=Between',
    authority: true,
    issuer: root,
    ...more.between,
  });
  const host = await newCertificate({
    name: 'CN=Host',
    hosts: ['mx.example', '*.wild.example'],
    issuer: between,
    ...more.host,
  });
  return { root, between, host };
}
