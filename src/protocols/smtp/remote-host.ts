/**
 * One host of a destination, made ready to be dialled: its addresses in the order in which they are
 * tried, and what TLS must prove.
 *
 * Diagnostics: a host that is unreachable is passed over; mail has failed for ever only when all
 * hosts are unreachable for ever.
 * RFC 5321 §5.1 (addresses), RFC 7672 §2.2 (DANE), RFC 8461 §4 (MTA-STS).
 */

import { HOST_ADDRESSES_MAX, HOST_CNAMES_MAX, TLSA_RECORDS_MAX } from '../limits.ts';
import type { DnsAnswer, DnsFailure, Resolver, TlsaRecord } from '../ports-remote.ts';
import { usableRecords } from '../trust/dane.ts';
import { stsAllows } from '../trust/mta-sts.ts';
import { MX_MISMATCH } from '../trust/tls-rpt.ts';
import { followCnames, type Followed } from './cname.ts';
import { unreachable, type Aim, type Destination, type Unreachable } from './destinations.ts';
import { decideTls, type TlsGrounds, type TlsRequirement } from './tls-requirement.ts';

export interface RemoteHost {
  readonly type: 'host';
  /** As MX gave it; an address for an address literal. */
  readonly name: string;
  /** The best first. */
  readonly addresses: readonly string[];
  /** It has addresses of both families. */
  readonly dualStack: boolean;
  readonly tls: TlsRequirement;
  /** What was published for DANE, for reports; empty when it does not count. */
  readonly tlsa: readonly TlsaRecord[];
}

export interface HostOptions extends Omit<Aim, 'domain'> {
  /** Whom earlier attempts have dialled, the last one last. */
  readonly dialed: readonly Dialed[];
  /** The only family that may be dialled. */
  readonly family?: 4 | 6 | undefined;
}

export interface Dialed {
  readonly host: string;
  readonly ip: string;
}

type HostsOfDomain = Extract<Destination, { type: 'hosts' }>;

/** The hosts one after the other, each of them looked up when it is its turn. */
export async function* remoteHosts(
  destination: Destination,
  options: HostOptions,
  resolver: Resolver,
): AsyncGenerator<RemoteHost | Unreachable, void> {
  if (destination.type === 'address') {
    yield hostOfLiteral(destination.ip, options);
    return;
  }
  for (const host of destination.hosts) {
    if (options.signal?.aborted === true) return;
    yield await locateHost(destination, host, options, resolver);
  }
}

/** An address literal: nothing is known about it, so nothing can be demanded. */
function hostOfLiteral(ip: string, { requireTls }: HostOptions): RemoteHost | Unreachable {
  const decision = decideTls({
    requireTls,
    host: undefined,
    sts: 'none',
    stsAllows: true,
    dane: { type: 'none' },
  });
  if (decision.type !== 'requirement') return requireTlsUnmet(ip);
  const { requirement } = decision;
  return { type: 'host', name: ip, addresses: [ip], dualStack: false, tls: requirement, tlsa: [] };
}

async function locateHost(
  destination: HostsOfDomain,
  host: string,
  options: HostOptions,
  resolver: Resolver,
): Promise<RemoteHost | Unreachable> {
  const { signal, requireTls } = options;
  const policy = destination.sts.type === 'policy' ? destination.sts.policy : undefined;
  const sts = policy?.mode ?? 'none';
  const allowed = policy === undefined || sts === 'none' || stsAllows(policy, host);
  // RFC 8461 §5: it is not even looked for.
  if (sts === 'enforce' && !allowed && requireTls !== false) return notInPolicy(host, destination);
  const followed = await followCnames(host, { resolver, stepsMax: HOST_CNAMES_MAX, signal });
  if (followed.type === 'failed') {
    return unreachable(followed.circle ? '4.4.6' : '4.4.3', `${host}: ${followed.text}`);
  }
  const found = await addressesOf(host, followed.name, options, resolver);
  if (found.type === 'unreachable') return found;
  const published = await publishedFor(destination, host, { followed, found, resolver, signal });
  const decision = decideTls({
    requireTls,
    host,
    sts,
    stsAllows: allowed,
    dane: groundsOf(published, destination),
  });
  switch (decision.type) {
    case 'sts-mx-mismatch':
      return notInPolicy(host, destination);
    case 'requiretls-unmet':
      return requireTlsUnmet(host);
    case 'tlsa-lookup-failed':
      return {
        ...unreachable('4.4.3', `DNS does not tell now which certificates ${host} has.`),
        why: decision.type,
        ...(published.type === 'failed' && lookupFailure(host, published.failure)),
      };
    case 'requirement':
      return {
        type: 'host',
        name: host,
        addresses: inOrder(found.addresses, dialedOf(host, options)).slice(0, HOST_ADDRESSES_MAX),
        dualStack: new Set(found.addresses.map(isIpv6)).size === 2,
        tls: decision.requirement,
        tlsa: published.type === 'records' ? published.records : [],
      };
  }
}

interface Addresses {
  readonly type: 'addresses';
  readonly addresses: readonly string[];
  readonly authentic: boolean;
}

