/**
 * From EHLO to RCPT: who speaks, from whom, to whom. Each verb reads its arguments, changes the
 * session and gives the reply.
 *
 * Invariants: EHLO, HELO and RSET clear the transaction; a refused command changes nothing of it.
 * RFC 5321 §4.1.1, §4.1.4 (order); RFC 1870 (SIZE); RFC 6152 (8BITMIME); RFC 6531 (SMTPUTF8);
 * RFC 9422 (LIMITS); RFC 4954 (AUTH); RFC 4865 (FUTURERELEASE); RFC 8689 (REQUIRETLS).
 */

import type { MailTarget } from '#domain/directory/mail-targets';
import { isNullPath, needsSmtpUtf8, parseDomain, type Address } from '#domain/values/address';
import { domainToASCII } from 'node:url';
import {
  SMTP_COPIES_MAX,
  SMTP_HOLD_MS_MAX,
  SMTP_RECIPIENTS_MAX,
  SMTP_REFUSED_TRANSACTIONS_MAX,
} from '../limits.ts';
import { offeredMechanisms } from '../sasl/catalog.ts';
import { BAD_PARAMETER, readMailParameters, utcTime } from './mail-parameters.ts';
import { parsePathCommand, type PathProblem } from './path.ts';
import {
  BAD_ARGUMENTS,
  BAD_SEQUENCE,
  closing,
  DISABLED_SENDER,
  OK,
  reply,
  UNKNOWN_ADDRESS,
  type Reply,
} from './reply.ts';
import { askedFailure, type Session, type Transaction } from './session.ts';
import { isAddressLiteral, isMembersOnly, recipientKey, targetOf } from './targets.ts';

const TOO_MANY = reply(452, '4.5.3', 'These are too many recipients.');
const SENDER_OK = reply(250, '2.1.0', 'The sender is fine.');
const RECIPIENT_OK = reply(250, '2.1.0', 'The recipient is fine.');
const REPEATED_PARAMETER = reply(501, '5.5.4', 'A parameter stands there twice.');
const DISABLED_RECIPIENT = reply(450, '4.2.1', 'No mail comes to this domain for now.');
const NOT_TOGETHER = reply(452, '4.5.3', 'This recipient takes a message of its own only.');
const NOT_YOURS = reply(550, '5.7.1', 'You cannot send as this address.');

/** RFC 5321 §4.1.1.1 */
export function helo(session: Session, argument: string): Reply {
  const refusal = introduce(session, argument, false);
  return refusal ?? reply(250, '', session.settings.hostName);
}

/** RFC 5321 §4.1.1.1; the order of keywords is always the same. */
export function ehlo(session: Session, argument: string): Reply {
  return introduce(session, argument, true) ?? reply(250, '', ...extensions(session));
}

function extensions({ settings, channel, ports }: Session): readonly string[] {
  return [
    settings.hostName,
    'PIPELINING',
    `SIZE ${settings.messageBytesMax}`,
    ...(channel.offersStartTls ? ['STARTTLS'] : []),
    ...(channel.tls === undefined ? [] : ['REQUIRETLS']),
    ...(settings.role === 'submission' ? ofSubmission() : []),
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    `LIMITS RCPTMAX=${SMTP_RECIPIENTS_MAX}`,
    'SMTPUTF8',
  ];

  function ofSubmission(): readonly string[] {
    // RFC 4865: how long, and until when at the latest.
    const latest = utcTime(ports.clock.now() + SMTP_HOLD_MS_MAX);
    return [`AUTH ${offered().join(' ')}`, `FUTURERELEASE ${SMTP_HOLD_MS_MAX / 1000} ${latest}`];
  }

  function offered(): readonly string[] {
    if (channel.tls === undefined && !settings.allowPlaintextLogin) return [];
    const connection = { tls: channel.tls, passwordsInClear: settings.allowPlaintextLogin };
    return offeredMechanisms(connection);
  }
}

function introduce(session: Session, argument: string, extended: boolean): Reply | undefined {
  const name = argument.split(' ')[0] as string;
  // Mail programs of users call themselves anything; servers must know their name.
  if (session.settings.role === 'mx' && !isHostName(name)) return BAD_ARGUMENTS;
  session.helo = name.slice(0, 255);
  session.loginRecord.identify(session.helo);
  session.extended = extended;
  session.transaction = undefined;
  return undefined;
}

function isHostName(name: string): boolean {
  // Underscores are not allowed, but used.
  return parseDomain(name.replaceAll('_', '-'), domainToASCII) !== undefined;
}

export function rset(session: Session, argument: string): Reply {
  if (argument !== '') return BAD_ARGUMENTS;
  session.transaction = undefined;
  return OK;
}

