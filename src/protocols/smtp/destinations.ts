/**
 * Where mail for a domain goes: the hosts of its MX records in the order in which they are tried,
 * and what the domain says about TLS.
 *
 * Invariants: of each step it is known whether DNS has proven it; whatever DNS says, the number of
 * look-ups and hosts is bounded.
 * Diagnostics: what can never work is permanent, what DNS could not tell is temporary.
 * RFC 5321 §5.1 (finding hosts), RFC 7505 §3 (null MX), RFC 7672 §2.2.1 (authenticity).
 */

import { isDomainName } from '#domain/values/address';
import { DESTINATION_HOSTS_MAX, DOMAIN_CNAMES_MAX } from '../limits.ts';
import type { Random } from '../ports.ts';
import type { MxRecord, Resolver } from '../ports-remote.ts';
import type { StsFailure, StsOutcome } from '../trust/sts-policies.ts';
import type { UnaskedHost } from '../trust/tls-rpt.ts';
import { followCnames } from './cname.ts';

export interface DestinationPorts {
  readonly resolver: Resolver;
  readonly random: Random;
  readonly stsPolicyFor: (domain: string, signal?: AbortSignal) => Promise<StsOutcome>;
}

/** What an attempt wants to reach. */
export interface Aim {
  /** Of the recipients: lower-case A-labels, or an address literal. */
  readonly domain: string;
  /** True: REQUIRETLS. False: TLS-Required: No. */
  readonly requireTls?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type Destination =
  | {
      readonly type: 'hosts';
      readonly domain: string;
      /** Where the CNAME records of the domain lead. */
      readonly expandedDomain: string;
      /** Names, the best first; never empty. */
      readonly hosts: readonly string[];
      /** They are those of MX records; otherwise the domain itself is the host. */
      readonly hasMx: boolean;
      /** DNSSEC has proven all steps up to the names of the hosts. */
      readonly authentic: boolean;
      readonly sts: StsOutcome;
    }
  /** RFC 5321 §4.1.3: neither DNS nor policies are asked. */
  | { readonly type: 'address'; readonly ip: string };

/** There is no way now, or none ever. */
export interface Unreachable {
  readonly type: 'unreachable';
  readonly permanent: boolean;
  /** RFC 3463, for reports to the sender. */
  readonly enhanced: string;
  /** A sentence for the sender. */
  readonly reason: string;
  /** For those who count. */
  readonly why?: 'tlsa-lookup-failed' | 'requiretls-unmet';
  /** For reports: the host is not asked because of what is known of its TLS. */
  readonly tlsFailure?: UnaskedHost;
  /** For reports: no host is asked because nobody knows whether there is a policy. */
  readonly stsFailure?: StsFailure;
}

export async function findDestination(
  aim: Aim,
  ports: DestinationPorts,
): Promise<Destination | Unreachable> {
  const { domain, signal } = aim;
  const literal = /^\[(?:IPv6:)?(.+)\]$/i.exec(domain)?.[1];
  if (literal !== undefined) return { type: 'address', ip: literal };
  const [sts, found] = await Promise.all([
    ports.stsPolicyFor(domain, signal),
    findHosts(aim, ports),
  ]);
  if (found.type === 'unreachable') return found;
  if (sts.type === 'unknown' && aim.requireTls !== false) {
    const reason = `DNS does not tell now whether ${domain} has a policy for TLS.`;
    const isOurs = signal?.aborted === true;
    return { ...unreachable('4.4.3', reason), ...(isOurs ? {} : { stsFailure: sts.failure }) };
  }
  return { ...found, domain, sts };
}

type Hosts = Omit<Extract<Destination, { type: 'hosts' }>, 'domain' | 'sts'>;

async function findHosts(aim: Aim, ports: DestinationPorts): Promise<Hosts | Unreachable> {
  const { domain, signal } = aim;
  const { resolver } = ports;
  const followed = await followCnames(domain, { resolver, stepsMax: DOMAIN_CNAMES_MAX, signal });
  if (followed.type === 'failed') {
    return unreachable(followed.circle ? '4.4.6' : '4.4.3', `${domain}: ${followed.text}`);
  }
  const expandedDomain = followed.name;
  const answer = await resolver.lookup('MX', expandedDomain, signal);
  switch (answer.type) {
    case 'nxdomain':
      return unreachable('5.1.2', `The domain ${domain} does not exist.`);
    case 'failed':
      return unreachable('4.4.3', `DNS does not tell now where mail for ${domain} goes.`);
    case 'nodata':
      // RFC 5321 §5.1: without MX the domain is its own host.
      return {
        type: 'hosts',
        expandedDomain,
        hosts: [domain],
        hasMx: false,
        authentic: followed.authentic && answer.authentic,
      };
    case 'found': {
      // RFC 7505 §3
      if (answer.records.every(({ exchange }) => exchange === '.')) {
        return unreachable('5.1.10', `The domain ${domain} takes no mail.`);
      }
      const hosts = inOrder(answer.records, ports.random);
      if (hosts.length === 0) {
        return unreachable('5.4.4', `The MX records of ${domain} name no hosts.`);
      }
      const authentic = followed.authentic && answer.authentic;
      return { type: 'hosts', expandedDomain, hosts, hasMx: true, authentic };
    }
  }
}

/** RFC 5321 §5.1: by preference; those of one preference in an order of chance. */
function inOrder(records: readonly MxRecord[], random: Random): readonly string[] {
  const shuffled = records.filter(({ exchange }) => isHostName(exchange));
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = random.bytes(4).readUInt32BE(0) % (last + 1);
    const moved = shuffled[last] as MxRecord;
    shuffled[last] = shuffled[other] as MxRecord;
    shuffled[other] = moved;
  }
  const sorted = shuffled.toSorted((a, b) => a.preference - b.preference);
  return [...new Set(sorted.map(({ exchange }) => exchange))].slice(0, DESTINATION_HOSTS_MAX);
}

/** not RFC 1123 §2.1: underscores are seen in names of mail hosts, and do no harm. */
function isHostName(name: string): boolean {
  return isDomainName(name.replaceAll('_', 'x'));
}

export function unreachable(enhanced: string, reason: string): Unreachable {
  return { type: 'unreachable', permanent: enhanced.startsWith('5'), enhanced, reason };
}
