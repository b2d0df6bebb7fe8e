/**
 * STARTTLS, AUTHENTICATE and LOGIN.
 *
 * Diagnostics: an unknown user and a wrong password get the same answer. From the fourth failure on
 * the answer comes later each time.
 *
 * RFC 9051 §6.2, RFC 4959 (initial response), RFC 5530 (codes), RFC 8314 §4
 */

import { unreachable } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import { IMAP_FAILURES_FAST } from '../../limits.ts';
import type { Wire } from '../../ports.ts';
import { findMechanism } from '../../sasl/catalog.ts';
import { resultOf, UNKNOWN_MECHANISM, type EndedAttempt } from '../../sasl/login-record.ts';
import {
  countsAsAttempt,
  needsTls,
  stepOf,
  type LoginPlace,
  type SaslFailure,
  type ServerStep,
} from '../../sasl/mechanism.ts';
import {
  authenticate as authenticateWords,
  login as loginWords,
  noArguments,
  saslResponse,
} from '../grammar.ts';
import { BadSyntax } from '../parser.ts';
import { bad, no, ok, type Reply, type Session } from '../session.ts';
import { capabilitiesOf, passwordsAllowed } from './capability.ts';
import { imapCommand, NOT_LOGGED_IN, type WholeCommand } from './command.ts';

export const starttls: WholeCommand = imapCommand({
  states: NOT_LOGGED_IN,
  parse: noArguments,
  run(_, session) {
    const { startTls } = session.wire;
    if (startTls === undefined) {
      return session.wire.tls === undefined
        ? no('TLS is not available here')
        : no('TLS is active already');
    }
    return ok('begin TLS now', {
      // What the client sent behind the command goes into the handshake: it is never a command.
      afterwards: () => handshake(startTls, session),
    });
  },
});

async function handshake(startTls: NonNullable<Wire['startTls']>, session: Session): Promise<void> {
  try {
    session.attach(await startTls(session.reader.release()));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    session.log.info({ error: error.message }, 'imap starttls failed');
    session.ending = {};
  }
}

export const login: WholeCommand = imapCommand({
  states: NOT_LOGGED_IN,
  parse: loginWords,
  async run({ user, password }, session) {
    // RFC 9051 §6.2.3: refused before anybody looks at the credentials.
    const attempt = { mechanism: 'LOGIN', sendsPassword: true, login: () => user };
    if (!passwordsAllowed(session)) return refused({ type: 'needs-tls' }, attempt, session);
    if (!mayTry(session)) return tooManyFailures(session);
    return concluded(attempt, session, async () => {
      const outcome = await session.ports.logins.verifyPassword(user, password);
      return stepOf(outcome, placeOf(session));
    });
  },
});

export const authenticate: WholeCommand = imapCommand({
  states: NOT_LOGGED_IN,
  parse: authenticateWords,
  async run({ mechanism: name, initial }, session) {
    const mechanism = findMechanism(name);
    if (mechanism === undefined || mechanism.name === 'LOGIN') {
      const attempt = { mechanism: UNKNOWN_MECHANISM, login: '', result: 'badprotocol' } as const;
      session.loginRecord.add(attempt, session.wire);
      return no('the mechanism is not one of ours');
    }
    const connection = {
      tls: session.wire.tls,
      passwordsInClear: session.options.allowPlaintextLogin,
    };
    const { sendsPassword, usesKey } = mechanism;
    const attempt = { mechanism: mechanism.name, sendsPassword, login: () => '' };
    if (needsTls(mechanism, connection)) {
      return refused({ type: usesKey ? 'wrong-credentials' : 'needs-tls' }, attempt, session);
    }
    if (!mayTry(session)) return tooManyFailures(session);
    const { random } = session.ports;
    const { hostName } = session.options;
    const exchange = mechanism.startServer({
      ...placeOf(session),
      ...connection,
      random,
      hostName,
    });
    // RFC 9051 §6.2.2: where the client begins and has not done so, the first challenge is empty.
    const claimed = { ...attempt, login: () => exchange.claimedLogin ?? '' };
    return concluded(claimed, session, async () => {
      let step = await exchange.next(initial);
      while (step.type === 'challenge') {
        const line = await ask(step.data, session);
        step = line === 'cancel' ? cancelled : await exchange.next(line);
      }
      return step;
    });
  },
});