async function addressesOf(
  host: string,
  name: string,
  { family, signal }: HostOptions,
  resolver: Resolver,
): Promise<Addresses | Unreachable> {
  const none: DnsAnswer<string> = { type: 'nodata', authentic: true, ttlSeconds: 0 };
  const answers = await Promise.all([
    family === 4 ? none : resolver.lookup('AAAA', name, signal),
    family === 6 ? none : resolver.lookup('A', name, signal),
  ]);
  const found = answers.filter((answer) => answer.type === 'found');
  if (found.length > 0) {
    return {
      type: 'addresses',
      addresses: found.flatMap(({ records }) => records),
      authentic: found.every(({ authentic }) => authentic),
    };
  }
  if (answers.some(({ type }) => type === 'failed')) {
    return unreachable('4.4.3', `DNS does not tell now which addresses ${host} has.`);
  }
  return unreachable('5.4.4', `The host ${host} has no address.`);
}

type Published =
  | { readonly type: 'none' }
  | { readonly type: 'failed'; readonly failure: DnsFailure }
  | { readonly type: 'records'; readonly records: readonly TlsaRecord[]; readonly base: string };

/** RFC 7672 §2.2: the records that count for the host, and the name under which they stand. */
async function publishedFor(
  destination: HostsOfDomain,
  host: string,
  how: {
    readonly followed: Extract<Followed, { type: 'name' }>;
    readonly found: Addresses;
    readonly resolver: Resolver;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Published> {
  const { followed, found, resolver, signal } = how;
  // not RFC 7672 §2.2.1: hosts that an unproven MX names are not asked for records; who could
  // forge the MX would name a host of his own.
  if (!destination.authentic) return { type: 'none' };
  const expanded = followed.authentic && found.authentic;
  const bases = expanded ? [followed.name] : [];
  // RFC 7672 §2.2.3: when there is nothing at the end of proven CNAMEs, or when only the first
  // step is proven, the name that was there first counts.
  if (followed.name !== host && followed.firstAuthentic) bases.push(host);
  for (const base of bases) {
    const answer = await resolver.lookup('TLSA', `_25._tcp.${base}`, signal);
    if (answer.type === 'failed' && answer.why !== 'name') {
      return { type: 'failed', failure: answer };
    }
    if (answer.type === 'found' && answer.authentic) {
      return { type: 'records', records: answer.records.slice(0, TLSA_RECORDS_MAX), base };
    }
  }
  return { type: 'none' };
}

function groundsOf(published: Published, destination: HostsOfDomain): TlsGrounds['dane'] {
  if (published.type !== 'records') return { type: published.type };
  const { base } = published;
  const records = usableRecords(published.records);
  if (records.length === 0) return { type: 'unusable' };
  // RFC 7672 §3.2.2: without MX only the name under which the records stand.
  const more = destination.hasMx ? [destination.domain, destination.expandedDomain] : [];
  return { type: 'records', requirement: { records, names: [...new Set([base, ...more])] }, base };
}

/**
 * The family that was not dialled last comes first. Within one, the address that was dialled its
 * only time comes first: a host that asks to come again wants to see the same address.
 */
function inOrder(addresses: readonly string[], dialed: readonly string[]): readonly string[] {
  const last = dialed.at(-1);
  const rank = (ip: string): number => {
    const ofFamily = dialed.filter((other) => isIpv6(other) === isIpv6(ip));
    const again = ofFamily.length === 1 && ofFamily[0] === ip;
    return (last !== undefined && isIpv6(last) === isIpv6(ip) ? 2 : 0) + (again ? 0 : 1);
  };
  return addresses.toSorted((a, b) => rank(a) - rank(b));
}

function dialedOf(name: string, { dialed }: HostOptions): readonly string[] {
  return dialed.flatMap(({ host, ip }) => (host === name ? [ip] : []));
}

function isIpv6(ip: string): boolean {
  return ip.includes(':');
}

function notInPolicy(host: string, { domain }: HostsOfDomain): Unreachable {
  const sentence = `The policy of ${domain} for TLS does not name the host ${host}.`;
  const tlsFailure = { host, of: 'domain', ...MX_MISMATCH } as const;
  return { ...unreachable('4.7.0', sentence), tlsFailure };
}

/** RFC 8914 §4: what the resolver said about it, if it did. Nothing when it was we who gave up. */
function lookupFailure(
  host: string,
  { why, extendedError }: DnsFailure,
): Pick<Unreachable, 'tlsFailure'> {
  if (why === 'cancelled') return {};
  const resultType = why === 'bogus' ? 'dnssec-invalid' : 'tlsa-invalid';
  const reasonCode =
    extendedError === undefined ? `dns-${why}` : `extended-dns-error-${extendedError.code}`;
  return { tlsFailure: { host, of: 'host', resultType, reasonCode } };
}

/** RFC 8689 §4.2.1, code 554. */
function requireTlsUnmet(host: string): Unreachable {
  const reason = `REQUIRETLS: nothing proves that ${host} is the right host.`;
  return { ...unreachable('5.7.30', reason), why: 'requiretls-unmet' };
}
