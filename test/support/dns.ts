/**
 * DNS as a map: what each name has, whether it is proven, and what fails.
 */

import type {
  DnsAnswer,
  DnsFailure,
  DnsRecords,
  DnsType,
  Resolver,
  TlsaRecord,
} from '#protocols/ports-remote';

export type Zone = { readonly [T in DnsType]?: readonly DnsRecords[T][] } & {
  /** Not proven by DNSSEC. */
  readonly insecure?: boolean;
  /** Types for which nobody can answer. */
  readonly fails?: readonly DnsType[];
  readonly why?: DnsFailure['why'];
};

export interface FakeResolver extends Resolver {
  /** `MX a.example` and so on, in the order in which they came. */
  readonly asked: readonly string[];
}

const TTL_SECONDS = 300;

/** Names that are missing do not exist, provably. */
export function fakeResolver(names: Readonly<Record<string, Zone>>): FakeResolver {
  const asked: string[] = [];
  const resolve = <T extends DnsType>(type: T, name: string): DnsAnswer<DnsRecords[T]> => {
    const zone = names[name];
    if (zone === undefined) return { type: 'nxdomain', authentic: true, ttlSeconds: TTL_SECONDS };
    const authentic = zone.insecure !== true;
    if (zone.fails?.includes(type) === true) {
      return { type: 'failed', why: zone.why ?? 'servfail', text: `${type} ${name}` };
    }
    const records = zone[type] as readonly DnsRecords[T][] | undefined;
    if (records !== undefined)
      return { type: 'found', records, authentic, ttlSeconds: TTL_SECONDS };
    const cname = zone.CNAME?.[0];
    if (cname === undefined) return { type: 'nodata', authentic, ttlSeconds: TTL_SECONDS };
    const end = resolve(type, cname);
    return end.type === 'failed' ? end : { ...end, authentic: authentic && end.authentic };
  };
  return {
    asked,
    lookup(type, name, signal) {
      asked.push(`${type} ${name}`);
      const cancelled: DnsFailure = { type: 'failed', why: 'cancelled', text: 'cancelled' };
      return Promise.resolve(signal?.aborted === true ? cancelled : resolve(type, name));
    },
  };
}

/** A TLSA record with 32 octets, all the same. */
export function tlsa(usage: number, selector = 1, matchingType = 1, octet = 7): TlsaRecord {
  return { usage, selector, matchingType, data: Buffer.alloc(32, octet) };
}
