/**
 * How results of TLS are recorded: those under the same policy of the same day as one fact.
 *
 * Invariant: whatever others publish and answer, a fact has a bounded size; what is cut off is only
 * text, the counts are right.
 */

import { decided, type Decided } from '../values/decision.ts';
import type { ReportEvent, TlsDetail, TlsPolicy, TlsResult, TlsResultRecorded } from './events.ts';

/** Details of one fact, and of one policy on one day: what differs beyond is only counted. */
export const TLS_DETAILS_MAX = 50;
/** Lines of a policy, or records. */
const POLICY_STRINGS_MAX = 200;
const POLICY_LETTERS_MAX = 8192;
const NAME_LETTERS_MAX = 255;
const REASON_LETTERS_MAX = 200;

/** Results of a day that were put together. */
export type GatheredTlsResult = Omit<TlsResultRecorded, 'type'>;

export interface RecordTlsResult {
  readonly type: 'RecordTlsResult';
  readonly result: GatheredTlsResult;
}

export function decideReport({ result }: RecordTlsResult): Decided<ReportEvent, object> {
  return decided([{ type: 'TlsResultRecorded', ...result }], {});
}

/** The result as it can be recorded: texts of others are one line each, and end. */
export function recordableResult(result: TlsResult, day: string): GatheredTlsResult {
  return {
    day,
    ...result,
    policy: recordablePolicy(result.policy),
    details: result.details.slice(0, TLS_DETAILS_MAX).map((one) => ({
      ...one,
      receivingMx: plain(one.receivingMx, NAME_LETTERS_MAX),
      receivingHelo: plain(one.receivingHelo, NAME_LETTERS_MAX),
      reasonCode: plain(one.reasonCode, REASON_LETTERS_MAX),
    })),
  };
}

function recordablePolicy({ type, strings, mxHosts }: TlsPolicy): TlsPolicy {
  return { type, strings: bounded(strings), mxHosts: bounded(mxHosts) };
}

/** The first ones, as many as there is room for. */
function bounded(texts: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let letters = 0;
  for (const text of texts.slice(0, POLICY_STRINGS_MAX)) {
    letters += text.length;
    if (letters > POLICY_LETTERS_MAX) break;
    kept.push(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').toWellFormed());
  }
  return kept;
}

/** Visible signs of ASCII only: more than that no name and no code has. */
function plain(text: string, lettersMax: number): string {
  return text.slice(0, lettersMax).replace(/[^!-~]/g, '?');
}

/** The same text for results that are counted together, and for no others. */
export function tlsResultKey(result: GatheredTlsResult): string {
  const { day, recipientDomain, policyDomain, isHost, policy } = result;
  const { type, strings, mxHosts } = policy;
  return JSON.stringify([day, recipientDomain, policyDomain, isHost, type, strings, mxHosts]);
}

/** Results that are counted together, as one. */
export function together(
  before: GatheredTlsResult | undefined,
  more: GatheredTlsResult,
): GatheredTlsResult {
  if (before === undefined) return more;
  return {
    ...before,
    // One of them is reason enough.
    sendReport: before.sendReport || more.sendReport,
    successes: before.successes + more.successes,
    failures: before.failures + more.failures,
    details: merged(before.details, more.details),
  };
}

/** Equal details become one, with their sessions added up. */
function merged(before: readonly TlsDetail[], more: readonly TlsDetail[]): readonly TlsDetail[] {
  const details = new Map(before.map((one) => [detailKey(one), one]));
  for (const one of more) {
    const key = detailKey(one);
    const known = details.get(key);
    if (known === undefined && details.size >= TLS_DETAILS_MAX) continue;
    details.set(key, { ...one, sessions: one.sessions + (known?.sessions ?? 0) });
  }
  return [...details.values()];
}

function detailKey(detail: TlsDetail): string {
  const { resultType, sendingIp, receivingMx, receivingHelo, receivingIp, reasonCode } = detail;
  const where = [sendingIp, receivingMx, receivingHelo, receivingIp];
  return JSON.stringify([resultType, ...where, reasonCode]);
}
