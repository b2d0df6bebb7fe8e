/**
 * The MTA-STS policies of other domains: asked for, fetched, remembered.
 *
 * Invariants: a policy that is remembered and not over stays in force whatever DNS and the web
 * say, except that a policy which protects nothing (`none`) is forgotten when its record is gone;
 * after a failed fetch nobody fetches for five minutes.
 * Diagnostics: failures are told in the words of TLS reports (RFC 8460 §4.3.2.2).
 * RFC 8461 §3.3 (fetching), §5.1 (what senders do), §10.2 (downgrade).
 */

import type { Instant } from '#domain/values/ids';
import { STS_FETCH_MS, STS_POLICY_BYTES_MAX } from '../limits.ts';
import type { Clock, Log } from '../ports.ts';
import type {
  Fetch,
  Fetched,
  KeptSts,
  KeptStsPolicy,
  Resolver,
  StsCache,
} from '../ports-remote.ts';
import { parseStsPolicy, parseStsRecord, type StsPolicy } from './mta-sts.ts';

export interface StsPorts {
  readonly resolver: Resolver;
  readonly fetch: Fetch;
  readonly cache: StsCache;
  readonly clock: Clock;
  readonly log: Log;
}

export type StsOutcome =
  | {
      readonly type: 'policy';
      readonly policy: StsPolicy;
      /** As it was served, for reports. */
      readonly text: string;
      /** Why what is in force is the remembered one. */
      readonly failure?: StsFailure | undefined;
    }
  | { readonly type: 'none'; readonly failure?: StsFailure | undefined }
  /** Whether there is one nobody can say now. */
  | { readonly type: 'unknown'; readonly failure: StsFailure };

/** RFC 8460 §4.3.2.2 result type, and a reason code. */
export interface StsFailure {
  readonly resultType: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';
  readonly reason: string;
}

const BACK_OFF_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** What nobody has used for so long is forgotten. */
const UNUSED_MS = 180 * DAY_MS;
const REFRESH_MS = 12 * 3_600_000;
/** One turn through all of them takes so long. */
const REFRESH_SPREAD_MS = 3 * 3_600_000;

/** The policy that is in force for mail to the domain. */
export async function stsPolicyFor(
  domain: string,
  ports: StsPorts,
  signal?: AbortSignal,
): Promise<StsOutcome> {
  const kept = await ports.cache.get(domain);
  const inForce = policyInForce(kept, ports.clock.now());
  const record = await recordOf(domain, ports, signal);
  if (record.type === 'failed') {
    return inForce === undefined
      ? { type: 'unknown', failure: record.failure }
      : fallback(inForce, record.failure);
  }
  if (record.type === 'missing') {
    if (inForce !== undefined && inForce.policy.mode !== 'none') {
      return fallback(inForce, record.failure);
    }
    if (kept?.policy !== undefined) await ports.cache.delete(domain);
    return record.silent ? { type: 'none' } : { type: 'none', failure: record.failure };
  }
  if (inForce !== undefined && inForce.kept.recordId === record.id) {
    await noteUse(domain, inForce.kept, kept, ports);
    return { type: 'policy', policy: inForce.policy, text: inForce.kept.text };
  }
  const usedAt = ports.clock.now();
  return fetched({ domain, recordId: record.id, kept, usedAt, signal }, ports);
}

/**
 * One turn through what is remembered: forgets what nobody uses, fetches anew what is older than
 * half a day. To be called once a day.
 */
export async function refreshStsPolicies(ports: StsPorts, signal: AbortSignal): Promise<void> {
  const domains = await ports.cache.domains();
  for (const domain of domains) {
    await pause(REFRESH_SPREAD_MS / domains.length, ports.clock, signal);
    if (signal.aborted) return;
    await refreshOne(domain, ports, signal);
  }
}

async function refreshOne(domain: string, ports: StsPorts, signal: AbortSignal): Promise<void> {
  const now = ports.clock.now();
  const kept = await ports.cache.get(domain);
  if (kept === undefined) return;
  const { policy } = kept;
  if (policy === undefined || policy.validUntil <= now || policy.usedAt <= now - UNUSED_MS) {
    await ports.cache.delete(domain);
    return;
  }
  if (policy.updatedAt > now - REFRESH_MS) return;
  const record = await recordOf(domain, ports, signal);
  if (record.type === 'record') {
    await fetched({ domain, recordId: record.id, kept, usedAt: policy.usedAt, signal }, ports);
  }
  // RFC 8461 §10.2: that the record is gone may be the work of an attacker.
  if (record.type === 'missing' && parseStsPolicy(policy.text)?.mode === 'none') {
    await ports.cache.delete(domain);
  }
}

interface InForce {
  readonly kept: KeptStsPolicy;
  readonly policy: StsPolicy;
}

