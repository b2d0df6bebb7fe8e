/**
 * Authorizations of webhooks: each sealed in the secret store, under a reference that tells what
 * kind of secret it is.
 *
 * Invariants: one stays for as long as a setting names it, or a webhook that waits to be called,
 * whatever is set meanwhile; nobody but the receiver is told its text. Diagnostics: one that is
 * missing or damaged is the Fault SecretUnreadable.
 */

import { Buffer } from 'node:buffer';
import { settingsOf, type DirectoryState } from '#domain/directory/state';
import { Fault } from '#domain/values/fault';
import type { SecretRef } from '#domain/values/ids';
import { authorizationsInUse } from '#projections/server-webhooks';
import type { Random } from '#protocols/ports';
import type { HookAuthorizations } from '#protocols/ports-webhook';
import type { Secrets } from './secrets.ts';
import type { ServerBooks } from './server-books.ts';

const PREFIX = 'hook-';

export class HookSecrets implements HookAuthorizations {
  readonly #secrets: Secrets;
  readonly #random: Pick<Random, 'uuid'>;

  constructor(secrets: Secrets, random: Pick<Random, 'uuid'>) {
    this.#secrets = secrets;
    this.#random = random;
  }

  put(text: string): Promise<SecretRef> {
    return this.#secrets.put(Buffer.from(text), `${PREFIX}${this.#random.uuid()}`);
  }

  remove(authorization: SecretRef): Promise<void> {
    return this.#secrets.remove(authorization);
  }

  async text(authorization: SecretRef): Promise<string> {
    const octets = await this.#secrets.get(authorization);
    if (octets !== undefined) return octets.toString();
    const sentence = `The Authorization ${authorization} is not in the secret store.`;
    throw new Fault('SecretUnreadable', sentence, { temporary: false });
  }

  /** Removes what nobody names any more; only while nothing else runs. */
  async sweep(directory: DirectoryState, books: Pick<ServerBooks, 'read'>): Promise<void> {
    const waiting = books.read(authorizationsInUse);
    const set = [...directory.accounts.keys()].flatMap((accountId) => {
      const { outgoingWebhook, incomingWebhook } = settingsOf(directory, accountId);
      return [outgoingWebhook?.authorization, incomingWebhook?.authorization];
    });
    for (const authorization of await this.#secrets.list(PREFIX)) {
      if (waiting.has(authorization) || set.includes(authorization)) continue;
      await this.#secrets.remove(authorization);
    }
  }
}
