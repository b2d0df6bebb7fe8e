/**
 * What a decision about attempts asks: how many were recorded on the day that is going on.
 *
 * Days are those of UTC. What was counted on one is forgotten with the first fact of the next.
 */

import type { AccountId, Instant } from '../values/ids.ts';
import type { AuditEvent, LoginAttempt } from './events.ts';

const DAY_MS = 86_400_000;

export interface AuditState {
  /** In days since 1970. */
  readonly day: number;
  /** Facts with details on that day, by account and by whether the client was let in. */
  readonly recorded: ReadonlyMap<string, number>;
}

/** The state with its map open for writing. */
export interface AuditRecords extends AuditState {
  day: number;
  readonly recorded: Map<string, number>;
}

export function emptyAudit(): AuditRecords {
  return { day: 0, recorded: new Map() };
}

/** Records of their own that say the same. */
export function copyOfAudit({ day, recorded }: AuditState): AuditRecords {
  return { day, recorded: new Map(recorded) };
}

/** Writes a fact into the records. */
export function evolveAudit(records: AuditRecords, { attempt }: AuditEvent, at: Instant): void {
  const day = dayOf(at);
  if (day > records.day) {
    records.day = day;
    records.recorded.clear();
  }
  if (attempt.details === undefined) return;
  const kind = kindOf(attempt);
  records.recorded.set(kind, (records.recorded.get(kind) ?? 0) + 1);
}

/** How many facts with details about attempts like this one the day of `at` has already. */
export function recordedLike(state: AuditState, attempt: LoginAttempt, at: Instant): number {
  return dayOf(at) > state.day ? 0 : (state.recorded.get(kindOf(attempt)) ?? 0);
}

/** All logins that are nobody's are one account. */
function kindOf({ accountId, result }: LoginAttempt): string {
  const owner: AccountId | '-' = accountId ?? '-';
  return `${owner} ${result === 'ok' ? 'let in' : 'failed'}`;
}

function dayOf(at: Instant): number {
  return Math.floor(at / DAY_MS);
}
