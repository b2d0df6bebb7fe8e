/**
 * Logins of a test: names with passwords in the open, verifiers made when asked for.
 */

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { AccountId } from '#domain/values/ids';
import type { LoginOutcome, Logins, ScramVerifier } from '#protocols/ports';

export interface KnownLogin {
  readonly accountId: AccountId;
  readonly password: string;
  /** Set for an account that the administrator closed. */
  readonly forbidden?: string;
}

export interface FakeLoginsOptions {
  readonly hash?: 'sha1' | 'sha256';
  readonly salt?: Buffer;
}

export function fakeLogins(
  known: Readonly<Record<string, KnownLogin>>,
  options: FakeLoginsOptions = {},
): Logins {
  const { hash = 'sha256', salt = Buffer.from('salt of the test') } = options;
  const admit = (login: string): LoginOutcome => {
    const found = known[login];
    if (found === undefined) return { type: 'wrong' };
    if (found.forbidden !== undefined) return { type: 'forbidden', reason: found.forbidden };
    return { type: 'ok', accountId: found.accountId, login };
  };
  return {
    admit,
    async verifyPassword(login, password) {
      return known[login]?.password === password ? admit(login) : { type: 'wrong' };
    },
    async scramVerifier(login): Promise<ScramVerifier> {
      const found = known[login];
      const ownSalt = found === undefined ? Buffer.from(`salt for ${login}`) : salt;
      const keyBytes = hash === 'sha1' ? 20 : 32;
      const salted = pbkdf2Sync(found?.password ?? '', ownSalt, 4096, keyBytes, hash);
      const clientKey = createHmac(hash, salted).update('Client Key').digest();
      const storedKey = createHash(hash).update(clientKey).digest();
      const serverKey = createHmac(hash, salted).update('Server Key').digest();
      const isKnown = found !== undefined;
      return { known: isKnown, salt: ownSalt, iterations: 4096, storedKey, serverKey };
    },
  };
}
