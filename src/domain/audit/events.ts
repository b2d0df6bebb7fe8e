/**
 * Who tried to log in, from where, and how it ended. Nothing of what proves an identity stands
 * here, and no name that is not an address: people type passwords where the name belongs.
 *
 * Stored in a stream per month (`audit-<yyyymm>`, UTC), which can go as a whole when it is old.
 */

import type { AccountId, Instant } from '../values/ids.ts';

export const LOGIN_RESULTS = {
  ok: 'let in',
  baduser: 'nobody has the address',
  badpassword: 'wrong password',
  badcreds: 'wrong proof, or the wish to act as somebody else',
  badchanbind: 'another TLS connection at the far end: perhaps somebody sits in between',
  badprotocol: 'not allowed this way, or not understood',
  logindisabled: 'right, but the administrator closed the account',
  error: 'failed for a reason of ours',
  aborted: 'given up by the client',
} as const;

export type LoginResult = keyof typeof LOGIN_RESULTS;

/** What makes two attempts equal. */
export interface LoginAttempt {
  readonly protocol: 'imap' | 'submission';
  readonly result: LoginResult;
  /** Absent when the login is nobody's. */
  readonly accountId?: AccountId;
  /** Absent when the account had too many others that day: then they are only counted. */
  readonly details?: LoginDetails;
}

export interface LoginDetails {
  /** As SASL names it, in lower case; `login` of IMAP; `tlsclientauth` of a key alone. */
  readonly mechanism: string;
  /** The address that was given, '' when none was. */
  readonly login: string;
  readonly remoteIp: string;
  readonly localIp: string;
  readonly tls?: { readonly version: string; readonly cipher: string };
  /** Of the TLS key that the client has shown. */
  readonly fingerprint?: string;
  /** What the client calls itself: of IMAP ID, or the name in EHLO. */
  readonly userAgent: string;
}

/** So many equal attempts, between these two times. */
export interface LoginAttempted {
  readonly type: 'LoginAttempted';
  readonly attempt: LoginAttempt;
  readonly count: number;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

export type AuditEvent = LoginAttempted;

export const AUDIT_EVENTS: Record<AuditEvent['type'], string> = {
  LoginAttempted: 'Somebody tried to log in; equal attempts within minutes are one fact.',
};
