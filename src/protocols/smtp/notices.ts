/**
 * Tells senders what became of their mail: failure and delay notices, written and put beside the
 * other bodies of the account before the outcome is recorded together with their delivery.
 *
 * Invariants: a notice is put into a mailbox and never queued, so that it can neither fail nor be
 * answered in its turn: there is no loop. Nobody but the postmaster is told about a message from
 * nobody (RFC 5321 §6.1). A notice that cannot be written does not keep an outcome from being
 * recorded. Whose concern what is: docs/adr/0027-notices.md.
 */

import { Buffer } from 'node:buffer';
import type { DeliverMessage } from '#domain/message/decide';
import { endsItem, type AttemptOutcome, type Notices } from '#domain/queue/attempts';
import type { AttemptReply } from '#domain/queue/events';
import { DELAY_TOLD_AFTER } from '#domain/queue/outcome';
import type { QueueItem } from '#domain/queue/state';
import { INBOX } from '#domain/values/mailbox-name';
import { isRefusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, Instant } from '#domain/values/ids';
import { MESSAGE_BYTES_MAX } from '../limits.ts';
import { formatNotice, type NoticeOutcome } from '../message/dsn.ts';
import { formatDeliveredTo, formatReturnPath } from '../message/trace.ts';
import type { Bodies, Clock, Commands, Log, Random } from '../ports.ts';
import type { Metrics } from '../ports-metrics.ts';
import { wireAddress } from './client-envelope.ts';

const TOKEN_BYTES = 16;
/** What a notice quotes of the original. */
const QUOTED_HEADER_BYTES_MAX: number = 64 * 1024;

/** Below the postmaster's Inbox: what becomes of our reports is looked for, and disturbs nobody. */
const REPORT_MAILBOXES: Readonly<Record<'dmarc' | 'tls', string>> = {
  dmarc: `${INBOX}/dmarc`,
  tls: `${INBOX}/tlsrpt`,
};

const CAUSE = { actor: 'system:queue' } as const;

const CANCELED: AttemptReply = {
  code: 0,
  enhancedCode: '',
  text: 'delivery canceled by admin',
};
const SUPPRESSED: AttemptReply = {
  code: 0,
  enhancedCode: '',
  text: 'the address is on the suppression list',
};

/** Whose concern notices are. */
export interface NoticePlaces {
  /** Undefined while there is no account at all. */
  readonly postmaster: () => AccountId | undefined;
  readonly hasAccount: (accountId: AccountId) => boolean;
}

