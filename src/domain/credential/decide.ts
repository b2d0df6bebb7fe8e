/**
 * Commands about credentials and their rules.
 */

import type { SecretRef } from '../values/ids.ts';

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
