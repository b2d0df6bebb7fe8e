/**
 * AUTH: carries a SASL exchange in base64 lines and tells how it ended. And what comes before: a
 * client that has shown a TLS key is logged in by it.
 *
 * Invariants: unknown logins and wrong passwords get the same reply; from the fourth failure on the
 * answer comes later each time. RFC 4954.
 */

import { Fault } from '#domain/values/fault';
import { findMechanism } from '../sasl/catalog.ts';
import { untilKeyRemoved } from '../sasl/client-key.ts';
import {
  countsAsAttempt,
  decodeResponse,
  needsTls,
  type Mechanism,
  type SaslFailure,
  type ServerExchange,
  type ServerStep,
} from '../sasl/mechanism.ts';
import { KEY_MECHANISM, resultOf, UNKNOWN_MECHANISM } from '../sasl/login-record.ts';
import { BAD_ARGUMENTS, BAD_SEQUENCE, closing, reply, type Reply } from './reply.ts';
import type { Login, Session } from './session.ts';

const NEEDS_TLS = reply(538, '5.7.11', 'Please start TLS first.');
const NO_SECRET = reply(454, '4.3.0', 'This account cannot log in that way for now.');
export const KEY_REMOVED: Reply = closing(421, '4.7.0', 'Your TLS key lets nobody in any more.');
export const ACCOUNT_REMOVED: Reply = closing(421, '4.7.0', 'Your account was removed.');
const FREE_FAILURES = 3;

/** To be called when a client may have shown a key; a reply when it has to go. */
export function heedKey(session: Session): Reply | undefined {
  const { channel, ports, receipt } = session;
  const key = channel.tls?.peerKey;
  if (key === undefined) return undefined;
  session.forgetKey();
  session.forgetKey = untilKeyRemoved(key, ports, () => {
    session.login = undefined;
    channel.stop('revoked');
  });
  const outcome = ports.logins.admitKey(key.fingerprint, '');
  if (outcome.type !== 'ok') {
    const result = outcome.type === 'wrong' ? 'badcreds' : 'logindisabled';
    session.loginRecord.add({ mechanism: KEY_MECHANISM, login: '', result }, channel);
    return outcome.type === 'wrong' ? KEY_REMOVED : closing(421, '4.7.0', outcome.reason);
  }
  const { accountId, login } = outcome;
  logIn(session, { accountId, login, byKey: true });
  session.loginRecord.add({ mechanism: KEY_MECHANISM, login, result: 'ok', accountId }, channel);
  ports.rates.successfulLogin(channel.remoteIp);
  ports.log.info({ receipt, ip: channel.remoteIp, login: outcome.login }, 'smtp login by key');
  return undefined;
}

/** Until the account is removed. */
function logIn(session: Session, login: Login): void {
  session.forgetLogin();
  session.login = login;
  const subscription = session.ports.changes.of(login.accountId).subscribe({
    complete() {
      session.login = undefined;
      session.channel.stop('banished');
    },
  });
  session.forgetLogin = () => subscription.unsubscribe();
}

export async function auth(session: Session, argument: string): Promise<Reply> {
  const { settings, ports, channel } = session;
  if (settings.role === 'mx' || session.helo === undefined) return BAD_SEQUENCE;
  if (session.transaction !== undefined || session.login?.byKey === false) return BAD_SEQUENCE;
  const [name = '', initial, ...more] = argument.split(' ');
  if (name === '' || more.length > 0) return BAD_ARGUMENTS;
  const mechanism = findMechanism(name);
  if (mechanism === undefined) {
    const attempt = { mechanism: UNKNOWN_MECHANISM, login: '', result: 'badprotocol' } as const;
    session.loginRecord.add(attempt, channel);
    return reply(504, '5.5.4', 'That mechanism is not known here.');
  }
  const connection = { tls: channel.tls, passwordsInClear: settings.allowPlaintextLogin };
  const bare = channel.tls === undefined && !settings.allowPlaintextLogin;
  if (bare || needsTls(mechanism, connection)) {
    const attempt = { mechanism: mechanism.name, login: '', result: 'badprotocol' } as const;
    session.loginRecord.add(attempt, channel);
    return NEEDS_TLS;
  }
  if (!ports.rates.mayLogin(channel.remoteIp)) {
    return closing(421, '4.7.0', 'Too many logins failed, please try again later.');
  }
  const { logins, random } = ports;
  const { hostName } = settings;
  const exchange = mechanism.startServer({ logins, random, hostName, ...connection });
  try {
    return await finished(session, mechanism, exchange, await converse(session, exchange, initial));
  } catch (error) {
    const login = exchange.claimedLogin ?? '';
    const result = error instanceof Fault ? 'error' : 'aborted';
    session.loginRecord.add({ mechanism: mechanism.name, login, result }, channel);
    if (!(error instanceof Fault)) throw error;
    ports.log.error({ receipt: session.receipt, err: error }, 'login not checked');
    return reply(454, '4.7.0', 'The login cannot be checked now, please try again later.');
  }
}

