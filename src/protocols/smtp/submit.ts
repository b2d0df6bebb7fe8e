/**
 * Mail from our users: who it says it is from is checked, what every message needs is added, and it
 * goes into the queue for all recipients in one step.
 *
 * Invariants: durable for all recipients at 250, or for none; MAIL FROM was checked by MAIL, From
 * is checked here; nothing that we add tells where the user sits. Local recipients go through the
 * queue too. RFC 6409 §8 (what a submission server may change), RFC 5322 §3.6 (fields).
 */

import { Buffer } from 'node:buffer';
import { formatAddress, needsSmtpUtf8, type Address } from '#domain/values/address';
import type { QueuedRecipient } from '#domain/queue/enqueue';
import type { SendingOptions } from '#domain/queue/events';
import { isRefusal } from '#domain/values/decision';
import { isAscii } from '#domain/values/text';
import { readHeader, valueOf, type Header } from '../message/header.ts';
import { formatAuthenticated, formatReceived } from '../message/trace.ts';
import { withFromIds } from './from-id.ts';
import type { IncomingData } from './incoming.ts';
import { fromOf } from './message-from.ts';
import { refused } from './receive.ts';
import { DISABLED_SENDER, refusalReply, reply, type Reply } from './reply.ts';
import { actorOf, protocolOf, type Login, type Session, type Transaction } from './session.ts';
import { signaturesOf } from './signatures.ts';
import { completionOf, extraDataOf, tlsRequiredOf, travellingHeader } from './submission-fields.ts';

const QUEUED = reply(250, '2.0.0', 'The message is on its way.');
const NO_BODY = reply(554, '5.6.0', 'The message has no empty line behind its header.');
const BAD_FROM = reply(550, '5.6.0', 'The message needs one From field with one address.');
const ONE_ID = reply(554, '5.5.3', 'A MAIL FROM with an id of its own is for one recipient.');
const FOREIGN_FROM = reply(550, '5.7.1', 'You cannot send as the address in From.');

/** Of the ids that we make: nobody guesses them. */
const TOKEN_BYTES = 16;

export async function submit(
  session: Session,
  login: Login,
  transaction: Transaction,
  incoming: IncomingData,
): Promise<Reply> {
  const head = await incoming.head();
  if (!head.complete) return NO_BODY;
  const header = readHeader(head.octets.toString('latin1'));
  const from = fromOf(header);
  if (from === undefined) return BAD_FROM;
  const refusal =
    fromRefused(session, login, from) ?? (await refused(session, transaction, incoming));
  if (refusal !== undefined) return refusal;
  const data = extraDataOf(header);
  if (data.type === 'refused') return data.reply;
  const { bodies } = session.ports;
  const travelling = travellingHeader(header, session.settings.hostName);
  const start = Buffer.from(travelling, 'latin1');
  const octets = incoming.octetsBehind(start, head.octets.length);
  await bodies.requireRoom();
  const staged = await bodies.stage(octets, session.settings.messageBytesMax);
  try {
    await bodies.link(staged, login.accountId);
    return await queue(session, login, transaction, {
      header,
      fromDomain: from.domain,
      travelling,
      body: staged.hash,
      bodyBytes: staged.sizeBytes,
      eightBit: incoming.eightBit,
      extra: data.extra,
    });
  } finally {
    await staged.discard();
  }
}

function fromRefused(
  { ports }: Session,
  login: Login,
  { localpart, domain }: Address,
): Reply | undefined {
  if (!ports.directory.sendersAs(localpart, domain).includes(login.accountId)) return FOREIGN_FROM;
  return ports.directory.isDisabled(domain) ? DISABLED_SENDER : undefined;
}

interface StoredSubmission {
  readonly header: Header;
  /** A-labels. */
  readonly fromDomain: string;
  /** The header as it is stored, with its empty line. */
  readonly travelling: string;
  readonly body: string;
  readonly bodyBytes: number;
  readonly eightBit: boolean;
  readonly extra: Readonly<Record<string, string>>;
}

