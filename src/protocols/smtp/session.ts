/**
 * What one conversation knows, and what all conversations share: the state that verbs read and
 * change.
 */

import type { MailTarget } from '#domain/directory/mail-targets';
import type { Address } from '#domain/values/address';
import type { AccountId, Instant } from '#domain/values/ids';
import type {
  Bodies,
  Changes,
  Clock,
  Commands,
  Directory,
  Log,
  LoginAttempts,
  Logins,
  Random,
  Rates,
} from '../ports.ts';
import type { SigningKeys } from '../ports-dkim.ts';
import { LoginRecord } from '../sasl/login-record.ts';
import type { Channel } from './channel.ts';
import { reply, type Reply } from './reply.ts';
import type { SplitMail } from './split-mail.ts';
import { SIMULATED_TIMEOUT_MS, simulatedFailure, type SimulationStage } from './simulate.ts';

/** What a listener is for. */
export interface SmtpSettings {
  /** `mx` takes mail from anybody for us, `submission` takes mail from our users for anybody. */
  readonly role: 'mx' | 'submission';
  readonly hostName: string;
  readonly messageBytesMax: number;
  /** Submission without TLS; the password may travel in the clear. */
  readonly allowPlaintextLogin: boolean;
  /** Localparts may ask for failures; nothing is judged. */
  readonly localMode: boolean;
}

export interface SmtpPorts {
  readonly commands: Commands;
  readonly changes: Changes;
  readonly bodies: Bodies;
  readonly directory: Directory;
  readonly signing: SigningKeys;
  readonly logins: Logins;
  readonly attempts: LoginAttempts;
  readonly rates: Rates;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Recipient {
  readonly address: Address;
  readonly target: MailTarget;
}

/** RFC 4865: the message is not to go before. */
export interface FutureRelease {
  /** `for;<seconds>` or `until;<UTC>`. */
  readonly request: string;
  readonly at: Instant;
}

/** RFC 5321 §3.3: from MAIL to the end of DATA. */
export interface Transaction {
  readonly mailFrom: Address;
  readonly smtpUtf8: boolean;
  /** RFC 8689: every server on the way must have asked for TLS, and have got it. */
  readonly requireTls: boolean;
  readonly release?: FutureRelease;
  /** By `localpart@domain`, so that nobody is there twice. */
  readonly recipients: Map<string, Recipient>;
  /** A recipient was put off to a transaction of its own, or until these are served. */
  isSplit: boolean;
}

export interface Login {
  readonly accountId: AccountId;
  readonly login: string;
  /** By the key that the client has shown; AUTH may follow once. */
  readonly byKey: boolean;
}

export interface Session {
  readonly settings: SmtpSettings;
  readonly ports: SmtpPorts;
  readonly channel: Channel;
  /** Opaque; told to the peer, printed in the logs. */
  readonly receipt: string;
  /** Of all conversations with the server. */
  readonly splitMail: SplitMail;
  /** What the client calls itself; undefined before HELO and EHLO. */
  helo: string | undefined;
  /** EHLO rather than HELO. */
  extended: boolean;
  login: Login | undefined;
  transaction: Transaction | undefined;
  /** Transactions begun that came to nothing. */
  refusedTransactions: number;
  takenTransactions: number;
  failedLogins: number;
  readonly loginRecord: LoginRecord;
  /** Stops listening for the end of the client's key. */
  forgetKey: () => void;
  /** Stops listening for the end of the account that is logged in. */
  forgetLogin: () => void;
}

export function openSession(
  settings: SmtpSettings,
  ports: SmtpPorts,
  channel: Channel,
  receipt: string,
  splitMail: SplitMail,
): Session {
  return {
    settings,
    ports,
    channel,
    receipt,
    splitMail,
    helo: undefined,
    extended: false,
    login: undefined,
    transaction: undefined,
    refusedTransactions: 0,
    takenTransactions: 0,
    failedLogins: 0,
    loginRecord: new LoginRecord('submission', ports),
    forgetKey: () => undefined,
    forgetLogin: () => undefined,
  };
}

export function actorOf({ login }: Session): string {
  return login === undefined ? 'smtp:anonymous' : `smtp:${login.login}`;
}

/** RFC 3848, RFC 6531 §4.3: how the message came, for Received. */
export function protocolOf(session: Session, smtpUtf8: boolean): string {
  if (!session.extended) return 'SMTP';
  const tls = session.channel.tls === undefined ? '' : 'S';
  const authenticated = session.login === undefined ? '' : 'A';
  return `${smtpUtf8 ? 'UTF8SMTP' : 'ESMTP'}${tls}${authenticated}`;
}

/** Local mode: what a localpart asks for at this point; undefined when it asks for nothing. */
export async function askedFailure(
  session: Session,
  localpart: string,
  stage: SimulationStage,
): Promise<Reply | undefined> {
  const failure = session.settings.localMode ? simulatedFailure(localpart) : undefined;
  if (failure?.stage !== stage) return undefined;
  if (failure.code === 'timeout') {
    await session.channel.pause(SIMULATED_TIMEOUT_MS);
    return reply(451, '4.0.0', 'The time that the localpart asked for is over.');
  }
  const { code } = failure;
  return reply(code, `${Math.floor(code / 100)}.0.0`, 'The localpart asked for this failure.');
}
