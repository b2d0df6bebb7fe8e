/**
 * Logging in with SASL.
 *
 * Invariants: a password travels in clear only where the caller says so; a mechanism that was not
 * named is not used; a success is believed only of a server that has proven itself, where the
 * mechanism lets it; no error repeats what was sent.
 *
 * RFC 4954 §4 (AUTH)
 */

import { Buffer } from 'node:buffer';
import { SMTP_CLIENT_CHALLENGES_MAX } from '../limits.ts';
import type { Random } from '../ports.ts';
import { findMechanism } from '../sasl/catalog.ts';
import {
  hasKey,
  needsTls,
  type ClientExchange,
  type ClientFailure,
  type ConnectionFacts,
  type Mechanism,
} from '../sasl/mechanism.ts';
import type { SmtpConversation } from './client-conversation.ts';
import { refused, type SmtpClientError } from './client-error.ts';
import type { Extensions } from './client-extensions.ts';
import { isDone, isRefusal, type SmtpReply } from './client-reply.ts';

/** What is tried when nobody says otherwise, in this order: nothing that sends the password. */
export const STRONG_MECHANISMS: readonly string[] = [
  'EXTERNAL',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'CRAM-MD5',
];

export interface Credentials {
  /** With EXTERNAL '' for whoever the server takes the key for. */
  readonly login: string;
  /** Absent: the TLS key is all there is. */
  readonly password?: string;
  /** The first of them that the server offers and the connection allows is used. */
  readonly mechanisms?: readonly string[];
  /** Lets the password itself travel without TLS. */
  readonly passwordsInClear?: boolean;
  readonly signal?: AbortSignal;
}

/** What the connection knows besides. */
export interface LoginPorts {
  readonly random: Random;
  /** We have a key to show in the TLS handshake. */
  readonly ownKey: boolean;
  readonly replyMs: number;
}

/** Gives the name of the mechanism that it was. */
export async function authenticate(
  conversation: SmtpConversation,
  extensions: Extensions,
  credentials: Credentials,
  ports: LoginPorts,
): Promise<string> {
  conversation.stage = 'auth';
  const { login, password = '' } = credentials;
  const { random, replyMs } = ports;
  const { tls } = conversation.wire;
  const offered = extensions.mechanisms;
  const mechanism = chosen(conversation, offered, credentials, ports);
  const exchange = mechanism.startClient({ login, password, random, tls, offered });
  const { initial } = exchange;
  // RFC 4954 §4: `=` is an initial response of no octets.
  const first = initial === undefined ? '' : ` ${initial.toString('base64') || '='}`;
  const said = [password, first.trim()];
  let reply = await conversation.ask(`AUTH ${mechanism.name}${first}`, replyMs);
  for (let rounds = 0; reply.code === 334; rounds++) {
    if (rounds === SMTP_CLIENT_CHALLENGES_MAX) {
      throw conversation.fail('BadReply', 'The server does not come to an end with its questions.');
    }
    const step = await answerTo(exchange, reply);
    if (step.type === 'failed') throw await givenUp(conversation, step.failure, replyMs);
    const response = step.data.toString('base64');
    said.push(response);
    reply = await conversation.ask(response, replyMs);
  }
  if (isRefusal(reply)) throw refused(withoutSecrets(reply, said), { stage: 'auth' });
  if (!isDone(reply)) throw conversation.fail('BadReply', 'This is no answer to AUTH.');
  if (!exchange.complete) throw conversation.end(notGenuine(conversation));
  return mechanism.name;
}

/** Some servers repeat what they did not like. */
function withoutSecrets(reply: SmtpReply, said: readonly string[]): SmtpReply {
  const secrets = said.filter((text) => text.length > 1);
  const isClean = (line: string): boolean => !secrets.some((text) => line.includes(text));
  return { ...reply, lines: reply.lines.filter(isClean) };
}

function chosen(
  conversation: SmtpConversation,
  offered: readonly string[],
  { password, mechanisms = STRONG_MECHANISMS, passwordsInClear = false }: Credentials,
  { ownKey }: LoginPorts,
): Mechanism {
  const { tls } = conversation.wire;
  const facts: ConnectionFacts = { tls, passwordsInClear, ownKey: ownKey && tls !== undefined };
  for (const name of mechanisms) {
    const mechanism = findMechanism(name);
    if (mechanism === undefined || !offered.includes(mechanism.name)) continue;
    if (needsTls(mechanism, facts)) continue;
    if (mechanism.usesKey ? hasKey(facts) : password !== undefined) return mechanism;
  }
  const theirs = offered.length === 0 ? 'none' : offered.join(', ');
  const sentence = `None of ${mechanisms.join(', ')} can be used; the server offers ${theirs}.`;
  throw conversation.error('NoMechanism', sentence);
}

type Answer =
  | { readonly type: 'response'; readonly data: Buffer }
  | { readonly type: 'failed'; readonly failure: ClientFailure };

async function answerTo(exchange: ClientExchange, { lines }: SmtpReply): Promise<Answer> {
  const challenge = lines.join('');
  const data = Buffer.from(challenge, 'base64');
  if (data.toString('base64') === challenge) return await exchange.next(data);
  return { type: 'failed', failure: { type: 'bad-exchange', what: 'This is not base64.' } };
}

/** RFC 4954 §4: `*` cancels the exchange. The conversation goes on only after a mere refusal. */
async function givenUp(
  conversation: SmtpConversation,
  failure: ClientFailure,
  replyMs: number,
): Promise<SmtpClientError> {
  const error = failureOf(conversation, failure);
  if (failure.type !== 'refused') return conversation.end(error);
  await conversation.ask('*', replyMs);
  return error;
}

function failureOf(conversation: SmtpConversation, failure: ClientFailure): SmtpClientError {
  switch (failure.type) {
    case 'server-not-genuine':
      return notGenuine(conversation);
    case 'refused':
      return conversation.error('Refused', `The server refused the login: ${failure.word}`, {
        enhanced: '5.7.8',
        permanent: true,
      });
    case 'bad-exchange':
      return conversation.error('BadReply', failure.what);
  }
}

function notGenuine(conversation: SmtpConversation): SmtpClientError {
  return conversation.error('NotGenuine', 'The server does not know our password itself.');
}