/** What is recorded of an attempt however it ends. */
interface Attempt {
  readonly mechanism: string;
  readonly sendsPassword: boolean;
  /** As far as the client has said it. */
  readonly login: () => string;
}

/** Carries an attempt to its end, and records it. */
async function concluded(
  attempt: Attempt,
  session: Session,
  exchange: () => Promise<ServerStep>,
): Promise<Reply> {
  try {
    return await conclude(await exchange(), attempt, session);
  } catch (error) {
    record(resultOfError(error), attempt, session);
    throw error;
  }
}

function record(result: EndedAttempt['result'], attempt: Attempt, session: Session): void {
  const { mechanism, login } = attempt;
  session.loginRecord.add({ mechanism, login: login(), result }, session.wire);
}

function resultOfError(error: unknown): EndedAttempt['result'] {
  if (error instanceof BadSyntax) return 'badprotocol';
  return error instanceof Fault ? 'error' : 'aborted';
}

function refused(failure: SaslFailure, attempt: Attempt, session: Session): Reply {
  record(resultOf(failure, attempt.sendsPassword), attempt, session);
  return failureReply(failure);
}

function placeOf({ ports, wire }: Session): LoginPlace {
  return { logins: ports.logins, tls: wire.tls };
}

const cancelled: ServerStep = { type: 'failed', failure: { type: 'cancelled' } };

async function ask(challenge: Buffer, session: Session): Promise<Buffer | 'cancel'> {
  session.out.line(`+ ${challenge.toString('base64')}`);
  await session.out.flush();
  await session.beforeReading();
  const line = await session.reader.readLine();
  if (line === undefined) return 'cancel';
  return saslResponse(line);
}

function mayTry(session: Session): boolean {
  return session.ports.rates.mayLogin(session.wire.remoteIp);
}

function tooManyFailures(session: Session): Reply {
  session.ending = { bye: 'too many failed logins' };
  return no('too many failed logins from your address, please try again later', 'LIMIT');
}

async function conclude(step: ServerStep, attempt: Attempt, session: Session): Promise<Reply> {
  const { rates } = session.ports;
  const ip = session.wire.remoteIp;
  if (step.type === 'done') {
    const { accountId, login } = step;
    await session.logIn(accountId, login);
    const { mechanism } = attempt;
    session.loginRecord.add({ mechanism, login, result: 'ok', accountId }, session.wire);
    rates.successfulLogin(ip);
    session.failedLogins = 0;
    return ok('logged in', { code: `CAPABILITY ${capabilitiesOf(session)}` });
  }
  const failure: SaslFailure =
    step.type === 'failed' ? step.failure : { type: 'bad-exchange', what: 'The exchange is over.' };
  session.log.info({ login: attempt.login(), result: failure.type }, 'imap login failed');
  const reply = refused(failure, attempt, session);
  if (countsAsAttempt(failure)) {
    rates.failedLogin(ip);
    session.failedLogins++;
    const over = session.failedLogins - IMAP_FAILURES_FAST;
    if (over > 0) await session.sleep(over * 1000);
  }
  return reply;
}

function failureReply(failure: SaslFailure): Reply {
  switch (failure.type) {
    case 'wrong-credentials':
    case 'wrong-binding':
      return no('the credentials are wrong', 'AUTHENTICATIONFAILED');
    case 'not-authorized':
      return no('you cannot act as somebody else', 'AUTHORIZATIONFAILED');
    case 'forbidden':
      return no(failure.reason);
    case 'needs-tls':
      return no('this needs TLS', 'PRIVACYREQUIRED');
    case 'no-secret':
      return no('this account cannot log in that way until its password is set anew');
    case 'cancelled':
      return bad('cancelled');
    case 'bad-base64':
      return bad('the response is not base64');
    case 'malformed':
    case 'bad-exchange':
      return bad(failure.what);
    default:
      return unreachable(failure);
  }
}
