/**
 * Mail from strangers: stored once, linked into every account it is for, delivered to each
 * recipient, and only then acknowledged.
 *
 * Invariants: at 250 every delivery is durable (RFC 5321 §6.1); when we cannot say that of all of
 * them the sender is asked to repeat: a second copy is acceptable, a loss is not. Recipients of one
 * account get a copy each, members of an alias one (`copies.ts`). Mail with a recipient that is
 * refused is not delivered to the others: nothing is known of the sender here, so no notice can be
 * sent to it, and it is asked to repeat.
 */

import { Buffer } from 'node:buffer';
import type { Addressee } from '#domain/directory/mail-targets';
import { formatAddress, type Address } from '#domain/values/address';
import { isRefusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, Instant } from '#domain/values/ids';
import { SMTP_COPIES_AT_ONCE, SMTP_RECEIVED_FIELDS_MAX, SMTP_UNKNOWN_MS } from '../limits.ts';
import type { DeliveryReport } from '../message/dsn-read.ts';
import { readHeader, withoutFields } from '../message/header.ts';
import { formatDeliveredTo, formatReceived, formatReturnPath } from '../message/trace.ts';
import type { StagedBody } from '../ports.ts';
import { inPortions } from '../portions.ts';
import { claimedSender, isClosedTo, knownSender, watched } from './alias-senders.ts';
import { bounceOf, reportIn } from './bounce.ts';
import { copiesFor, recipientReply, type CopyOutcome, type RecipientCopies } from './copies.ts';
import { isForgedResult } from './forged-results.ts';
import type { Head, IncomingData } from './incoming.ts';
import {
  combinedReply,
  faultReply,
  LOOP,
  MEMBERS_ONLY,
  OUR_FAULT,
  refusalReply,
  reply,
  UNKNOWN_ADDRESS,
  type Reply,
} from './reply.ts';
import {
  actorOf,
  askedFailure,
  protocolOf,
  type Recipient,
  type Session,
  type Transaction,
} from './session.ts';
import type { EarlierCopies } from './split-mail.ts';
import { isMembersOnly, targetOf } from './targets.ts';

const TAKEN = reply(250, '2.0.0', 'The message is delivered.');
const SOME_REFUSED = reply(451, '4.3.0', 'Please send to one recipient at a time.');

/** A copy of a message. */
interface Delivery extends Addressee {
  readonly rcptTo: Address;
}

/** What became of it. */
interface CopyDelivery {
  readonly of: RecipientCopies;
  readonly accountId: AccountId;
  readonly outcome: CopyOutcome;
}

/** A message that is stored. */
interface StoredMail {
  readonly staged: StagedBody;
  /** What it reports, if it is a report. */
  readonly report: DeliveryReport | undefined;
}

export async function receive(
  session: Session,
  transaction: Transaction,
  incoming: IncomingData,
): Promise<Reply> {
  const refusal = await refused(session, transaction, incoming);
  if (refusal !== undefined) return refusal;
  const unknown = unknownReply([...transaction.recipients.values()]);
  if (unknown !== undefined) {
    await incoming.drain();
    if (unknown === UNKNOWN_ADDRESS) await session.channel.pause(SMTP_UNKNOWN_MS);
    return unknown;
  }
  const { ports, splitMail } = session;
  await ports.bodies.requireRoom();
  const head = await incoming.head();
  const claimed = claimedSender(session, transaction, head);
  const start = genuineStart(session, head);
  const octets =
    start === head.octets ? incoming.octets() : incoming.octetsBehind(start, head.octets.length);
  const staged = await ports.bodies.stage(
    watched(claimed, octets, start.length),
    session.settings.messageBytesMax,
  );
  try {
    const sender = await knownSender(claimed);
    const recipients = recipientsNow(session, transaction);
    const gone = unknownReply(recipients);
    if (gone !== undefined) return gone;
    if (isClosedTo(sender, recipients)) return MEMBERS_ONLY;
    const earlier = splitMail.copiesOf(staged.hash, ports.clock.now());
    const copies = copiesFor(recipients, sender.accounts, earlier);
    const outcomes = await deliverToAll(session, transaction, copies, staged);
    const way = wayOf(recipients, transaction);
    const taken = outcomes.filter(({ outcome }) => outcome.type === 'taken');
    const accounts = taken.map(({ accountId }) => accountId);
    if (way !== undefined) splitMail.remember(staged.hash, way, accounts, ports.clock.now());
    return replyTo(copies, outcomes);
  } finally {
    await staged.discard();
  }
}

/** The header without what others say in our name. */
function genuineStart({ settings }: Session, { octets }: Head): Buffer {
  const text = octets.toString('latin1');
  // Few messages have any: the others need not be taken apart.
  if (!/^authentication-results/im.test(text)) return octets;
  const header = readHeader(text);
  const genuine = withoutFields(header, (field) =>
    isForgedResult(header, field, settings.hostName),
  );
  return Buffer.from(genuine, 'latin1');
}

