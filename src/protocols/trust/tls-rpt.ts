/**
 * What a TLS session with a mail host says to those who want to hear of it: a result for the
 * recipient's domain, and one for the host.
 *
 * Invariants: each session counts once under each policy; what is wrong and stops nobody is told
 * too, with no sessions.
 * RFC 8460 §4.2 (counts), §4.3 (types of results), §4.4 (policies and details).
 */

import type { TlsDetail, TlsPolicy, TlsResult, TlsResultType } from '#domain/report/events';
import type { TlsaRecord } from '../ports-remote.ts';
import type { StsFailure, StsOutcome } from './sts-policies.ts';

export interface TlsProblemFound {
  readonly resultType: TlsResultType;
  /** What the type does not say; '' for nothing. */
  readonly reasonCode: string;
}

/** What came of asking a host for TLS. */
export interface TlsSession {
  /** `plain`: there was none, and mail may go without. */
  readonly state: 'established' | 'failed' | 'plain';
  /** Why it failed; else what is wrong that nobody insists on. */
  readonly problem?: TlsProblemFound | undefined;
  readonly sendingIp: string;
  readonly receivingIp: string;
  /** What the host calls itself; '' when that is not known. */
  readonly receivingHelo: string;
}

/** What the session was about. */
export interface TlsContext {
  readonly recipientDomain: string;
  readonly sts: StsOutcome;
  /** There is a policy, and it does not name the host. */
  readonly isMxMismatch: boolean;
  /** As MX gave it; the domain itself without MX. */
  readonly host: string;
  readonly tlsa: readonly TlsaRecord[];
  /** `proven`: the host must match the records, and does if there is a session. */
  readonly dane: 'none' | 'proven' | 'unusable';
  /** The message is a report of ours. */
  readonly report: 'dmarc' | 'tls' | undefined;
}

const NOBODY = { sendingIp: '', receivingIp: '', receivingHelo: '' };

/** RFC 8460 §4.4: sessions count for the policy of the domain and for that of the host. */
export function tlsResultsOf(context: TlsContext, session: TlsSession): readonly TlsResult[] {
  const { recipientDomain, host } = context;
  const ofDomain = resultOfDomain(context, session);
  const ofHost = resultOfHost(context, session);
  if (host !== recipientDomain) return [ofDomain, ofHost];
  // A domain that is its own host has one policy; that there is no other needs no second result.
  if (ofHost.policy.type === 'no-policy-found') return [ofDomain];
  return ofDomain.policy.type === 'no-policy-found' ? [ofHost] : [ofDomain, ofHost];
}

/** A host that was not asked, because of what is known of its TLS. */
export interface UnaskedHost extends TlsProblemFound {
  readonly host: string;
  /** Whose policy it is about. */
  readonly of: 'domain' | 'host';
}

/** RFC 8461 §5, RFC 7672 §2.1: that no session was tried is a failure too. */
export function unreachedResult(
  about: Pick<TlsContext, 'recipientDomain' | 'sts' | 'report'>,
  { host, of, ...problem }: UnaskedHost,
): TlsResult {
  const context = { ...about, host, tlsa: [], dane: 'none', isMxMismatch: false } as const;
  const session = { state: 'failed', problem, ...NOBODY } as const;
  return of === 'domain' ? resultOfDomain(context, session) : resultOfHost(context, session);
}

/** RFC 8460 §4.3.2.2: nobody can say whether the domain has a policy, so that no host was asked. */
export function unknownPolicyResult(
  about: Pick<TlsContext, 'recipientDomain' | 'report'>,
  { resultType, reason: reasonCode }: StsFailure,
): TlsResult {
  const detail = { ...detailOf({ resultType, reasonCode }, '', NOBODY), sessions: 1 };
  const of = { policyDomain: about.recipientDomain, isHost: false, policy: NO_POLICY };
  return counted(about, { state: 'failed' }, { ...of, details: [detail] });
}