type LastStep = Exclude<ServerStep, { readonly type: 'challenge' }>;

async function converse(
  session: Session,
  exchange: ServerExchange,
  initial: string | undefined,
): Promise<LastStep> {
  const { channel } = session;
  let line = initial;
  for (;;) {
    const decoded = line === undefined ? undefined : decodeResponse(line, line === initial);
    if (decoded !== undefined && decoded.type !== 'response') {
      return { type: 'failed', failure: decoded };
    }
    const step = await exchange.next(decoded?.data);
    if (step.type !== 'challenge') return step;
    channel.send(`334 ${step.data.toString('base64')}\r\n`);
    const answer = await channel.line();
    if (answer.type !== 'line') {
      return { type: 'failed', failure: { type: 'malformed', what: 'The line cannot be read.' } };
    }
    line = answer.text;
    initial = undefined;
  }
}

async function finished(
  session: Session,
  mechanism: Mechanism,
  exchange: ServerExchange,
  step: LastStep,
): Promise<Reply> {
  const { ports, channel, receipt, loginRecord } = session;
  const fields = { receipt, ip: channel.remoteIp, login: exchange.claimedLogin };
  if (step.type === 'done') {
    const { accountId, login } = step;
    logIn(session, { accountId, login, byKey: false });
    loginRecord.add({ mechanism: mechanism.name, login, result: 'ok', accountId }, channel);
    session.failedLogins = 0;
    ports.rates.successfulLogin(channel.remoteIp);
    ports.log.info(fields, 'smtp login');
    return reply(235, '2.7.0', 'Welcome.');
  }
  ports.log.info({ ...fields, why: step.failure.type }, 'smtp login failed');
  const result = resultOf(step.failure, mechanism.sendsPassword);
  const login = exchange.claimedLogin ?? '';
  loginRecord.add({ mechanism: mechanism.name, login, result }, channel);
  if (countsAsAttempt(step.failure)) {
    ports.rates.failedLogin(channel.remoteIp);
    session.failedLogins++;
    const waitMs = (session.failedLogins - FREE_FAILURES) * 1000;
    if (waitMs > 0) await channel.pause(waitMs);
  }
  return failureReply(step.failure);
}

function failureReply(failure: SaslFailure): Reply {
  switch (failure.type) {
    case 'wrong-credentials':
    case 'not-authorized':
      return reply(535, '5.7.8', 'The login or the password is wrong.');
    case 'wrong-binding':
      return reply(535, '5.7.7', 'The login is bound to another TLS connection than this.');
    case 'forbidden':
      return reply(525, '5.7.13', failure.reason);
    case 'needs-tls':
      return NEEDS_TLS;
    case 'no-secret':
      return NO_SECRET;
    case 'cancelled':
      return reply(501, '5.5.0', 'The login was cancelled.');
    case 'bad-base64':
      return reply(501, '5.5.2', 'The response is not base64.');
    case 'malformed':
      return reply(501, '5.5.4', failure.what);
    case 'bad-exchange':
      // not RFC 4954: the reference for SCRAM errors in SMTP knows no code of its own.
      return reply(535, '5.7.0', failure.what);
  }
}
