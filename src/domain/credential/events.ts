/**
 * Facts about how an account proves who it is. Secrets never stand in an event: it names them by
 * reference, the secret store holds them sealed. Public keys are no secrets.
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

/**
 * Whoever has the private key of a certificate is the account. The fingerprint is SHA-256 over the
 * DER of the public key (SubjectPublicKeyInfo), base64url; of the certificate nothing else counts.
 */
export interface TlsKeyAdded {
  readonly type: 'TlsKeyAdded';
  readonly fingerprint: string;
  /** `ed25519`, `ecdsa-p256`, `rsa-2048` and the like. */
  readonly keyType: string;
  /** Which device it is on; for people. */
  readonly name: string;
  /** IMAP does not begin logged in; the client asks for EXTERNAL. */
  readonly noImapPreauth: boolean;
  /** DER, base64url. */
  readonly certificate: string;
  /** The address of the account that the key logs in as. */
  readonly login: string;
}

/** What stands with a key is this from now on. */
export interface TlsKeyChanged {
  readonly type: 'TlsKeyChanged';
  readonly fingerprint: string;
  readonly name: string;
  readonly noImapPreauth: boolean;
  readonly login: string;
}

export interface TlsKeyRemoved {
  readonly type: 'TlsKeyRemoved';
  readonly fingerprint: string;
}

export type CredentialEvent =
  PasswordSet | LoginForbidden | LoginAllowed | TlsKeyAdded | TlsKeyChanged | TlsKeyRemoved;

export const CREDENTIAL_EVENTS: Record<CredentialEvent['type'], string> = {
  PasswordSet: 'The password of the account was set.',
  LoginForbidden: 'The administrator closed the account to logins.',
  LoginAllowed: 'The administrator opened the account to logins.',
  TlsKeyAdded: 'Clients with the private key of this certificate may log in.',
  TlsKeyChanged: 'Name, login or switch of a TLS key were changed.',
  TlsKeyRemoved: 'The TLS key lets nobody in any more.',
};
