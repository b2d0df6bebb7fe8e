/**
 * Commands about credentials and their rules.
 */

import { decided, unreachable, type Decided } from '../values/decision.ts';
import type { SecretRef } from '../values/ids.ts';
import type { CredentialEvent } from './events.ts';
import type { CredentialState } from './state.ts';

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

export type CredentialCommand = SetPassword | ForbidLogin | AllowLogin;

export interface CredentialAnswers {
  readonly SetPassword: object;
  readonly ForbidLogin: object;
  readonly AllowLogin: object;
}

export function decideCredential(
  command: CredentialCommand,
  state: CredentialState,
): Decided<CredentialEvent, object> {
  const { passwordSecret, forbidden } = state.credentials();
  switch (command.type) {
    case 'SetPassword':
      return decided(
        command.secret === passwordSecret ? [] : [{ type: 'PasswordSet', secret: command.secret }],
        {},
      );
    case 'ForbidLogin':
      return decided(
        command.reason === forbidden ? [] : [{ type: 'LoginForbidden', reason: command.reason }],
        {},
      );
    case 'AllowLogin':
      return decided(forbidden === undefined ? [] : [{ type: 'LoginAllowed' }], {});
    default:
      return unreachable(command);
  }
}