function policyInForce(kept: KeptSts | undefined, now: Instant): InForce | undefined {
  if (kept?.policy === undefined || kept.policy.validUntil <= now) return undefined;
  const policy = parseStsPolicy(kept.policy.text);
  return policy === undefined ? undefined : { kept: kept.policy, policy };
}

function fallback({ policy, kept }: InForce, failure: StsFailure): StsOutcome {
  const reason = `${failure.reason}+fallback-to-cached-policy`;
  return { type: 'policy', policy, text: kept.text, failure: { ...failure, reason } };
}

type Told =
  | { readonly type: 'record'; readonly id: string }
  /** `silent`: the domain says nothing about MTA-STS, which is no failure. */
  | { readonly type: 'missing'; readonly silent: boolean; readonly failure: StsFailure }
  | { readonly type: 'failed'; readonly failure: StsFailure };

async function recordOf(
  domain: string,
  { resolver }: StsPorts,
  signal: AbortSignal | undefined,
): Promise<Told> {
  const answer = await resolver.lookup('TXT', `_mta-sts.${domain}`, signal);
  // A name that is too long with the label in front has no record.
  if (answer.type === 'failed' && answer.why !== 'name') {
    return { type: 'failed', failure: fetchError('dns-lookup') };
  }
  const record = parseStsRecord(answer.type === 'found' ? answer.records : []);
  switch (record.type) {
    case 'record':
      return record;
    case 'none':
      return { type: 'missing', silent: true, failure: fetchError('no-mta-sts-dns-txt-record') };
    case 'several':
      return { type: 'missing', silent: false, failure: fetchError('multiple-mta-sts-records') };
    case 'syntax':
      return { type: 'missing', silent: false, failure: fetchError('record-syntax-error') };
  }
}

interface Wanted {
  readonly domain: string;
  readonly recordId: string;
  readonly kept: KeptSts | undefined;
  readonly usedAt: Instant;
  readonly signal: AbortSignal | undefined;
}

async function fetched(
  { domain, recordId, kept, usedAt, signal }: Wanted,
  { fetch, cache, clock, log }: StsPorts,
): Promise<StsOutcome> {
  const inForce = policyInForce(kept, clock.now());
  const failed = (failure: StsFailure): StsOutcome =>
    inForce === undefined ? { type: 'none', failure } : fallback(inForce, failure);
  if (kept?.retryAt !== undefined && kept.retryAt > clock.now()) {
    return failed(fetchError('back-off-after-recent-fetch-error'));
  }
  const answer = await fetch.get({
    host: `mta-sts.${domain}`,
    path: '/.well-known/mta-sts.txt',
    bytesMax: STS_POLICY_BYTES_MAX,
    timeoutMs: STS_FETCH_MS,
    signal,
  });
  const now = clock.now();
  const failure = failureOf(answer);
  if (failure !== undefined || answer.type === 'failed') {
    log.info({ domain, failure }, 'policy for transport not fetched');
    // Nobody is kept waiting because somebody else was in a hurry.
    if (answer.type === 'failed' && answer.why === 'cancelled')
      return failed(fetchError('cancelled'));
    await cache.put(domain, { ...kept, retryAt: now + BACK_OFF_MS });
    return failed(failure ?? fetchError('cannot-fetch-policy'));
  }
  const text = answer.body.toString('utf8');
  const policy = parseStsPolicy(text);
  if (policy === undefined) {
    await cache.put(domain, { ...kept, retryAt: now + BACK_OFF_MS });
    return failed({ resultType: 'sts-policy-invalid', reason: 'policy-syntax-error' });
  }
  const validUntil = now + policy.maxAgeSeconds * 1000;
  await cache.put(domain, { policy: { recordId, text, updatedAt: now, validUntil, usedAt } });
  return { type: 'policy', policy, text };
}

function failureOf(answer: Fetched): StsFailure | undefined {
  if (answer.type === 'failed') {
    return answer.why === 'certificate'
      ? { resultType: 'sts-webpki-invalid', reason: 'certificate-of-policy-host' }
      : fetchError('cannot-fetch-policy');
  }
  if (answer.status === 404) return fetchError('no-policy-served');
  // RFC 8461 §3.3: 200 and nothing else.
  if (answer.status !== 200) return fetchError('cannot-fetch-policy');
  return answer.mediaType === 'text/plain'
    ? undefined
    : { resultType: 'sts-policy-invalid', reason: 'policy-not-text-plain' };
}

function fetchError(reason: string): StsFailure {
  return { resultType: 'sts-policy-fetch-error', reason };
}

/** Once a day is often enough to know that somebody needs it. */
async function noteUse(
  domain: string,
  policy: KeptStsPolicy,
  kept: KeptSts | undefined,
  { cache, clock }: StsPorts,
): Promise<void> {
  const now = clock.now();
  if (policy.usedAt <= now - DAY_MS)
    await cache.put(domain, { ...kept, policy: { ...policy, usedAt: now } });
}

async function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