/** What stands against a message before it is stored; the same for mail of our users. */
export async function refused(
  session: Session,
  { recipients }: Transaction,
  incoming: IncomingData,
): Promise<Reply | undefined> {
  const { octets } = await incoming.head();
  // RFC 5321 §6.3
  const received = octets.toString('latin1').match(/^received[ \t]*:/gim);
  if ((received?.length ?? 0) > SMTP_RECEIVED_FIELDS_MAX) return LOOP;
  for (const { address } of recipients.values()) {
    const failure = await askedFailure(session, address.localpart, 'data');
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Undefined when all of them are known. */
function unknownReply(recipients: readonly Recipient[]): Reply | undefined {
  const isUnknown = ({ target }: Recipient): boolean =>
    target.type === 'unknown-domain' || target.type === 'unknown-address';
  if (!recipients.some(isUnknown)) return undefined;
  return recipients.every(isUnknown) ? UNKNOWN_ADDRESS : SOME_REFUSED;
}

/** Accounts and members may have gone, or come, while the message came. */
function recipientsNow(
  { ports, settings }: Session,
  { recipients }: Transaction,
): readonly Recipient[] {
  return Array.from(recipients.values(), ({ address }) => ({
    address,
    target: targetOf(ports.directory, address, settings.hostName),
  }));
}

/** One append for each copy; those of different accounts wait for the same fsync. */
async function deliverToAll(
  session: Session,
  transaction: Transaction,
  copies: readonly RecipientCopies[],
  staged: StagedBody,
): Promise<readonly CopyDelivery[]> {
  const { bodies } = session.ports;
  const deliveries = copies.flatMap((of) =>
    of.to.map((addressee) => ({ of, delivery: { rcptTo: of.rcptTo, ...addressee } })),
  );
  const accounts = [...new Set(deliveries.map(({ delivery }) => delivery.accountId))];
  await inPortions(accounts, SMTP_COPIES_AT_ONCE, (accountId) => bodies.link(staged, accountId));
  const [first] = accounts;
  const report = first && (await reportIn(bodies, first, staged.hash, staged.facts));
  return await inPortions(deliveries, SMTP_COPIES_AT_ONCE, async ({ of, delivery }) => ({
    of,
    accountId: delivery.accountId,
    outcome: await deliver(session, transaction, delivery, { staged, report }),
  }));
}

function replyTo(copies: readonly RecipientCopies[], outcomes: readonly CopyDelivery[]): Reply {
  const outcomesOf = Map.groupBy(outcomes, ({ of }) => of);
  const answers = copies.map((one) =>
    recipientReply(one, outcomesOf.get(one)?.map(({ outcome }) => outcome) ?? []),
  );
  const replies = answers.filter((answer) => answer !== undefined);
  if (replies.length === 0) return TAKEN;
  // Some have it: the sender may repeat, but must not lose it for the others.
  return replies.length < answers.length ? OUR_FAULT : combinedReply(replies);
}

/** How the copies came, if others of the same message may come in other transactions. */
function wayOf(
  recipients: readonly Recipient[],
  { isSplit }: Transaction,
): keyof EarlierCopies | undefined {
  if (recipients.some(({ target }) => isMembersOnly(target))) return 'closed';
  return isSplit ? 'other' : undefined;
}

/** Taken is durable. */
async function deliver(
  session: Session,
  transaction: Transaction,
  { accountId, mailbox, rcptTo }: Delivery,
  { staged, report }: StoredMail,
): Promise<CopyOutcome> {
  const { ports, channel, receipt, helo = '' } = session;
  const at = ports.clock.now();
  const mailFrom = formatAddress(transaction.mailFrom);
  const recipient = formatAddress(rcptTo);
  const prefix = traceFields(session, transaction, recipient, at);
  const tls = channel.tls?.version ?? '';
  const bounce = bounceOf(rcptTo, report, ports.directory);
  try {
    const done = await ports.commands.execute(
      accountId,
      {
        type: 'DeliverMessage',
        mailbox,
        message: {
          body: staged.hash,
          prefix,
          sizeBytes: Buffer.byteLength(prefix) + staged.sizeBytes,
          flags: [],
          receivedAt: at,
          zoneMinutes: 0,
        },
        arrival: { mailFrom, rcptTo: recipient, helo, ip: channel.remoteIp, tls, receipt },
        ...(bounce === undefined ? {} : { bounce }),
      },
      { actor: actorOf(session), ip: channel.remoteIp, cid: receipt },
    );
    if (!isRefusal(done)) return { type: 'taken' };
    ports.log.info({ receipt, accountId, refused: done.refused }, 'message refused');
    return { type: 'refused', reply: refusalReply(done) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    ports.log.error({ receipt, accountId, err: error }, 'message not delivered');
    return { type: 'failed', reply: faultReply(error) };
  }
}

function traceFields(
  session: Session,
  { mailFrom, smtpUtf8, requireTls }: Transaction,
  recipient: string,
  at: Instant,
): string {
  const { settings, channel, receipt, helo = '' } = session;
  return [
    formatDeliveredTo(recipient),
    formatReturnPath(formatAddress(mailFrom)),
    formatReceived({
      helo,
      ip: channel.remoteIp,
      by: settings.hostName,
      localIp: channel.localIp,
      protocol: protocolOf(session, smtpUtf8),
      receipt,
      tls: channel.tls,
      requireTls,
      recipient,
      at,
    }),
  ].join('');
}
