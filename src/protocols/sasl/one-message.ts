/**
 * Mechanisms of one message: the client says all it has to say at once, and the server judges it.
 *
 * RFC 4422 §5.1: where the message did not come with the command, an empty challenge asks for it.
 */

import { Buffer } from 'node:buffer';
import {
  failed,
  needsTls,
  outOfTurn,
  type ClientContext,
  type Mechanism,
  type SaslFailure,
  type ServerContext,
  type ServerExchange,
  type ServerStep,
} from './mechanism.ts';

const EMPTY = Buffer.alloc(0);

export interface OneMessage<Claim extends { readonly login: string }> extends Pick<
  Mechanism,
  'name' | 'sendsPassword' | 'usesKey'
> {
  /** What the message holds, in a few words: a server that asks for more is told. */
  readonly holds: string;
  /** What the client sends. */
  messageOf(context: ClientContext): string;
  /** What the client claims by it. */
  read(message: Buffer): Claim | SaslFailure;
  judge(claim: Claim, context: ServerContext): Promise<ServerStep>;
}

export function oneMessageMechanism<Claim extends { readonly login: string }>(
  rules: OneMessage<Claim>,
): Mechanism {
  const { name, sendsPassword, usesKey, holds } = rules;
  const mechanism: Mechanism = {
    name,
    sendsPassword,
    bindsChannel: false,
    usesKey,
    startServer: (context) => new OneMessageServer(mechanism, rules, context),
    startClient: (context) => ({
      initial: Buffer.from(rules.messageOf(context)),
      complete: true,
      next: async () => outOfTurn(`The server asks for more than ${holds}.`),
    }),
  };
  return mechanism;
}

class OneMessageServer<Claim extends { readonly login: string }> implements ServerExchange {
  readonly #mechanism: Mechanism;
  readonly #rules: OneMessage<Claim>;
  readonly #context: ServerContext;
  claimedLogin: string | undefined;

  constructor(mechanism: Mechanism, rules: OneMessage<Claim>, context: ServerContext) {
    this.#mechanism = mechanism;
    this.#rules = rules;
    this.#context = context;
  }

  async next(response: Buffer | undefined): Promise<ServerStep> {
    if (needsTls(this.#mechanism, this.#context)) return failed({ type: 'needs-tls' });
    if (response === undefined) return { type: 'challenge', data: EMPTY };
    const claim = this.#rules.read(response);
    if ('type' in claim) return failed(claim);
    this.claimedLogin = claim.login;
    return this.#rules.judge(claim, this.#context);
  }
}
