/**
 * Logins of a test: names with passwords in the open, verifiers made when asked for.
 */

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { AccountId } from '#domain/values/ids';
import type { KeyHolder, LoginOutcome, Logins, ScramVerifier } from '#protocols/ports';
import { hmacMd5States } from '#protocols/sasl/md5';

export interface KnownLogin {
  readonly accountId: AccountId;
  readonly password: string;
  /** Set for an account that the administrator closed. */
  readonly forbidden?: string;
}

export interface FakeLoginsOptions {
  readonly salt?: Buffer;
  /** Logins whose password was set before other mechanisms were there. */
  readonly old?: ReadonlySet<string>;
  /** TLS keys by fingerprint. */
  readonly keys?: ReadonlyMap<string, KeyHolder>;
}

export function fakeLogins(
  known: Readonly<Record<string, KnownLogin>>,
  options: FakeLoginsOptions = {},
): Logins {
  const { salt = Buffer.from('salt of the test'), old, keys = new Map() } = options;
  const admit = (login: string): LoginOutcome => {
    const found = known[login];
    if (found === undefined) return { type: 'wrong' };
    if (found.forbidden !== undefined) return { type: 'forbidden', reason: found.forbidden };
    return { type: 'ok', accountId: found.accountId, login };
  };
  return {
    admit,
    keyHolder: (fingerprint) => keys.get(fingerprint),
    admitKey(fingerprint, login) {
      const holder = keys.get(fingerprint);
      const asked = login === '' ? holder?.login : login;
      const outcome: LoginOutcome = asked === undefined ? { type: 'wrong' } : admit(asked);
      const isForeign = outcome.type === 'ok' && outcome.accountId !== holder?.accountId;
      return holder === undefined || isForeign ? { type: 'wrong' } : outcome;
    },
    async verifyPassword(login, password) {
      return known[login]?.password === password ? admit(login) : { type: 'wrong' };
    },
    async cramMd5States(login) {
      if (old?.has(login) === true) return undefined;
      const found = known[login];
      const states = hmacMd5States(Buffer.from(found?.password ?? ''));
      return { known: found !== undefined, ...states };
    },
    async scramVerifier(login, hash): Promise<ScramVerifier | undefined> {
      if (hash === 'sha1' && old?.has(login) === true) return undefined;
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
