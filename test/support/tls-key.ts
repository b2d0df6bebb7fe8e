/**
 * A TLS key as an account registers it.
 */

import type { TlsKey } from '#domain/credential/state';

export const KEY: TlsKey = {
  fingerprint: 'f1',
  keyType: 'ed25519',
  name: 'laptop',
  noImapPreauth: false,
  certificate: 'MIIB',
  login: 'alice@example.org',
};
