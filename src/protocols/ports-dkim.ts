/**
 * Keys with which mail is signed: for whoever signs, and for whoever administers them. Ports like
 * those of `ports.ts`.
 */

import type { KeyObject } from 'node:crypto';
import type { DkimKey } from '#domain/directory/dkim-keys';
import type { Cause } from '#domain/log/event';
import type { Refusal } from '#domain/values/decision';

export interface SigningKeys {
  /**
   * What signs mail from the domain (A-labels); nothing where there are no keys. Throws a Fault
   * when a key cannot be read.
   */
  signingKeys(domain: string): Promise<readonly SigningKey[]>;
  /** What proves that mail from the domain was handed in here, in memory. */
  provingKeys(domain: string): readonly ProvingKey[];
}

/** Also one on standby: it may have signed what is still on its way. */
export interface ProvingKey extends Pick<DkimKey, 'name'> {
  /** Public. */
  readonly key: KeyObject;
  /** Mail that is handed in now is signed with it. */
  readonly signs: boolean;
}

export interface SigningKey extends Omit<
  DkimKey,
  'secret' | 'publicKey' | 'algorithm' | 'standby'
> {
  /** Private. */
  readonly key: KeyObject;
}

/** Domains are A-labels. */
export interface AdministeredDkim {
  /** Makes a key. */
  add(
    domain: string,
    wanted: Pick<DkimKey, 'name' | 'algorithm'>,
    cause: Cause,
  ): Promise<PublishedKey | Refusal>;
  list(domain: string): readonly PublishedKey[] | Refusal;
  /** The keys of these selectors sign from now on, and no others; gives all keys. */
  use(
    domain: string,
    names: readonly string[],
    cause: Cause,
  ): Promise<readonly PublishedKey[] | Refusal>;
  /** The key is gone for good; gives what was removed. */
  remove(domain: string, name: string, cause: Cause): Promise<PublishedKey | Refusal>;
}

/** What everybody may know of a key. */
export type PublishedKey = Omit<DkimKey, 'secret'>;
