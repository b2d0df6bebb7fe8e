/**
 * The questions that decisions about credentials ask, and the reference model that answers them.
 */

import type { AccountEvent } from '../log/streams.ts';
import type { SecretRef } from '../values/ids.ts';

export interface Credentials {
  /** Where the verifiers of the password are; undefined before one was set. */
  readonly passwordSecret?: SecretRef;
  /** Why nobody may log in; undefined when one may. */
  readonly forbidden?: string;
}

export interface CredentialState {
  credentials(): Credentials;
}

/** The credentials after a fact; facts of other topics leave them as they are. */
export function evolveCredentials(credentials: Credentials, event: AccountEvent): Credentials {
  switch (event.type) {
    case 'PasswordSet':
      return { ...credentials, passwordSecret: event.secret };
    case 'LoginForbidden':
      return { ...credentials, forbidden: event.reason };
    case 'LoginAllowed': {
      const { forbidden: _, ...rest } = credentials;
      return rest;
    }
    default:
      return credentials;
  }
}
