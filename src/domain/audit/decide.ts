/**
 * How attempts to log in are recorded: each kind by itself as long as there are not too many of
 * them, then only counted, so that whoever guesses passwords does not fill the log.
 *
 * Invariant: on one day an account gets at most DETAILED_PER_DAY_MAX facts with details about
 * attempts that failed, and as many about the others; all logins that are nobody's are one account.
 */

import { decided, type Decided } from '../values/decision.ts';
import type { Instant } from '../values/ids.ts';
import type { AuditEvent, LoginAttempt, LoginAttempted } from './events.ts';
import { copyOfAudit, evolveAudit, recordedLike, type AuditState } from './state.ts';

export const DETAILED_PER_DAY_MAX = 1000;

/** Equal attempts that happened between two times. */
export type GatheredAttempt = Omit<LoginAttempted, 'type'>;

export interface RecordAttempts {
  readonly type: 'RecordAttempts';
  readonly attempts: readonly GatheredAttempt[];
}

export function decideAudit(
  { attempts }: RecordAttempts,
  state: AuditState,
  at: Instant,
): Decided<AuditEvent, object> {
  const draft = copyOfAudit(state);
  const detailed: LoginAttempted[] = [];
  const counted = new Map<string, GatheredAttempt>();
  for (const one of attempts) {
    const attempt = recordable(one.attempt, draft, at);
    const event = { type: 'LoginAttempted', ...one, attempt } as const;
    if (attempt.details === undefined) {
      const key = attemptKey(attempt);
      counted.set(key, together(counted.get(key), { ...one, attempt }));
      continue;
    }
    detailed.push(event);
    evolveAudit(draft, event, at);
  }
  const rest = [...counted.values()];
  return decided(
    [...detailed, ...rest.map((one) => ({ type: 'LoginAttempted', ...one }) as const)],
    {},
  );
}

/** What is to be recorded of an attempt: without details when the day has too many like it. */
export function recordable(attempt: LoginAttempt, state: AuditState, at: Instant): LoginAttempt {
  if (recordedLike(state, attempt, at) < DETAILED_PER_DAY_MAX) return attempt;
  return withoutDetails(attempt);
}

export function withoutDetails(attempt: LoginAttempt): LoginAttempt {
  const { details: _, ...counted } = attempt;
  return counted;
}

/** The same text for equal attempts, and for no others. */
export function attemptKey({ protocol, result, accountId, details }: LoginAttempt): string {
  const counted = [protocol, result, accountId ?? 0];
  if (details === undefined) return JSON.stringify(counted);
  const { mechanism, login, remoteIp, localIp, tls, fingerprint, userAgent } = details;
  const client = [tls?.version ?? '', tls?.cipher ?? '', fingerprint ?? '', userAgent];
  return JSON.stringify([...counted, mechanism, login, remoteIp, localIp, ...client]);
}

/** Equal attempts as one. */
export function together(
  before: GatheredAttempt | undefined,
  more: GatheredAttempt,
): GatheredAttempt {
  if (before === undefined) return more;
  return {
    attempt: before.attempt,
    count: before.count + more.count,
    firstAt: Math.min(before.firstAt, more.firstAt),
    lastAt: Math.max(before.lastAt, more.lastAt),
  };
}
