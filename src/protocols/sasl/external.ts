/**
 * EXTERNAL: the client has shown a key in the TLS handshake, and says here as whom it logs in.
 *
 * RFC 4422 appendix A.
 */

import { Buffer, isUtf8 } from 'node:buffer';
import {
  failed,
  malformed,
  needsTls,
  stepOf,
  type ClientContext,
  type ClientExchange,
  type ClientStep,
  type Mechanism,
  type ServerContext,
  type ServerExchange,
  type ServerStep,
} from './mechanism.ts';

const EMPTY = Buffer.alloc(0);

export const external: Mechanism = {
  name: 'EXTERNAL',
  sendsPassword: false,
  bindsChannel: false,
  usesKey: true,
  startServer: (context) => new ExternalServer(context),
  startClient: (context) => new ExternalClient(context),
};

class ExternalServer implements ServerExchange {
  readonly #context: ServerContext;
  claimedLogin: string | undefined;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  async next(response: Buffer | undefined): Promise<ServerStep> {
    if (needsTls(external, this.#context)) return failed({ type: 'needs-tls' });
    if (response === undefined) return { type: 'challenge', data: EMPTY };
    if (!isUtf8(response) || response.includes(0)) {
      return failed(malformed('The response is not a login.'));
    }
    // RFC 4422 §A.2.1: without an authorization identity, the one that goes with the key.
    const login = response.toString('utf8');
    this.claimedLogin = login;
    const key = this.#context.tls?.peerKey;
    if (key === undefined) return failed({ type: 'wrong-credentials' });
    return stepOf(this.#context.logins.admitKey(key.fingerprint, login), this.#context);
  }
}

class ExternalClient implements ClientExchange {
  readonly initial: Buffer;
  readonly complete = true;

  constructor(context: ClientContext) {
    this.initial = Buffer.from(context.login);
  }

  async next(_challenge: Buffer): Promise<ClientStep> {
    const what = 'The server asks for more than a login.';
    return { type: 'failed', failure: { type: 'bad-exchange', what } };
  }
}
