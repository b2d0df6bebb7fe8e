/**
 * The secrets that a fact refers to, so that they can be thrown away with it.
 */

import type { SecretRef } from '../values/ids.ts';
import type { AccountEvent } from './streams.ts';

export function secretsOf(event: AccountEvent): readonly SecretRef[] {
  switch (event.type) {
    case 'PasswordSet':
      return [event.secret];
    case 'WebhookQueued':
      return event.authorization === undefined ? [] : [event.authorization];
    default:
      return [];
  }
}
