/**
 * One conversation: greeting, command after command, and how it ends.
 *
 * Invariants: a reply to every command, in order; after STARTTLS nothing is known of what was said
 * before (RFC 3207 §4.2); a peer that does not speak SMTP is told so once.
 * RFC 5321 §4.1.1, §4.3; RFC 2920 (PIPELINING).
 */

import { Fault } from '#domain/values/fault';
import { SMTP_SLOW_MS } from '../limits.ts';
import { ACCOUNT_REMOVED, auth, heedKey, KEY_REMOVED } from './auth.ts';
import { PeerLost, type Line } from './channel.ts';
import { FlawedData, IncomingData } from './incoming.ts';
import { receive } from './receive.ts';
import {
  BAD_ARGUMENTS,
  BAD_SEQUENCE,
  closing,
  faultReply,
  formatReply,
  OK,
  reply,
  submissionFaultReply,
  TOO_LARGE,
  type Reply,
} from './reply.ts';
import type { Session, Transaction } from './session.ts';
import { submit } from './submit.ts';
import { ehlo, helo, mail, rcpt, rset } from './transaction.ts';

type Verb = (session: Session, argument: string) => Reply | Promise<Reply>;

const UNKNOWN = reply(500, '5.5.1', 'That command is not known here.');
const NO_SMTP = closing(500, '5.5.2', 'Please try again speaking SMTP.');
const LONG_LINE = closing(500, '5.5.0', 'The line is too long.');
const BAD_LINE = reply(500, '5.5.2', 'A line ends with CRLF and holds UTF-8 without controls.');
const FLAWED_LINES = reply(500, '5.5.2', 'The message has line ends other than CRLF.');
const GO_ON = '354 Go on, end with CRLF.CRLF.\r\n';
const READY_FOR_TLS = '220 2.0.0 Ready for TLS.\r\n';
const SLOW_FAILURES = 3;

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['EHLO', ehlo],
  ['HELO', helo],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data],
  ['RSET', rset],
  ['AUTH', auth],
  ['STARTTLS', startTls],
  ['NOOP', () => OK],
  ['HELP', () => reply(214, '2.0.0', 'RFC 5321 tells it all.')],
  ['VRFY', () => reply(252, '2.0.0', 'Send it, and you will see.')],
  ['EXPN', () => reply(252, '2.0.0', 'Send it, and you will see.')],
  ['QUIT', () => closing(221, '2.0.0', 'Goodbye.')],
]);

/** Talks until either side ends it. Throws on a bug only; the connection is then still open. */
export async function converse(session: Session): Promise<void> {
  const { channel, receipt, settings, ports } = session;
  const greeting = heedKey(session) ?? reply(220, '', `${settings.hostName} ESMTP ready`);
  channel.send(formatReply(greeting, receipt));
  try {
    for (let isFirst = true; greeting.closes !== true; isFirst = false) {
      if (session.failedLogins >= SLOW_FAILURES) await channel.pause(SMTP_SLOW_MS);
      const answer = await answerTo(session, await channel.line(), isFirst);
      if (answer === undefined) continue;
      channel.send(formatReply(answer, receipt));
      if (answer.closes === true) break;
    }
  } catch (error) {
    if (!(error instanceof PeerLost)) throw error;
    ports.log.debug({ receipt, why: error.why }, 'smtp connection lost');
    if (error.why === 'silent') {
      channel.send(formatReply(reply(421, '4.4.2', 'That took too long.'), receipt));
    } else if (error.why === 'stopping') {
      channel.send(formatReply(reply(421, '4.3.2', 'The server is about to stop.'), receipt));
    } else if (error.why === 'revoked') {
      channel.send(formatReply(KEY_REMOVED, receipt));
    } else if (error.why === 'banished') {
      channel.send(formatReply(ACCOUNT_REMOVED, receipt));
    }
  } finally {
    session.forgetKey();
    session.forgetLogin();
    session.loginRecord.close();
  }
  channel.end();
}

/** The reply to a line; undefined when none is due any more. */
async function answerTo(
  session: Session,
  line: Line,
  isFirst: boolean,
): Promise<Reply | undefined> {
  if (line.type === 'too-long') return LONG_LINE;
  if (line.type === 'malformed') return isFirst ? NO_SMTP : BAD_LINE;
  const space = line.text.indexOf(' ');
  const name = (space < 0 ? line.text : line.text.slice(0, space)).toUpperCase();
  const verb = VERBS.get(name);
  if (verb === undefined) return isFirst ? NO_SMTP : UNKNOWN;
  const answer = await verb(session, space < 0 ? '' : line.text.slice(space + 1).trim());
  return answer === STARTED_TLS ? undefined : answer;
}

/** The handshake is the answer. */
const STARTED_TLS: Reply = reply(0, '');

/** RFC 3207 §4 */
async function startTls(session: Session, argument: string): Promise<Reply> {
  const { channel } = session;
  if (argument !== '') return BAD_ARGUMENTS;
  if (!channel.offersStartTls || session.login !== undefined) return BAD_SEQUENCE;
  channel.send(READY_FOR_TLS);
  await channel.startTls();
  session.helo = undefined;
  session.loginRecord.identify('');
  session.extended = false;
  session.transaction = undefined;
  return heedKey(session) ?? STARTED_TLS;
}

/** RFC 5321 §4.1.1.4 */
async function data(session: Session, argument: string): Promise<Reply> {
  const { transaction, channel } = session;
  if (argument !== '') return BAD_ARGUMENTS;
  if (transaction === undefined || transaction.recipients.size === 0) return BAD_SEQUENCE;
  session.transaction = undefined;
  channel.send(GO_ON);
  const answer = await takeMessage(session, transaction);
  if (answer.code < 400) {
    session.refusedTransactions--;
    session.takenTransactions++;
  }
  return answer;
}

async function takeMessage(session: Session, transaction: Transaction): Promise<Reply> {
  const { settings, ports, channel, login, receipt } = session;
  const incoming = new IncomingData(channel, ports.clock, settings.messageBytesMax);
  let answer: Reply;
  try {
    answer =
      login === undefined
        ? await receive(session, transaction, incoming)
        : await submit(session, login, transaction, incoming);
  } catch (error) {
    answer = failureReply(session, error);
  }
  // Whatever we think of it, the message is read to its end.
  await incoming.drain();
  const { code, enhanced } = answer;
  ports.log.info({ receipt, code, enhanced, recipients: transaction.recipients.size }, 'message');
  return answer;
}

function failureReply({ ports, receipt, login }: Session, error: unknown): Reply {
  if (error instanceof FlawedData) {
    return error.flaw === 'too-large' ? TOO_LARGE : FLAWED_LINES;
  }
  if (!(error instanceof Fault)) throw error;
  ports.log.error({ receipt, err: error }, 'message not taken');
  return login === undefined ? faultReply(error) : submissionFaultReply(error);
}
