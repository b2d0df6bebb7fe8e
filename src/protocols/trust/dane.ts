/**
 * DANE: whether the certificates that a host has shown are those that its domain publishes.
 *
 * Invariants: a record of which the length or the kind is not known takes part in nothing; the
 * certificate of the host itself needs no name and no date (usage 3), an authority needs both of
 * everything below it (usage 2).
 * not RFC 5280 §6.1.4: the length of paths is not looked at, and an authority between that is
 * constrained to names is not believed, because the runtime tells neither.
 * RFC 6698 §2.1 (records), RFC 7671 §5 (usages), §9 (digests), RFC 7672 §3 (SMTP).
 */

import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import type { Instant } from '#domain/values/ids';
import { DANE_CHAIN_MAX, TLSA_RECORDS_MAX } from '../limits.ts';
import type { TlsaRecord } from '../ports-remote.ts';

export interface DaneRequirement {
  /** Only usable ones; one of them must match. */
  readonly records: readonly TlsaRecord[];
  /** Names of which the certificate must have one, where an authority vouches for it. */
  readonly names: readonly string[];
}

const USAGE_AUTHORITY = 2;
const USAGE_HOST = 3;
const DIGESTS: ReadonlyMap<number, { readonly name: string; readonly bytes: number }> = new Map([
  [1, { name: 'sha256', bytes: 32 }],
  [2, { name: 'sha512', bytes: 64 }],
]);
const EXACT = 0;
const KEY_ONLY = 1;
const SERVER_AUTHENTICATION = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
/** RFC 5280 §4.2.1.10: the identifier of name constraints, 2.5.29.30. */
const NAME_CONSTRAINTS: Buffer = Buffer.from('0603551d1e', 'hex');

/** The records that say something about a mail host, as far as we understand them. */
export function usableRecords(records: readonly TlsaRecord[]): readonly TlsaRecord[] {
  const usable = records.slice(0, TLSA_RECORDS_MAX).filter(isUsable);
  // RFC 7671 §9: of several digests of the same thing only the strongest counts.
  return usable.filter(
    (one) =>
      one.matchingType === EXACT ||
      !usable.some(
        (other) =>
          other.usage === one.usage &&
          other.selector === one.selector &&
          other.matchingType > one.matchingType,
      ),
  );
}

function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  // RFC 7672 §3.1.3: usages 0 and 1 are not for SMTP.
  if (usage !== USAGE_AUTHORITY && usage !== USAGE_HOST) return false;
  if (selector !== 0 && selector !== KEY_ONLY) return false;
  return matchingType === EXACT
    ? data.length > 0
    : data.length === DIGESTS.get(matchingType)?.bytes;
}

/** Undefined when a record matches; otherwise the reason. The chain is in DER, the host first. */
export function daneObjection(
  { records, names }: DaneRequirement,
  chain: readonly Buffer[],
  now: Instant,
): string | undefined {
  const certificates = chain.slice(0, DANE_CHAIN_MAX).flatMap(readCertificate);
  const [host] = certificates;
  if (host === undefined) return 'dane-no-certificate';
  // RFC 7672 §3.1.1: with usage 3 neither names nor dates are looked at.
  if (records.some((one) => one.usage === USAGE_HOST && matches(one, host))) return undefined;
  const authorities = records.filter(({ usage }) => usage === USAGE_AUTHORITY);
  if (!vouchedFor(authorities, certificates, now)) return 'dane-no-match';
  // RFC 7672 §3.2.3: a star for the leftmost label only.
  const named = names.some(
    (name) => host.checkHost(name, { partialWildcards: false }) !== undefined,
  );
  return named ? undefined : 'dane-name-mismatch';
}

/** True when signatures lead from the certificate of the host to an authority of the records. */
function vouchedFor(
  authorities: readonly TlsaRecord[],
  [host, ...others]: readonly X509Certificate[],
  now: Instant,
): boolean {
  if (authorities.length === 0 || host === undefined || !isForServers(host)) return false;
  const reached = [host];
  for (const one of reached) {
    // An anchor is believed because it is published; its own dates do not count.
    if (authorities.some((record) => matches(record, one) || hasSigned(record, one, now))) {
      if (isValidAt(host, now)) return true;
    }
    // RFC 5280 §6.1.3: only what is valid itself hands trust down.
    if (!isValidAt(one, now) || hasNameConstraints(one)) continue;
    for (const issuer of others) {
      if (!reached.includes(issuer) && issuer.ca && isIssuedBy(one, issuer)) reached.push(issuer);
    }
  }
  return false;
}

/** RFC 7671 §5.2.2: an authority that stands in DNS as a whole need not be sent. */
function hasSigned(record: TlsaRecord, one: X509Certificate, now: Instant): boolean {
  if (record.matchingType !== EXACT || !isValidAt(one, now)) return false;
  if (record.selector === KEY_ONLY) return hasSignatureOf(one, record.data);
  const [issuer] = readCertificate(record.data);
  return issuer !== undefined && issuer.ca && isIssuedBy(one, issuer);
}

function isIssuedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  return one.checkIssued(issuer) && one.verify(issuer.publicKey);
}

function hasSignatureOf(one: X509Certificate, spki: Buffer): boolean {
  try {
    return one.verify(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  } catch (error) {
    // The record holds no key: it vouches for nobody.
    if (error instanceof Error) return false;
    throw error;
  }
}

function matches({ selector, matchingType, data }: TlsaRecord, one: X509Certificate): boolean {
  const whole = selector === KEY_ONLY ? keyOf(one) : one.raw;
  const digest = DIGESTS.get(matchingType);
  if (digest === undefined) return whole.equals(data);
  return createHash(digest.name).update(whole).digest().equals(data);
}

function keyOf(one: X509Certificate): Buffer {
  return one.publicKey.export({ type: 'spki', format: 'der' });
}

/** An authority may limit what it vouches for. */
function isForServers(host: X509Certificate): boolean {
  // What the runtime calls the usage of the key is the extended one; without it all is allowed.
  const usages: readonly string[] | undefined = host.keyUsage;
  return usages === undefined || usages.some((usage) => SERVER_AUTHENTICATION.includes(usage));
}

function isValidAt(one: X509Certificate, now: Instant): boolean {
  return one.validFromDate.getTime() <= now && now <= one.validToDate.getTime();
}

function hasNameConstraints(one: X509Certificate): boolean {
  return one.ca && one.raw.includes(NAME_CONSTRAINTS);
}

function readCertificate(der: Buffer): readonly X509Certificate[] {
  try {
    return [new X509Certificate(der)];
  } catch (error) {
    // Octets that are no certificate match nothing.
    if (error instanceof Error) return [];
    throw error;
  }
}
