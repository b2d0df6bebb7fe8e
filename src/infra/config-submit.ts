/**
 * Reads the file that says where sendmail hands in its mail, and as whom.
 *
 * Key names are the established ones of mox; a key may stand there without a value.
 * Diagnostics: every mistake is told with its line and column, and never with a secret.
 */

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Compile } from 'typebox/schema';
import type { Clock } from '#protocols/ports';
import { certificateFor, type KeyPair } from './certificates.ts';
import { BadConfig, readChecked } from './config.ts';

/** `null` is a key without a value. */
type Optional<T> = T | null;

export interface SubmitConfig {
  /** What we call ourselves. */
  readonly LocalHostname: string;
  readonly Host: string;
  readonly Port: number;
  readonly TLS?: Optional<boolean>;
  readonly STARTTLS?: Optional<boolean>;
  readonly TLSInsecureSkipVerify?: Optional<boolean>;
  readonly Username: string;
  readonly Password?: Optional<string>;
  /** Seed of 32 octets, base64url. */
  readonly ClientAuthEd25519PrivateKey?: Optional<string>;
  /** A private key and certificates for it, or an Ed25519 key alone. */
  readonly ClientAuthCertPrivateKeyPEMFile?: Optional<string>;
  /** Name of a mechanism; the strongest that is offered when there is none. */
  readonly AuthMethod?: Optional<string>;
  readonly From: string;
  /** For recipients without a domain. */
  readonly DefaultDestination?: Optional<string>;
  readonly RequireTLS?: Optional<'yes' | 'no' | ''>;
}

const text = { type: 'string', minLength: 1 };
const textOrNone = { type: ['string', 'null'] };
const yesOrNone = { type: ['boolean', 'null'] };

const SUBMIT_SCHEMA: Readonly<Record<string, unknown>> = {
  type: 'object',
  description: 'Where sendmail hands in its mail',
  required: ['LocalHostname', 'Host', 'Port', 'Username', 'From'],
  additionalProperties: false,
  properties: {
    LocalHostname: text,
    Host: text,
    Port: { type: 'integer', minimum: 1, maximum: 65535 },
    TLS: yesOrNone,
    STARTTLS: yesOrNone,
    TLSInsecureSkipVerify: yesOrNone,
    Username: text,
    Password: textOrNone,
    ClientAuthEd25519PrivateKey: textOrNone,
    ClientAuthCertPrivateKeyPEMFile: textOrNone,
    AuthMethod: textOrNone,
    From: text,
    DefaultDestination: textOrNone,
    RequireTLS: { type: ['string', 'null'], enum: ['yes', 'no', '', null] },
  },
};

const schema = Compile(SUBMIT_SCHEMA);

function isSubmitConfig(value: unknown): value is SubmitConfig {
  return schema.Check(value);
}

/** Throws BadConfig when the file is missing, unreadable or wrong. */
export function readSubmitConfig(path: string): SubmitConfig {
  const config = readChecked(path, schema, isSubmitConfig);
  if (config.TLS === true && config.STARTTLS === true) {
    throw new BadConfig(`${path}: TLS begins at once or by STARTTLS, not both`);
  }
  const secrets = SECRETS.filter((name) => Boolean(config[name]));
  if (secrets.length === 1) return config;
  const found = secrets.length === 0 ? 'none' : secrets.join(' and ');
  throw new BadConfig(`${path}: one of ${SECRETS.join(', ')} is needed; there is ${found}`);
}

const SECRETS = [
  'Password',
  'ClientAuthEd25519PrivateKey',
  'ClientAuthCertPrivateKeyPEMFile',
] as const;

/** RFC 8410 §7: what stands in front of the seed in PKCS #8. */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key to show in the handshake, if there is one. */
export async function clientKeyOf(
  config: SubmitConfig,
  path: string,
  clock: Clock,
): Promise<KeyPair | undefined> {
  const { ClientAuthEd25519PrivateKey: seedText, ClientAuthCertPrivateKeyPEMFile: file } = config;
  if (seedText) {
    const seed = Buffer.from(seedText, 'base64url');
    if (seed.length !== 32) {
      throw new BadConfig(`${path}: ClientAuthEd25519PrivateKey: is no seed of 32 octets`);
    }
    const der = Buffer.concat([ED25519_PKCS8, seed]);
    return await certificateFor(
      createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
      clock,
    );
  }
  return file ? await readClientKey(resolve(dirname(path), file), clock) : undefined;
}

/** A private key with its certificates in one PEM file, or an Ed25519 key alone. */
export async function readClientKey(file: string, clock: Clock): Promise<KeyPair> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new BadConfig(`${file}: not readable`, { cause });
  });
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  const key = privateKeyIn(pem, file);
  if (certificates === null) {
    if (key.asymmetricKeyType === 'ed25519') return await certificateFor(key, clock);
    throw new BadConfig(`${file}: there is no certificate for the key`);
  }
  const isOurs = (one: string): boolean => new X509Certificate(one).checkPrivateKey(key);
  if (!isOurs(certificates[0] ?? '')) {
    throw new BadConfig(`${file}: the first certificate is not for the key`);
  }
  return { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: certificates.join('\n') };
}

function privateKeyIn(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // What was thrown may show what stands in the file.
    throw new BadConfig(`${file}: there is no private key in PEM`);
  }
}