export const MX_MISMATCH: TlsProblemFound = {
  resultType: 'validation-failure',
  reasonCode: 'mtasts-policy-mx-mismatch',
};

function resultOfDomain(context: TlsContext, session: TlsSession): TlsResult {
  const { recipientDomain, sts, isMxMismatch, dane } = context;
  const policy = stsPolicyShown(sts);
  const details: TlsDetail[] = [];
  const { failure } = sts;
  if (failure !== undefined) {
    const { resultType, reason: reasonCode } = failure;
    details.push(detailOf({ resultType, reasonCode }, '', NOBODY));
  }
  if (isMxMismatch) details.push(detailOf(MX_MISMATCH, context.host, NOBODY));
  // RFC 7672 §3.1: a host that DANE has proven needs nobody else to vouch for it.
  const isProven = session.state === 'established' && dane === 'proven' && policy.type !== 'sts';
  if (!isProven) details.push(...detailsOf(context, session));
  return counted(context, session, {
    policyDomain: recipientDomain,
    isHost: false,
    policy,
    details,
  });
}

function resultOfHost(context: TlsContext, session: TlsSession): TlsResult {
  const { host, tlsa, dane } = context;
  const details: TlsDetail[] = [];
  if (dane === 'unusable') details.push(detailOf(UNUSABLE, host, NOBODY));
  // What the usual check says of a certificate is no matter of records.
  const isOfOthers = session.state === 'established' && tlsa.length > 0;
  if (!isOfOthers) details.push(...detailsOf(context, session));
  const policy = tlsaPolicyShown(tlsa);
  return counted(context, session, { policyDomain: host, isHost: true, policy, details });
}

/** RFC 7672 §2.2: TLS is a must then, but any certificate will do. */
const UNUSABLE: TlsProblemFound = {
  resultType: 'tlsa-invalid',
  reasonCode: 'all-unusable-records+ignored',
};

function counted(
  { recipientDomain, report }: Pick<TlsContext, 'recipientDomain' | 'report'>,
  { state }: Pick<TlsSession, 'state'>,
  of: Pick<TlsResult, 'policyDomain' | 'isHost' | 'policy' | 'details'>,
): TlsResult {
  const failures = state === 'failed' ? 1 : 0;
  return {
    recipientDomain,
    ...of,
    // Or else two who send reports would do so for ever.
    sendReport: report === undefined || (report === 'dmarc' && failures > 0),
    successes: state === 'established' ? 1 : 0,
    failures,
  };
}

function detailsOf({ host }: TlsContext, session: TlsSession): readonly TlsDetail[] {
  const { problem, state } = session;
  if (problem === undefined) return [];
  return [{ ...detailOf(problem, host, session), sessions: state === 'failed' ? 1 : 0 }];
}

function detailOf(
  { resultType, reasonCode }: TlsProblemFound,
  receivingMx: string,
  { sendingIp, receivingIp, receivingHelo }: typeof NOBODY,
): TlsDetail {
  return {
    resultType,
    sendingIp,
    receivingMx,
    receivingHelo,
    receivingIp,
    sessions: 0,
    reasonCode,
  };
}

const NO_POLICY: TlsPolicy = { type: 'no-policy-found', strings: [], mxHosts: [] };

/** A policy that protects nothing is none, whether it was fetched now or before. */
function stsPolicyShown(sts: StsOutcome): TlsPolicy {
  if (sts.type !== 'policy' || sts.policy.mode === 'none') return NO_POLICY;
  const lines = sts.text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return { type: 'sts', strings: lines, mxHosts: sts.policy.mx };
}

function tlsaPolicyShown(records: readonly TlsaRecord[]): TlsPolicy {
  if (records.length === 0) return NO_POLICY;
  // RFC 6698 §2.2
  const strings = records.map(
    ({ usage, selector, matchingType, data }) =>
      `${usage} ${selector} ${matchingType} ${data.toString('hex')}`,
  );
  return { type: 'tlsa', strings, mxHosts: [] };
}