export interface NoticePorts {
  readonly bodies: Bodies;
  /** Delivers what is not for the account of the item. */
  readonly commands: Commands;
  readonly places: NoticePlaces;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface NoticeWriter {
  /** What the sender is told if an attempt ends so. */
  ofOutcome(
    accountId: AccountId,
    item: QueueItem,
    outcome: Exclude<AttemptOutcome, { readonly type: 'delivered' }>,
    attemptsMax: number,
  ): Promise<{ readonly notices?: Notices }>;
  /** What the sender is told when an administrator ends the item. */
  ofCancel(accountId: AccountId, item: QueueItem): Promise<{ readonly notice?: DeliverMessage }>;
}

/** `waitAfter` is the schedule without chance: milliseconds after the attempt of a number. */
export function noticeWriter(
  hostName: string,
  waitAfter: (attempt: number) => number,
  ports: NoticePorts,
): NoticeWriter {
  const write = (about: Omit<About, 'hostName'>): Promise<DeliverMessage | undefined> =>
    writeNotice({ hostName, ...about }, ports);
  const writeFailed = (
    about: Pick<About, 'accountId' | 'item' | 'reply' | 'remote'>,
  ): Promise<DeliverMessage | undefined> => {
    const { item } = about;
    const ends = item.report === 'dmarc' && item.canceling !== 'drop';
    if (ends) ports.metrics.count('queue_dmarcreport_failure_total', {});
    return write({ ...about, outcome: { type: 'failed' } });
  };
  return {
    async ofOutcome(accountId, item, outcome, attemptsMax) {
      const reply = outcome.type === 'suppressed' ? SUPPRESSED : outcome.reply;
      const about = { accountId, item, reply, remote: outcome.remote };
      if (endsItem(item, outcome, attemptsMax)) {
        const failed = await writeFailed(about);
        return failed === undefined ? {} : { notices: { failed } };
      }
      if (item.attempts !== DELAY_TOLD_AFTER || item.report !== undefined) return {};
      const nextAttemptsAt = attemptsLeft(item, attemptsMax, waitAfter);
      const delayed = await write({ ...about, outcome: { type: 'delayed', nextAttemptsAt } });
      return delayed === undefined ? {} : { notices: { delayed } };
    },
    async ofCancel(accountId, item) {
      const about = { accountId, item, reply: CANCELED, remote: undefined };
      const notice = await writeFailed(about);
      return notice === undefined ? {} : { notice };
    },
  };
}

/** When it will be tried again if nothing changes, the next attempt first. */
function attemptsLeft(
  item: QueueItem,
  attemptsMax: number,
  waitAfter: (attempt: number) => number,
): readonly [number, ...number[]] {
  const times: [number, ...number[]] = [item.nextAttemptAt];
  let at = item.nextAttemptAt;
  for (let made = item.attempts + 1; made < (item.attemptsMax ?? attemptsMax); made++) {
    at += waitAfter(made);
    times.push(at);
  }
  return times;
}

interface About {
  readonly hostName: string;
  readonly accountId: AccountId;
  readonly item: QueueItem;
  readonly reply: AttemptReply;
  readonly outcome: NoticeOutcome;
  readonly remote: AttemptOutcome['remote'];
}

/** Where a notice goes. */
interface Place {
  readonly accountId: AccountId;
  readonly mailbox: string;
  readonly isReport: boolean;
}

/** Undefined: nobody is told. */
function placeFor(accountId: AccountId, item: QueueItem, places: NoticePlaces): Place | undefined {
  const postmaster = places.postmaster() ?? accountId;
  if (item.report !== undefined) {
    return { accountId: postmaster, mailbox: REPORT_MAILBOXES[item.report], isReport: true };
  }
  const owner = places.hasAccount(accountId) ? accountId : postmaster;
  // RFC 5321 §6.1: nothing is sent to nobody, but the postmaster may be told within the system.
  if (item.mailFrom === '' && owner !== postmaster) return undefined;
  return { accountId: owner, mailbox: INBOX, isReport: false };
}

/** The notice for the account of the item; what is for another account is delivered there. */
async function writeNotice(about: About, ports: NoticePorts): Promise<DeliverMessage | undefined> {
  const { accountId, item } = about;
  const { queueId } = item;
  const { commands, places, log } = ports;
  const place = placeFor(accountId, item, places);
  if (place === undefined) return undefined;
  try {
    const notice = await storedNotice(about, place, ports);
    if (place.accountId === accountId) return notice;
    const done = await commands.execute(place.accountId, notice, CAUSE);
    if (isRefusal(done)) log.error({ queueId, refused: done.refused }, 'notice refused');
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    log.error({ queueId, err: error }, 'notice not written');
    return undefined;
  }
}

async function storedNotice(
  about: About,
  { accountId, mailbox, isReport }: Place,
  ports: NoticePorts,
): Promise<DeliverMessage> {
  const { hostName, item } = about;
  const { bodies, clock, random } = ports;
  const at = clock.now();
  const token = random.bytes(TOKEN_BYTES).toString('base64url');
  const octets = await noticeOctets(about, at, token, bodies);
  const staged = await bodies.stage(once(octets), MESSAGE_BYTES_MAX);
  try {
    await bodies.link(staged, accountId);
  } finally {
    await staged.discard();
  }
  const postmaster = `postmaster@${hostName}`;
  const sender = item.mailFrom === '' ? postmaster : item.mailFrom;
  const prefix = formatReturnPath(postmaster) + formatDeliveredTo(sender);
  return {
    type: 'DeliverMessage',
    mailbox,
    makeMailbox: isReport,
    mayExceedQuota: true,
    message: {
      body: staged.hash,
      prefix,
      sizeBytes: Buffer.byteLength(prefix) + staged.sizeBytes,
      flags: isReport ? ['\\Seen'] : [],
      receivedAt: at,
      zoneMinutes: 0,
    },
    arrival: {
      mailFrom: '',
      rcptTo: item.mailFrom,
      helo: hostName,
      ip: '',
      tls: '',
      receipt: token,
    },
    isSilent: true,
  };
}

async function noticeOctets(
  { hostName, accountId, item, reply, outcome, remote }: About,
  at: Instant,
  token: string,
  bodies: Bodies,
): Promise<Buffer> {
  const lastAttemptAt = item.lastAttemptAt ?? at;
  return formatNotice({
    hostName,
    token,
    at,
    sender: item.mailFrom,
    queuedAt: item.queuedAt,
    headerId: item.headerId,
    ...(item.futureRelease === undefined ? {} : { futureRelease: item.futureRelease }),
    utf8: item.smtpUtf8 || wireAddress(item.recipient)?.needsSmtpUtf8 === true,
    outcome,
    recipients: [
      {
        recipient: item.recipient,
        reply,
        ...(remote === undefined ? {} : { remote }),
        lastAttemptAt,
      },
    ],
    originalHeader: await originalHeader(bodies, accountId, item),
  });
}

/** One character per octet; as much as is worth quoting, without the empty line. */
async function originalHeader(
  bodies: Bodies,
  accountId: AccountId,
  { prefix, body }: QueueItem,
): Promise<string> {
  let text = Buffer.from(prefix, 'utf8').toString('latin1');
  try {
    for await (const chunk of bodies.stream(accountId, body)) {
      text += (chunk as Buffer).toString('latin1');
      if (text.includes('\r\n\r\n') || text.length > QUOTED_HEADER_BYTES_MAX) break;
    }
  } catch (error) {
    // A body that is gone has nothing to quote.
    if (!(error instanceof Fault) || error.code !== 'BodyMissing') throw error;
  }
  const end = text.indexOf('\r\n\r\n');
  return end < 0 ? text.slice(0, QUOTED_HEADER_BYTES_MAX) : text.slice(0, end + 2);
}

async function* once(octets: Buffer): AsyncGenerator<Buffer> {
  yield octets;
}
