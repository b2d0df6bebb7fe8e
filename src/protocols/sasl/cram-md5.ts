/**
 * CRAM-MD5: the client answers a challenge with a keyed digest of it, for clients that know nothing
 * better.
 *
 * Invariants: an unknown login goes through the same steps as a wrong digest; digests are compared
 * in constant time. RFC 2195.
 */

import { Buffer, isUtf8 } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { hmacMd5 } from './md5.ts';
import {
  failed,
  malformed,
  outOfTurn,
  stepOf,
  type ClientContext,
  type ClientExchange,
  type ClientStep,
  type Mechanism,
  type ServerContext,
  type ServerExchange,
  type ServerStep,
} from './mechanism.ts';
import { prepareLogin, preparePassword } from './prepare.ts';

export const cramMd5: Mechanism = {
  name: 'CRAM-MD5',
  sendsPassword: false,
  bindsChannel: false,
  usesKey: false,
  startServer: (context) => new CramMd5Server(context, freshChallenge(context)),
  startClient: (context) => new CramMd5Client(context),
};

/** RFC 2195 §2: random digits and our name, in the form of a msg-id. */
function freshChallenge({ random, hostName }: ServerContext): string {
  const digits = (): bigint => random.bytes(8).readBigUInt64BE();
  return `<${digits()}.${digits()}@${hostName}>`;
}

export class CramMd5Server implements ServerExchange {
  readonly #context: ServerContext;
  readonly #challenge: Buffer;
  #asked = false;
  claimedLogin: string | undefined;

  constructor(context: ServerContext, challenge: string) {
    this.#context = context;
    this.#challenge = Buffer.from(challenge);
  }

  async next(response: Buffer | undefined): Promise<ServerStep> {
    if (!this.#asked) {
      // RFC 4422 §5.1: the server speaks first, there is nothing to respond to yet.
      if (response !== undefined) return failed(malformed('The challenge comes first.'));
      this.#asked = true;
      return { type: 'challenge', data: this.#challenge };
    }
    const answer = answerIn(response);
    if (answer === undefined) return failed(malformed('The response is not a login and a digest.'));
    this.claimedLogin = answer.login;
    const states = await this.#context.logins.cramMd5States(answer.login);
    if (states === undefined) return failed({ type: 'no-secret' });
    const right = timingSafeEqual(hmacMd5(states, this.#challenge), answer.digest);
    if (!right || !states.known) return failed({ type: 'wrong-credentials' });
    return stepOf(this.#context.logins.admit(answer.login), this.#context);
  }
}

/** RFC 2195 §2: the login, a space, and the digest in hex; a login may have spaces itself. */
function answerIn(
  response: Buffer | undefined,
): { readonly login: string; readonly digest: Buffer } | undefined {
  if (response === undefined || !isUtf8(response)) return undefined;
  const [, login, hex] = /^([^\0]+) ([0-9a-f]{32})$/i.exec(response.toString('utf8')) ?? [];
  if (login === undefined || hex === undefined) return undefined;
  return { login, digest: Buffer.from(hex, 'hex') };
}

class CramMd5Client implements ClientExchange {
  readonly initial = undefined;
  readonly #context: ClientContext;
  #complete = false;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  get complete(): boolean {
    return this.#complete;
  }

  async next(challenge: Buffer): Promise<ClientStep> {
    if (this.#complete) return outOfTurn('The server asks for more than a digest.');
    this.#complete = true;
    const { login, password } = this.#context;
    const key = preparePassword(password) ?? password;
    const digest = createHmac('md5', key).update(challenge).digest('hex');
    const data = Buffer.from(`${prepareLogin(login) ?? login} ${digest}`);
    return { type: 'response', data };
  }
}
