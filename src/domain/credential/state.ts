/**
 * The questions that decisions about credentials ask.
 */

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
