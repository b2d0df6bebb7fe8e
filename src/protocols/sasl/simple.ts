/**
 * Mechanisms that send the password itself: PLAIN and LOGIN.
 *
 * RFC 4616 (PLAIN); draft-murchison-sasl-login (LOGIN, for clients that know nothing better).
 */

import { Buffer, isUtf8 } from 'node:buffer';
import {
  failed,
  malformed,
  needsTls,
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
import { oneMessageMechanism } from './one-message.ts';
import { prepareLogin } from './prepare.ts';

export const plain: Mechanism = oneMessageMechanism({
  name: 'PLAIN',
  sendsPassword: true,
  usesKey: false,
  holds: 'a password',
  messageOf: ({ login, password }) => `\0${login}\0${password}`,
  read(message) {
    if (!isUtf8(message)) return malformed('The response is not UTF-8.');
    // RFC 4616 §2: [authzid] NUL authcid NUL passwd
    const parts = message.toString('utf8').split('\0');
    const [asWhom, login, password] = parts;
    if (parts.length !== 3 || asWhom === undefined || login === undefined || !password) {
      return malformed('The response is not a login and a password.');
    }
    return { asWhom, login, password };
  },
  async judge({ asWhom, login, password }, context) {
    if (asWhom !== '' && prepareLogin(asWhom) !== prepareLogin(login)) {
      return failed({ type: 'not-authorized' });
    }
    return stepOf(await context.logins.verifyPassword(login, password), context);
  },
});

export const login: Mechanism = {
  name: 'LOGIN',
  sendsPassword: true,
  bindsChannel: false,
  usesKey: false,
  startServer: (context) => new LoginServer(context),
  startClient: (context) => new LoginClient(context),
};

class LoginServer implements ServerExchange {
  readonly #context: ServerContext;
  #asked: 'nothing' | 'login' | 'password' = 'nothing';
  claimedLogin: string | undefined;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  async next(response: Buffer | undefined): Promise<ServerStep> {
    if (needsTls(login, this.#context)) return failed({ type: 'needs-tls' });
    if (response === undefined) {
      this.#asked = 'login';
      return { type: 'challenge', data: Buffer.from('Username:') };
    }
    if (!isUtf8(response)) return failed(malformed('The response is not UTF-8.'));
    const text = response.toString('utf8');
    if (text === '') return failed(malformed('The response is empty.'));
    if (this.#asked !== 'password') {
      this.claimedLogin = text;
      this.#asked = 'password';
      return { type: 'challenge', data: Buffer.from('Password:') };
    }
    const outcome = await this.#context.logins.verifyPassword(this.claimedLogin ?? '', text);
    return stepOf(outcome, this.#context);
  }
}

class LoginClient implements ClientExchange {
  readonly initial = undefined;
  readonly #answers: string[];

  constructor(context: ClientContext) {
    this.#answers = [context.login, context.password];
  }

  get complete(): boolean {
    return this.#answers.length === 0;
  }

  /** Servers word their questions as they like: the first is for the login, the second not. */
  async next(_challenge: Buffer): Promise<ClientStep> {
    const answer = this.#answers.shift();
    if (answer === undefined) {
      return outOfTurn('The server asks for more than a login and a password.');
    }
    return { type: 'response', data: Buffer.from(answer) };
  }
}
