/**
 * What is to be told to others about mail between us: how TLS went with their hosts.
 *
 * Stored in a stream per month (`reports-<yyyymm>`, UTC), which can go as a whole when it is old.
 * RFC 8460 §4.2 (counts), §4.3 (types of results), §4.4 (policies and details).
 */

/** RFC 8460 §4.3: what can be wrong. */
export type TlsResultType =
  /** The host offers none, or refuses it. */
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  /** Nobody whom we trust vouches for it. */
  | 'certificate-not-trusted'
  /** Anything else. */
  | 'validation-failure'
  /** The records cannot be used, or not be looked up. */
  | 'tlsa-invalid'
  /** DNSSEC proves that the answer is not genuine. */
  | 'dnssec-invalid'
  /** We insist on DANE, and there is none. */
  | 'dane-required'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  /** The host of the policy has no valid certificate. */
  | 'sts-webpki-invalid';

/** RFC 8460 §4.4: what the domain, or its host, asks for. */
export interface TlsPolicy {
  readonly type: 'sts' | 'tlsa' | 'no-policy-found';
  /** The lines of an MTA-STS policy as it was served, or TLSA records. */
  readonly strings: readonly string[];
  /** The patterns of an MTA-STS policy. */
  readonly mxHosts: readonly string[];
}

/** RFC 8460 §4.4: something that was wrong, and with whom. Addresses and names may be ''. */
export interface TlsDetail {
  readonly resultType: TlsResultType;
  readonly sendingIp: string;
  readonly receivingMx: string;
  /** What the host calls itself. */
  readonly receivingHelo: string;
  readonly receivingIp: string;
  /** Sessions that failed for it; 0 when mail went all the same. */
  readonly sessions: number;
  /** More than the type says, `dane-no-match`. */
  readonly reasonCode: string;
}

/** Sessions that one policy applied to. */
export interface TlsResult {
  readonly recipientDomain: string;
  /** Whose policy it is: the recipient's domain, or a host. */
  readonly policyDomain: string;
  /** It is a host that MX records name. */
  readonly isHost: boolean;
  /** False when it is no reason to write a report, for it comes of sending one. */
  readonly sendReport: boolean;
  readonly policy: TlsPolicy;
  readonly successes: number;
  readonly failures: number;
  readonly details: readonly TlsDetail[];
}

/** Such sessions of about a minute. */
export interface TlsResultRecorded extends TlsResult {
  readonly type: 'TlsResultRecorded';
  /** Of the sessions, UTC: `2026-01-31`. */
  readonly day: string;
}

export type ReportEvent = TlsResultRecorded;

export const REPORT_EVENTS: Record<ReportEvent['type'], string> = {
  TlsResultRecorded: 'Mail was given to hosts of others: how TLS went, under one policy.',
};
