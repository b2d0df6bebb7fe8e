/**
 * The keys with which mail from a domain is signed, one for each selector in its DNS.
 *
 * Invariants: the key itself stands in the secret store and nowhere else; what stands here anybody
 * may know. RFC 6376 §3.1 (selectors), §3.6.1 (public keys).
 */

import { isDomainName } from '../values/address.ts';
import type { SecretRef } from '../values/ids.ts';

export interface DkimKey {
  /** The selector: the public key stands in DNS as `<name>._domainkey.<domain>`. */
  readonly name: string;
  readonly algorithm: 'ed25519' | 'rsa';
  readonly secret: SecretRef;
  /** As DNS has it, base64. */
  readonly publicKey: string;
  /** How much may be changed on the way; `relaxed` when absent. */
  readonly header?: 'simple' | 'relaxed';
  readonly body?: 'simple' | 'relaxed';
  /** Names of the fields to sign; what readers see when absent. */
  readonly fields?: readonly string[];
  /** Fields may be added on the way. */
  readonly unsealed?: boolean;
  /** How long a signature counts; for ever when absent. */
  readonly lifetimeMs?: number;
  /** Published, but nothing is signed with it until it is put into use. */
  readonly standby?: boolean;
}

export function isSelectorOf(name: string, domain: string): boolean {
  // Labels, and room for what stands between: `_domainkey`, which itself is no label of a host.
  return isDomainName(`${name}.x-domainkey.${domain}`);
}