async function queue(
  session: Session,
  login: Login,
  transaction: Transaction,
  stored: StoredSubmission,
): Promise<Reply> {
  const { ports, settings, channel, receipt } = session;
  const { mailFrom, recipients, release } = transaction;
  const { header, body, bodyBytes, eightBit } = stored;
  const to = [...recipients.values()].map(({ address }) => formatAddress(address));
  const queued = queuedRecipients(session, login, mailFrom, to);
  if (queued === undefined) return ONE_ID;
  const now = ports.clock.now();
  const completion = completionOf(header, {
    hostName: settings.hostName,
    token: tokenOf(session),
    at: now,
    eightBit,
  });
  const signatures = await signaturesOf(session, login.accountId, {
    domain: stored.fromDomain,
    added: completion.fields,
    travelling: stored.travelling,
    body,
  });
  const sender = formatAddress(mailFrom);
  const trace =
    receivedField(session, transaction, to) + formatAuthenticated(settings.hostName, sender);
  const prefix = trace + signatures + completion.fields;
  const done = await ports.commands.execute(
    login.accountId,
    {
      type: 'QueueMessage',
      mailFrom: sender,
      recipients: queued,
      body,
      prefix,
      sizeBytes: Buffer.byteLength(prefix) + bodyBytes,
      headerId: completion.headerId,
      smtpUtf8: needsUtf8(transaction, stored),
      eightBit,
      options: sendingOptions(session, transaction, stored),
      // By the clock: events are never earlier than those before, also when it was put back.
      releaseAt: release?.at ?? now,
    },
    { actor: actorOf(session), ip: channel.remoteIp, cid: receipt },
  );
  return isRefusal(done) ? refusalReply(done) : QUEUED;
}

/**
 * RFC 6531 §3.4: many clients ask for SMTPUTF8 wherever it is offered. Who takes mail for others
 * need not know of it when there is nothing but ASCII where it matters. Recipients are looked at
 * when they are named.
 */
function needsUtf8(
  { smtpUtf8, mailFrom }: Transaction,
  { header, travelling, eightBit }: StoredSubmission,
): boolean {
  if (!smtpUtf8) return false;
  if (needsSmtpUtf8(mailFrom) || !isAscii(travelling)) return true;
  // Inside of it there may be headers: those of its parts, or of another message.
  const type = valueOf(header, 'content-type') ?? '';
  return eightBit && /^\s*(?:multipart|message)\s*\//i.test(type);
}

/** Undefined when they cannot share the reverse-path that the client has made. */
function queuedRecipients(
  { ports: { directory, random } }: Session,
  { accountId, login }: Login,
  mailFrom: Address,
  to: readonly string[],
): readonly QueuedRecipient[] | undefined {
  if (!directory.usesFromIds(accountId, login)) return to.map((recipient) => ({ recipient }));
  return withFromIds(mailFrom, directory.separatorsOf(mailFrom.domain), to, random);
}

function tokenOf({ ports }: Session): string {
  return ports.random.bytes(TOKEN_BYTES).toString('base64url');
}

function receivedField(
  session: Session,
  { smtpUtf8, requireTls }: Transaction,
  to: readonly string[],
): string {
  const { ports, settings, channel, receipt } = session;
  return formatReceived({
    by: settings.hostName,
    protocol: protocolOf(session, smtpUtf8),
    receipt,
    tls: channel.tls,
    requireTls,
    // Several recipients share the prefix and must not learn of each other from it.
    recipient: to.length === 1 ? to[0] : undefined,
    at: ports.clock.now(),
  });
}

function sendingOptions(
  session: Session,
  { requireTls, release }: Transaction,
  { header, extra }: StoredSubmission,
): SendingOptions {
  // RFC 8689 §4.1: the parameter counts more than the field.
  const tls = requireTls ? true : tlsRequiredOf(header);
  return {
    envelopeId: tokenOf(session),
    ...(tls === undefined ? {} : { requireTls: tls }),
    ...(release === undefined ? {} : { futureRelease: release.request }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
