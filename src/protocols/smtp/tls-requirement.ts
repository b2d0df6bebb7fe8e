/**
 * What TLS must prove before mail is given to a host: the policies of the recipient's domain and
 * what the sender asked for, put together.
 *
 * RFC 8461 §4.2 and §5 (MTA-STS), RFC 7672 §2.2 (DANE), RFC 8689 §4.2.1 (REQUIRETLS) and §5
 * (TLS-Required: No), RFC 7435 §3 (otherwise what can be had).
 */

import { X509Certificate } from 'node:crypto';
import type { Instant } from '#domain/values/ids';
import type { ServerCertificates, TlsTrust } from '../ports.ts';
import { daneObjection, type DaneRequirement } from '../trust/dane.ts';

export interface TlsRequirement {
  /** `required`: no mail without TLS. `opportunistic`: TLS when it is offered. */
  readonly mode: 'required' | 'opportunistic';
  /** For SNI; undefined for an address. */
  readonly serverName: string | undefined;
  /** The certificate must be valid for this name by the usual rules; else that is only reported. */
  readonly pkixName: string | undefined;
  /** The certificates must match these records. */
  readonly dane: DaneRequirement | undefined;
  /** When TLS fails, the same host may be tried again without. */
  readonly plaintextRetry: boolean;
  /** RFC 8689 §4.2.1: the host must announce REQUIRETLS, and is told so with MAIL. */
  readonly requireTlsExtension: boolean;
  readonly reasons: readonly TlsReason[];
}

/** Why it is as it is; `ignored`: it would count, had the sender not asked to ignore it. */
export type TlsReason =
  | 'sts-enforce'
  | 'sts-testing'
  | 'sts-mx-mismatch'
  | 'sts-mx-mismatch-ignored'
  | 'sts-enforce-ignored'
  | 'dane'
  | 'dane-unusable'
  | 'dane-ignored'
  | 'tlsa-lookup-failed-ignored'
  | 'requiretls'
  | 'tls-required-no'
  | 'no-policy';

export interface TlsGrounds {
  /** True: REQUIRETLS; false: TLS-Required: No; undefined: neither. */
  readonly requireTls: boolean | undefined;
  /** The name of the host as MX gave it; undefined for an address. */
  readonly host: string | undefined;
  readonly sts: 'enforce' | 'testing' | 'none';
  /** The policy, if any, names the host. */
  readonly stsAllows: boolean;
  readonly dane:
    | { readonly type: 'none' | 'unusable' | 'failed' }
    | { readonly type: 'records'; readonly requirement: DaneRequirement; readonly base: string };
}

/** The requirement, or why there can be no mail to this host. */
export type TlsDecision =
  | { readonly type: 'requirement'; readonly requirement: TlsRequirement }
  | { readonly type: 'sts-mx-mismatch' | 'tlsa-lookup-failed' | 'requiretls-unmet' };

export function decideTls(grounds: TlsGrounds): TlsDecision {
  const { requireTls, host, sts, dane } = grounds;
  if (requireTls === false) return { type: 'requirement', requirement: withoutDemands(grounds) };
  const enforced = sts === 'enforce';
  // RFC 8461 §5: a host that an enforced policy does not name is passed over.
  if (enforced && !grounds.stsAllows) return { type: 'sts-mx-mismatch' };
  // RFC 7672 §2.1.2: a failed look-up must not look like no records.
  if (dane.type === 'failed') return { type: 'tlsa-lookup-failed' };
  // RFC 8689 §4.2.1: without DANE or MTA-STS nobody knows that it is the right host.
  if (requireTls === true && !enforced && dane.type !== 'records') {
    return { type: 'requiretls-unmet' };
  }
  const required = enforced || dane.type !== 'none';
  const reasons: TlsReason[] = [];
  if (requireTls === true) reasons.push('requiretls');
  if (sts !== 'none') reasons.push(`sts-${sts}`);
  if (sts === 'testing' && !grounds.stsAllows) reasons.push('sts-mx-mismatch');
  if (dane.type !== 'none') reasons.push(dane.type === 'records' ? 'dane' : 'dane-unusable');
  if (reasons.length === 0) reasons.push('no-policy');
  const requirement: TlsRequirement = {
    mode: required ? 'required' : 'opportunistic',
    // RFC 7672 §3.2.1: with DANE the name under which the records are.
    serverName: dane.type === 'records' ? dane.base : host,
    pkixName: enforced ? host : undefined,
    dane: dane.type === 'records' ? dane.requirement : undefined,
    plaintextRetry: !required,
    requireTlsExtension: requireTls === true,
    reasons,
  };
  return { type: 'requirement', requirement };
}

/** RFC 8689 §5: delivery matters more than secrecy, and policies are not looked at. */
function withoutDemands({ host, sts, stsAllows, dane }: TlsGrounds): TlsRequirement {
  const reasons: TlsReason[] = ['tls-required-no'];
  if (sts === 'enforce') reasons.push('sts-enforce-ignored');
  if (sts === 'enforce' && !stsAllows) reasons.push('sts-mx-mismatch-ignored');
  if (dane.type === 'failed') reasons.push('tlsa-lookup-failed-ignored');
  else if (dane.type !== 'none') reasons.push('dane-ignored');
  return {
    mode: 'opportunistic',
    serverName: dane.type === 'records' ? dane.base : host,
    pkixName: undefined,
    dane: undefined,
    plaintextRetry: true,
    requireTlsExtension: false,
    reasons,
  };
}

/** How a dialer finds out whether a host is the one that is meant. */
export function tlsTrustFor(requirement: TlsRequirement, now: () => Instant): TlsTrust {
  const { serverName } = requirement;
  return {
    ...(serverName !== undefined && { serverName }),
    judge: (shown) => tlsObjection(requirement, shown, now()),
  };
}

/** Why the host is not believed; undefined when it is, or need not be. */
function tlsObjection(
  { dane, pkixName, serverName }: TlsRequirement,
  shown: ServerCertificates,
  now: Instant,
): string | undefined {
  // Where both are published, both must hold.
  const byDane = dane === undefined ? undefined : daneObjection(dane, shown.chain, now);
  if (byDane !== undefined || pkixName === undefined) return byDane;
  if (pkixName === serverName) return shown.problem;
  const otherName = 'ERR_TLS_CERT_ALTNAME_INVALID';
  if (shown.problem !== undefined && shown.problem !== otherName) return shown.problem;
  const [host] = shown.chain;
  if (host === undefined) return otherName;
  return new X509Certificate(host).checkHost(pkixName) === undefined ? otherName : undefined;
}
