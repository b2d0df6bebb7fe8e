/**
 * Facts about how an account proves who it is. Secrets never stand in an event: it names them by
 * reference, the secret store holds them sealed.
 */

import type { SecretRef } from '../values/ids.ts';

/** The account has a new password; the reference leads to its verifiers. */
export interface PasswordSet {
  readonly type: 'PasswordSet';
  readonly secret: SecretRef;
}

/** The administrator closed the account to logins. */
export interface LoginForbidden {
  readonly type: 'LoginForbidden';
  /** Told to whoever logs in with the right credentials. */
  readonly reason: string;
}

export interface LoginAllowed {
  readonly type: 'LoginAllowed';
}

export type CredentialEvent = PasswordSet | LoginForbidden | LoginAllowed;

export const CREDENTIAL_EVENTS: Record<CredentialEvent['type'], string> = {
  PasswordSet: 'The password of the account was set.',
  LoginForbidden: 'The administrator closed the account to logins.',
  LoginAllowed: 'The administrator opened the account to logins.',
};