/** RFC 5321 §4.1.1.2 */
export async function mail(session: Session, argument: string): Promise<Reply> {
  const { settings, login } = session;
  if (session.helo === undefined) return BAD_SEQUENCE;
  if (settings.role === 'submission' && login === undefined) {
    return reply(530, '5.7.0', 'Please log in first.');
  }
  if (session.transaction !== undefined) return BAD_SEQUENCE;
  if (
    session.refusedTransactions > SMTP_REFUSED_TRANSACTIONS_MAX &&
    session.takenTransactions === 0
  ) {
    return closing(550, '5.1.0', 'Too much was refused on this connection.');
  }
  session.refusedTransactions++;
  const parsed = parsePathCommand('FROM', argument);
  if (typeof parsed === 'string') return problemReply(parsed);
  const { path, parameters } = parsed;
  // RFC 5321 §4.1.1.3: Postmaster alone may be a recipient only.
  if (path.domain === '' && !isNullPath(path)) return BAD_ARGUMENTS;
  const read = readMailParameters(session, parameters);
  if (read.type === 'refused') return read.reply;
  const { type: _, ...wishes } = read;
  const refusal =
    senderRefused(session, path, wishes.smtpUtf8) ??
    (await askedFailure(session, path.localpart, 'mailfrom'));
  if (refusal !== undefined) return refusal;
  session.transaction = { mailFrom: path, ...wishes, recipients: new Map(), isSplit: false };
  return SENDER_OK;
}

function problemReply(problem: PathProblem): Reply {
  return problem === 'syntax' ? BAD_ARGUMENTS : REPEATED_PARAMETER;
}

function senderRefused(session: Session, sender: Address, smtpUtf8: boolean): Reply | undefined {
  const { settings, ports, login } = session;
  if (needsSmtpUtf8(sender) && !smtpUtf8) {
    return reply(550, '5.6.7', 'The address needs SMTPUTF8.');
  }
  if (isNullPath(sender)) return undefined;
  if (isAddressLiteral(sender)) {
    const enhanced = settings.role === 'mx' ? '5.7.0' : '5.7.1';
    return reply(550, enhanced, 'An IP address cannot send.');
  }
  if (login === undefined) return undefined;
  const { localpart, domain } = sender;
  if (!ports.directory.sendersAs(localpart, domain).includes(login.accountId)) return NOT_YOURS;
  return ports.directory.isDisabled(domain) ? DISABLED_SENDER : undefined;
}

/** RFC 5321 §4.1.1.3 */
export async function rcpt(session: Session, argument: string): Promise<Reply> {
  const { transaction } = session;
  if (transaction === undefined) return BAD_SEQUENCE;
  const parsed = parsePathCommand('TO', argument);
  if (typeof parsed === 'string') return problemReply(parsed);
  const { path, parameters } = parsed;
  if (isNullPath(path)) return BAD_ARGUMENTS;
  if (parameters.size > 0) return BAD_PARAMETER;
  const key = recipientKey(path);
  if (transaction.recipients.has(key)) return RECIPIENT_OK;
  const refusal =
    tooMany(transaction) ??
    recipientRefused(session, transaction, path) ??
    (await askedFailure(session, path.localpart, 'rcptto'));
  if (refusal !== undefined) return refusal;
  const target = targetOf(session.ports.directory, path, session.settings.hostName);
  const apart = session.settings.role === 'mx' ? notBeside(transaction, target) : undefined;
  if (apart !== undefined) {
    transaction.isSplit ||= apart === NOT_TOGETHER;
    return apart;
  }
  transaction.recipients.set(key, { address: path, target });
  return RECIPIENT_OK;
}

function tooMany({ mailFrom, recipients }: Transaction): Reply | undefined {
  if (recipients.size >= SMTP_RECIPIENTS_MAX) return TOO_MANY;
  // A notice about a delivery goes to the one who sent the message.
  return isNullPath(mailFrom) && recipients.size > 0
    ? reply(452, '4.5.3', 'A notice can have one recipient only.')
    : undefined;
}

/**
 * Of mail that is delivered here. Who may write to a closed alias is known behind DATA, where one
 * reply holds for all recipients: whoever is refused there must not keep the message from others.
 */
function notBeside({ recipients }: Transaction, target: MailTarget): Reply | undefined {
  const others = Array.from(recipients.values(), (one) => one.target);
  if (others.length === 0) return undefined;
  if ([target, ...others].some(isMembersOnly)) return NOT_TOGETHER;
  const copies = others.reduce((sum, one) => sum + copiesFor(one), copiesFor(target));
  return copies > SMTP_COPIES_MAX ? TOO_MANY : undefined;
}

function copiesFor(target: MailTarget): number {
  return target.type === 'alias' ? target.members.length : 1;
}

function recipientRefused(
  { settings, ports }: Session,
  transaction: Transaction,
  recipient: Address,
): Reply | undefined {
  if (needsSmtpUtf8(recipient) && !transaction.smtpUtf8) {
    return reply(553, '5.6.7', 'The address needs SMTPUTF8.');
  }
  const isMx = settings.role === 'mx';
  if (isAddressLiteral(recipient)) return isMx ? UNKNOWN_ADDRESS : undefined;
  if (isMx && ports.directory.isDisabled(recipient.domain)) return DISABLED_RECIPIENT;
  const target = targetOf(ports.directory, recipient, settings.hostName);
  switch (target.type) {
    case 'account':
    case 'alias':
      return undefined;
    case 'unknown-domain':
      return isMx ? UNKNOWN_ADDRESS : undefined;
    case 'unknown-address':
      // Strangers learn it behind DATA only, so that names cannot be probed cheaply.
      return isMx ? undefined : UNKNOWN_ADDRESS;
  }
}
