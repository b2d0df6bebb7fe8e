/**
 * The first line: who we are, what we can do, and for the holder of a TLS key that it is in.
 *
 * RFC 9051 §7.1.4 (PREAUTH). After STARTTLS there is no second greeting: a key shown there is used
 * by AUTHENTICATE EXTERNAL.
 */

import { Fault } from '#domain/values/fault';
import { KEY_MECHANISM } from '../sasl/login-record.ts';
import { capabilitiesOf } from './commands/capability.ts';
import { untagged } from './reply.ts';
import type { Session } from './session.ts';

export async function greet(session: Session): Promise<void> {
  const { out, options } = session;
  try {
    const status = (await logInByKey(session)) ? 'PREAUTH' : 'OK';
    const code = `CAPABILITY ${capabilitiesOf(session)}`;
    out.line(untagged(status, `${options.hostName} ready`, code));
    await out.flush();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    session.log.warn({ code: error.code, error: error.message }, 'imap greeting failed');
    session.ending = { bye: 'please try again later', code: 'UNAVAILABLE' };
  }
}

/** False when the client has shown no key, or the key waits for EXTERNAL. */
async function logInByKey(session: Session): Promise<boolean> {
  const { ports, wire } = session;
  const key = wire.tls?.peerKey;
  const holder = key === undefined ? undefined : ports.logins.keyHolder(key.fingerprint);
  if (holder?.imapPreauth !== true) return false;
  await session.logIn(holder.accountId, holder.login);
  session.isPreauthenticated = true;
  const { accountId, login } = holder;
  session.loginRecord.add({ mechanism: KEY_MECHANISM, login, result: 'ok', accountId }, wire);
  ports.rates.successfulLogin(wire.remoteIp);
  return true;
}
