/**
 * EXTERNAL: the client has shown a key in the TLS handshake, and says here as whom it logs in.
 *
 * RFC 4422 appendix A.
 */

import { isUtf8 } from 'node:buffer';
import { failed, malformed, stepOf, type Mechanism } from './mechanism.ts';
import { oneMessageMechanism } from './one-message.ts';

export const external: Mechanism = oneMessageMechanism({
  name: 'EXTERNAL',
  sendsPassword: false,
  usesKey: true,
  holds: 'a login',
  messageOf: ({ login }) => login,
  read(message) {
    if (!isUtf8(message) || message.includes(0)) return malformed('The response is not a login.');
    return { login: message.toString('utf8') };
  },
  async judge({ login }, context) {
    const key = context.tls?.peerKey;
    if (key === undefined) return failed({ type: 'wrong-credentials' });
    // RFC 4422 §A.2.1: without an authorization identity, the one that goes with the key.
    return stepOf(context.logins.admitKey(key.fingerprint, login), context);
  },
});
