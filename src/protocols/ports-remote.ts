/**
 * What conversations need to know about the domains of others: DNS, and small texts over HTTPS.
 * Ports like those of `ports.ts`.
 */

import type { TlsResult } from '#domain/report/events';
import type { Instant } from '#domain/values/ids';

/** Asks DNS. Bounded in time; `signal` ends the wait at once. */
export interface Resolver {
  /**
   * Records of a name (A-labels without the dot at the end); CNAMEs are followed, except when
   * they are what is asked for. Never throws for what DNS does.
   */
  lookup<T extends DnsType>(
    type: T,
    name: string,
    signal?: AbortSignal,
  ): Promise<DnsAnswer<DnsRecords[T]>>;
}

/** Names in records are in lower case, without the dot at the end; the root is `.`. */
export interface DnsRecords {
  readonly A: string;
  readonly AAAA: string;
  readonly CNAME: string;
  readonly MX: MxRecord;
  readonly PTR: string;
  readonly TLSA: TlsaRecord;
  /** All strings of a record in one. */
  readonly TXT: string;
}

export type DnsType = keyof DnsRecords;

export interface MxRecord {
  readonly preference: number;
  readonly exchange: string;
}

/** RFC 6698 §2.1 */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly data: Buffer;
}

export type DnsAnswer<Found> =
  | {
      readonly type: 'found';
      readonly records: readonly Found[];
      /** A resolver that we trust has verified it with DNSSEC. */
      readonly authentic: boolean;
      readonly ttlSeconds: number;
    }
  | {
      /** No such name, or no such record of it. */
      readonly type: 'nxdomain' | 'nodata';
      readonly authentic: boolean;
      readonly ttlSeconds: number;
    }
  | DnsFailure;

/** Nobody could say; later somebody may. */
export interface DnsFailure {
  readonly type: 'failed';
  /** `bogus`: signatures do not fit. `name`: what was asked for cannot be in DNS. */
  readonly why: 'servfail' | 'bogus' | 'timeout' | 'unreachable' | 'cancelled' | 'name';
  /** For logs. */
  readonly text: string;
  /** RFC 8914: what the resolver said about it. */
  readonly extendedError?: { readonly code: number; readonly text: string };
}

/** HTTPS for small texts of strangers. */
export interface Fetch {
  /** Follows no redirect; the certificate must be for the host. Never throws for what peers do. */
  get(request: FetchRequest): Promise<Fetched>;
}

export interface FetchRequest {
  readonly host: string;
  readonly path: string;
  readonly bytesMax: number;
  /** For everything together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type Fetched =
  | {
      readonly type: 'answer';
      readonly status: number;
      /** Without parameters, in lower case; '' when there is none. */
      readonly mediaType: string;
      readonly body: Buffer;
    }
  | {
      readonly type: 'failed';
      readonly why: 'unreachable' | 'certificate' | 'too-large' | 'timeout' | 'cancelled';
      readonly text: string;
    };

/** What is remembered of the MTA-STS policies of others; losing it loses protection for a while. */
export interface StsCache {
  get(domain: string): Promise<KeptSts | undefined>;
  put(domain: string, kept: KeptSts): Promise<void>;
  delete(domain: string): Promise<void>;
  domains(): Promise<readonly string[]>;
}

export interface KeptSts {
  /** Undefined when only a failed fetch is remembered. */
  readonly policy?: KeptStsPolicy | undefined;
  /** After a failed fetch, not before this. */
  readonly retryAt?: Instant | undefined;
}

export interface KeptStsPolicy {
  /** Of the record in DNS for which it was fetched. */
  readonly recordId: string;
  /** As it was served. */
  readonly text: string;
  readonly updatedAt: Instant;
  readonly validUntil: Instant;
  readonly usedAt: Instant;
}

/** How TLS went with hosts of others; what becomes of it, nobody waits for. */
export interface TlsResults {
  record(result: TlsResult): void;
}
