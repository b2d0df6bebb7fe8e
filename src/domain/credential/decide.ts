/**
 * Commands about credentials and their rules.
 *
 * Invariants: a TLS key stands in an account once. That it stands in no other, and that its login
 * is an address of the account, the directory sees to: `directory/tls-claims.ts` has the claim.
 */

import { decided, refuse, unreachable, type Decided, type Decision } from '../values/decision.ts';
import type { SecretRef } from '../values/ids.ts';
import type { CredentialEvent } from './events.ts';
import type { CredentialState, TlsKey } from './state.ts';

const TLS_KEYS_MAX = 100;
const RSA_BITS_MIN = 2048;
/** RFC 9051 §9: a text that begins with a bracket would be read as a code. */
const LOGIN_REASON = /^(?!\[)[ -~]{1,256}$/;

export interface SetPassword {
  readonly type: 'SetPassword';
  readonly secret: SecretRef;
}

export interface ForbidLogin {
  readonly type: 'ForbidLogin';
  readonly reason: string;
}

export interface AllowLogin {
  readonly type: 'AllowLogin';
}

export interface AddTlsKey extends TlsKey {
  readonly type: 'AddTlsKey';
}

/** What is left out stays as it is. */
export interface ChangeTlsKey {
  readonly type: 'ChangeTlsKey';
  readonly fingerprint: string;
  readonly name?: string;
  readonly noImapPreauth?: boolean;
  readonly login?: string;
}

export interface RemoveTlsKey {
  readonly type: 'RemoveTlsKey';
  readonly fingerprint: string;
}

export type CredentialCommand =
  SetPassword | ForbidLogin | AllowLogin | AddTlsKey | ChangeTlsKey | RemoveTlsKey;

export interface CredentialAnswers {
  readonly SetPassword: object;
  readonly ForbidLogin: object;
  readonly AllowLogin: object;
  readonly AddTlsKey: object;
  readonly ChangeTlsKey: object;
  readonly RemoveTlsKey: object;
}

type Outcome = Decision<CredentialEvent, object>;

export function decideCredential(command: CredentialCommand, state: CredentialState): Outcome {
  switch (command.type) {
    case 'SetPassword':
      return unlessSo(state.credentials().passwordSecret === command.secret, {
        type: 'PasswordSet',
        secret: command.secret,
      });
    case 'ForbidLogin':
      if (!LOGIN_REASON.test(command.reason)) return refuse('LoginReasonForbidden');
      return unlessSo(state.credentials().forbidden === command.reason, {
        type: 'LoginForbidden',
        reason: command.reason,
      });
    case 'AllowLogin':
      return unlessSo(state.credentials().forbidden === undefined, { type: 'LoginAllowed' });
    case 'AddTlsKey':
      return addTlsKey(command, state);
    case 'ChangeTlsKey':
      return changeTlsKey(command, state);
    case 'RemoveTlsKey': {
      const { fingerprint } = command;
      if (state.tlsKey(fingerprint) === undefined) return refuse('NoSuchTlsKey', fingerprint);
      return decided([{ type: 'TlsKeyRemoved', fingerprint }], {});
    }
    default:
      return unreachable(command);
  }
}

function unlessSo(isSo: boolean, event: CredentialEvent): Decided<CredentialEvent, object> {
  return decided(isSo ? [] : [event], {});
}

function addTlsKey(command: AddTlsKey, state: CredentialState): Outcome {
  const { type: _, ...key } = command;
  if (!isKeyTypeTaken(key.keyType)) return refuse('TlsKeyForbidden', key.keyType);
  if (!isKeyName(key.name)) return refuse('TlsKeyNameForbidden', key.name);
  if (state.tlsKey(key.fingerprint) !== undefined) return refuse('TlsKeyTaken', key.fingerprint);
  if (state.tlsKeyCount() >= TLS_KEYS_MAX) return refuse('TooManyTlsKeys');
  return decided([{ type: 'TlsKeyAdded', ...key }], {});
}

function changeTlsKey(command: ChangeTlsKey, state: CredentialState): Outcome {
  const { fingerprint } = command;
  const key = state.tlsKey(fingerprint);
  if (key === undefined) return refuse('NoSuchTlsKey', fingerprint);
  const { name = key.name, noImapPreauth = key.noImapPreauth, login = key.login } = command;
  if (!isKeyName(name)) return refuse('TlsKeyNameForbidden', name);
  const isSo = name === key.name && noImapPreauth === key.noImapPreauth && login === key.login;
  return unlessSo(isSo, { type: 'TlsKeyChanged', fingerprint, name, noImapPreauth, login });
}

/** What TLS libraries of today take, and nobody can compute the private key of. */
function isKeyTypeTaken(keyType: string): boolean {
  const bits = /^rsa-(\d{1,5})$/.exec(keyType)?.[1];
  return bits === undefined
    ? /^(ed25519|ecdsa-p(256|384|521))$/.test(keyType)
    : Number(bits) >= RSA_BITS_MIN;
}

/** Shown in lists, one line each. */
function isKeyName(name: string): boolean {
  return /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,100}$/u.test(name) && name.trim() === name;
}
