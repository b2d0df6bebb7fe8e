/**
 * The questions that decisions about credentials ask, and the reference model that answers them.
 */

import type { AccountEvent } from '../log/streams.ts';
import type { SecretRef } from '../values/ids.ts';
import type { TlsKeyAdded } from './events.ts';

export interface Credentials {
  /** Where the verifiers of the password are; undefined before one was set. */
  readonly passwordSecret?: SecretRef;
  /** Why nobody may log in; undefined when one may. */
  readonly forbidden?: string;
}

/** What stands with a TLS key. */
export type TlsKey = Omit<TlsKeyAdded, 'type'>;

export interface CredentialState {
  credentials(): Credentials;
  tlsKey(fingerprint: string): TlsKey | undefined;
  tlsKeyCount(): number;
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

/** Writes a fact about TLS keys into the map; facts of other topics leave it as it is. */
export function evolveTlsKeys(keys: Map<string, TlsKey>, event: AccountEvent): void {
  switch (event.type) {
    case 'TlsKeyAdded': {
      const { type: _, ...key } = event;
      keys.set(key.fingerprint, key);
      return;
    }
    case 'TlsKeyChanged': {
      const { type: _, ...changes } = event;
      const key = keys.get(event.fingerprint);
      if (key !== undefined) keys.set(event.fingerprint, { ...key, ...changes });
      return;
    }
    case 'TlsKeyRemoved':
      keys.delete(event.fingerprint);
      return;
    default:
      return;
  }
}
