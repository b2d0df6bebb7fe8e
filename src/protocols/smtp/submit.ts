/**
 * Mail from our users: who it says it is from is checked, what every message needs is added, and it
 * goes into the queue for all recipients in one step.
 *
 * Invariants: durable for all recipients at 250, or for none; MAIL FROM was checked by MAIL, From
 * is checked here; nothing that we add tells where the user sits. Local recipients go through the
 * queue too. RFC 6409 §8 (what a submission server may change), RFC 5322 §3.6 (fields).
 */

import { Buffer } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { formatAddress, parseDomain, type Address } from '#domain/values/address';
import { isRefusal } from '#domain/values/decision';
import { parseAddresses, type Address as HeaderAddress } from '../message/addresses.ts';
import { formatDate } from '../message/date.ts';
import { readHeader, valueOf, type Header } from '../message/header.ts';
import { formatReceived } from '../message/trace.ts';
import type { IncomingData } from './incoming.ts';
import { refused } from './receive.ts';
import { refusalReply, reply, type Reply } from './reply.ts';
import { actorOf, protocolOf, type Login, type Session, type Transaction } from './session.ts';

const QUEUED = reply(250, '2.0.0', 'The message is on its way.');
const NO_BODY = reply(554, '5.6.0', 'The message has no empty line behind its header.');
const BAD_FROM = reply(550, '5.6.0', 'The message needs one From field with one address.');
const FOREIGN_FROM = reply(550, '5.7.1', 'You cannot send as the address in From.');

const MESSAGE_ID_BYTES = 16;
/** Enough to see whether anybody stands in To or Cc. */
const ADDRESSES_LOOKED_AT = 100;

export async function submit(
  session: Session,
  login: Login,
  transaction: Transaction,
  incoming: IncomingData,
): Promise<Reply> {
  const head = await incoming.head();
  if (!head.complete) return NO_BODY;
  const header = readHeader(head.octets.toString('latin1'));
  const refusal =
    fromRefused(session, login, header) ?? (await refused(session, transaction, incoming));
  if (refusal !== undefined) return refusal;
  const { bodies } = session.ports;
  const octets = withHead(Buffer.from(withoutBcc(header), 'latin1'), head.octets.length, incoming);
  const staged = await bodies.stage(octets, session.settings.messageBytesMax);
  try {
    await bodies.link(staged, login.accountId);
    return await queue(session, login, transaction, {
      header,
      body: staged.hash,
      bodyBytes: staged.sizeBytes,
      eightBit: incoming.eightBit,
    });
  } finally {
    await staged.discard();
  }
}

async function* withHead(
  head: Buffer,
  instead: number,
  incoming: IncomingData,
): AsyncGenerator<Buffer> {
  yield head;
  yield* incoming.octets(instead);
}

function fromRefused({ ports }: Session, login: Login, header: Header): Reply | undefined {
  if (header.fields.filter(({ name }) => name === 'from').length !== 1) return BAD_FROM;
  const addresses = parseAddresses(valueOf(header, 'from') ?? '', 2);
  const [only] = addresses;
  const from = addresses.length === 1 && only !== undefined ? mailAddress(only) : undefined;
  if (from === undefined) return BAD_FROM;
  const { localpart, domain } = from;
  return ports.directory.maySendAs(login.accountId, localpart, domain) ? undefined : FOREIGN_FROM;
}

function mailAddress({ mailbox, host }: HeaderAddress): Address | undefined {
  if (!mailbox || !host) return undefined;
  const domain = parseDomain(utf8Of(host), domainToASCII);
  return domain === undefined ? undefined : { localpart: utf8Of(mailbox), domain };
}

/** Headers are held with one character per octet. */
function utf8Of(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}

/** The header, without Bcc fields where the recipients see somebody in To or Cc. */
function withoutBcc(header: Header): string {
  const shown = ['to', 'cc'].some((name) =>
    parseAddresses(valueOf(header, name) ?? '', ADDRESSES_LOOKED_AT).some(({ host }) => host),
  );
  if (!shown) return header.text;
  let text = '';
  let start = 0;
  for (const field of header.fields) {
    if (field.name !== 'bcc') continue;
    text += header.text.slice(start, field.start);
    start = field.end;
  }
  return text + header.text.slice(start);
}

interface StoredSubmission {
  readonly header: Header;
  readonly body: string;
  readonly bodyBytes: number;
  readonly eightBit: boolean;
}

async function queue(
  session: Session,
  { accountId }: Login,
  { mailFrom, smtpUtf8, recipients }: Transaction,
  { header, body, bodyBytes, eightBit }: StoredSubmission,
): Promise<Reply> {
  const { ports, settings, channel, receipt } = session;
  const at = ports.clock.now();
  const given = valueOf(header, 'message-id');
  const token = ports.random.bytes(MESSAGE_ID_BYTES).toString('base64url');
  const headerId = given ?? `<${token}@${settings.hostName}>`;
  const to = [...recipients.values()].map(({ address }) => formatAddress(address));
  const prefix = [
    formatReceived({
      by: settings.hostName,
      protocol: protocolOf(session, smtpUtf8),
      receipt,
      tls: channel.tls,
      // Several recipients share the prefix and must not learn of each other from it.
      recipient: to.length === 1 ? to[0] : undefined,
      at,
    }),
    given === undefined ? `Message-ID: ${headerId}\r\n` : '',
    valueOf(header, 'date') === undefined ? `Date: ${formatDate(at)}\r\n` : '',
    contentFields(header, eightBit),
  ].join('');
  const done = await ports.commands.execute(
    accountId,
    {
      type: 'QueueMessage',
      mailFrom: formatAddress(mailFrom),
      recipients: to.map((recipient) => ({ recipient })),
      body,
      prefix,
      sizeBytes: Buffer.byteLength(prefix) + bodyBytes,
      headerId,
      smtpUtf8,
      eightBit,
    },
    { actor: actorOf(session), ip: channel.remoteIp, cid: receipt },
  );
  return isRefusal(done) ? refusalReply(done) : QUEUED;
}

/** RFC 2045 §5.2 defaults, written out for readers that have others. */
function contentFields(header: Header, eightBit: boolean): string {
  if (valueOf(header, 'content-type') !== undefined) return '';
  const version = valueOf(header, 'mime-version') === undefined ? 'MIME-Version: 1.0\r\n' : '';
  const charset = eightBit ? 'utf-8' : 'us-ascii';
  const encoding =
    eightBit && valueOf(header, 'content-transfer-encoding') === undefined
      ? 'Content-Transfer-Encoding: 8bit\r\n'
      : '';
  return `${version}Content-Type: text/plain; charset=${charset}\r\n${encoding}`;
}
