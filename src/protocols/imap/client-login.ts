/**
 * Logging in: SASL mechanisms, and the LOGIN command for servers that know nothing else.
 *
 * Invariants: a password travels in clear only where the caller says so; a success is believed only
 * of a server that has proven itself, where the mechanism lets it.
 *
 * RFC 9051 §6.2.2, §6.2.3; RFC 4959 (initial response), RFC 4422 §5.1 (choice of a mechanism)
 */

import { Buffer } from 'node:buffer';
import type { Random } from '../ports.ts';
import { findMechanism, strongestMechanism } from '../sasl/catalog.ts';
import {
  needsTls,
  type ClientExchange,
  type ClientFailure,
  type ConnectionFacts,
  type Mechanism,
} from '../sasl/mechanism.ts';
import type { Conversation } from './client-conversation.ts';
import { ImapClientError } from './client-error.ts';
import type { Talk } from './client-exchange.ts';
import { CommandLine } from './client-line.ts';
import type { ServerNews, TaggedResponse } from './client-words.ts';

export interface Credentials {
  /** With EXTERNAL '' for whoever the server takes the key for. */
  readonly login: string;
  /** Absent: the TLS key is all there is. */
  readonly password?: string;
  /** Lets the password itself travel without TLS. */
  readonly passwordsInClear?: boolean;
  readonly signal?: AbortSignal;
}

/** What the connection knows besides. */
export interface LoginPorts {
  readonly random: Random;
  /** We have a key to show in the TLS handshake. */
  readonly ownKey: boolean;
}

/** `strongest`: of those that the server offers, we know, and the connection allows. */
export async function authenticate(
  conversation: Conversation,
  name: string,
  credentials: Credentials,
  ports: LoginPorts,
): Promise<void> {
  const offered = offeredBy(conversation);
  const connection = factsOf(conversation, credentials, ports);
  const { login, password = '' } = credentials;
  const mechanism =
    name.toLowerCase() === 'strongest'
      ? strongest(offered, connection, credentials)
      : named(name, offered, connection);
  if (mechanism === undefined) return logIn(conversation, credentials);
  const { random } = ports;
  const { tls } = connection;
  const exchange = mechanism.startClient({ login, password, random, tls, offered });
  const dialogue = new Dialogue(exchange);
  const line = new CommandLine('AUTHENTICATE').put(` ${mechanism.name}`);
  const { initial } = exchange;
  if (initial !== undefined && conversation.capabilities.has('SASL-IR')) {
    dialogue.isBegun = true;
    // RFC 4959 §3: `=` is an initial response of no octets.
    line.put(` ${initial.length === 0 ? '=' : initial.toString('base64')}`);
  }
  try {
    await runLogin(conversation, line, credentials.signal, (talk) => dialogue.go(talk));
  } catch (error) {
    if (dialogue.failure === undefined) throw error;
    if (dialogue.failure.type === 'refused') throw failureOf(dialogue.failure);
    throw conversation.end(failureOf(dialogue.failure));
  }
  if (dialogue.failure !== undefined || !exchange.complete) {
    throw conversation.end(failureOf({ type: 'server-not-genuine' }));
  }
}

/** The LOGIN command. */
export async function logIn(conversation: Conversation, credentials: Credentials): Promise<void> {
  const { login, password, passwordsInClear = false, signal } = credentials;
  if (password === undefined) {
    throw new ImapClientError('NotOffered', 'The server takes no TLS key for a login.');
  }
  if (conversation.capabilities.has('LOGINDISABLED')) {
    throw new ImapClientError('NotOffered', 'The server offers no way to log in here.');
  }
  if (conversation.wire.tls === undefined && !passwordsInClear) {
    throw new ImapClientError('NotOffered', 'The password would travel in clear.');
  }
  const line = new CommandLine('LOGIN').put(' ').string(login).put(' ').string(password);
  await runLogin(conversation, line, signal);
}

export async function askCapabilities(
  conversation: Conversation,
  signal?: AbortSignal,
): Promise<void> {
  const take = (news: ServerNews): boolean => news.type === 'capability';
  const line = new CommandLine('CAPABILITY');
  await conversation.run({ line, takes: ['capability'], take }, signal);
}

/** RFC 9051 §7.2.2: the capabilities are others afterwards. */
async function runLogin(
  conversation: Conversation,
  line: CommandLine,
  signal: AbortSignal | undefined,
  talk?: (talk: Talk) => Promise<void>,
): Promise<void> {
  let isTold = false;
  const take = (news: ServerNews): boolean => {
    isTold ||= news.type === 'capability';
    return news.type === 'capability';
  };
  const exchange = { line, alone: true, take, ...(talk && { talk }) };
  const answer: TaggedResponse = await conversation.run(exchange, signal);
  if (!isTold && answer.code?.type !== 'CAPABILITY') await askCapabilities(conversation, signal);
}

function offeredBy({ capabilities }: Conversation): string[] {
  return [...capabilities].flatMap((one) => (one.startsWith('AUTH=') ? [one.slice(5)] : []));
}

function factsOf(
  { wire }: Conversation,
  { passwordsInClear = false }: Credentials,
  { ownKey }: LoginPorts,
): ConnectionFacts {
  return { tls: wire.tls, passwordsInClear, ownKey: ownKey && wire.tls !== undefined };
}

function strongest(
  offered: readonly string[],
  connection: ConnectionFacts,
  { password }: Credentials,
): Mechanism | undefined {
  const fitting = offered.filter(
    (name) => password !== undefined || findMechanism(name)?.usesKey === true,
  );
  return strongestMechanism(fitting, connection);
}

function named(name: string, offered: readonly string[], connection: ConnectionFacts): Mechanism {
  const mechanism = findMechanism(name);
  if (mechanism === undefined || !offered.includes(mechanism.name)) {
    throw new ImapClientError('NotOffered', `The server and we do not both know ${name}.`);
  }
  if (needsTls(mechanism, connection)) {
    throw new ImapClientError('NotOffered', `${mechanism.name} needs TLS here.`);
  }
  return mechanism;
}

/** Challenges and responses behind AUTHENTICATE. */
class Dialogue {
  readonly #exchange: ClientExchange;
  /** The initial response went along with the command. */
  isBegun = false;
  failure: ClientFailure | undefined;

  constructor(exchange: ClientExchange) {
    this.#exchange = exchange;
  }

  async go(talk: Talk): Promise<void> {
    let first = this.isBegun ? undefined : this.#exchange.initial;
    for (;;) {
      const challenge = await talk.continuation();
      if (challenge === undefined) return;
      const response = first ?? (await this.#answerTo(challenge));
      first = undefined;
      // RFC 9051 §6.2.2: `*` cancels the exchange.
      await talk.line(response?.toString('base64') ?? '*');
      if (response === undefined) return;
    }
  }

  async #answerTo(challenge: string): Promise<Buffer | undefined> {
    const data = Buffer.from(challenge, 'base64');
    if (data.toString('base64') !== challenge) {
      this.failure = { type: 'bad-exchange', what: 'The challenge is not base64.' };
      return undefined;
    }
    const step = await this.#exchange.next(data);
    if (step.type === 'response') return step.data;
    this.failure = step.failure;
    return undefined;
  }
}

function failureOf(failure: ClientFailure): ImapClientError {
  switch (failure.type) {
    case 'server-not-genuine':
      return new ImapClientError('NotGenuine', 'The server does not know our password itself.');
    case 'refused':
      return new ImapClientError('No', `The server refused the login: ${failure.word}`);
    case 'bad-exchange':
      return new ImapClientError('BadResponse', failure.what);
  }
}
