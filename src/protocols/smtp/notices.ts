/**
 * Tells senders what became of their mail: failure and delay notices, written and put beside the
 * other bodies of the account before the outcome is recorded together with their delivery.
 *
 * Invariants: nobody is told about a message from nobody (RFC 5321 §6.1); a notice that cannot be
 * written does not keep an outcome from being recorded.
 */

import { Buffer } from 'node:buffer';
import type { DeliverMessage } from '#domain/message/decide';
import { endsItem, type AttemptOutcome, type Notices } from '#domain/queue/attempts';
import type { AttemptReply } from '#domain/queue/events';
import { DELAY_TOLD_AFTER } from '#domain/queue/outcome';
import type { QueueItem } from '#domain/queue/state';
import { INBOX } from '#domain/values/mailbox-name';
import { Fault } from '#domain/values/fault';
import type { AccountId } from '#domain/values/ids';
import { MESSAGE_BYTES_MAX } from '../limits.ts';
import { formatNotice, type NoticeOutcome } from '../message/dsn.ts';
import { formatDeliveredTo, formatReturnPath } from '../message/trace.ts';
import type { Bodies, Clock, Log, Random } from '../ports.ts';

const TOKEN_BYTES = 16;
/** What a notice quotes of the original. */
const QUOTED_HEADER_BYTES_MAX: number = 64 * 1024;

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

export interface NoticePorts {
  readonly bodies: Bodies;
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
  const write = (
    accountId: AccountId,
    item: QueueItem,
    reply: AttemptReply,
    outcome: NoticeOutcome,
    remote: AttemptOutcome['remote'],
  ): Promise<DeliverMessage | undefined> =>
    writeNotice({ hostName, accountId, item, reply, outcome, remote }, ports);
  return {
    async ofOutcome(accountId, item, outcome, attemptsMax) {
      const reply = outcome.type === 'suppressed' ? SUPPRESSED : outcome.reply;
      if (endsItem(item, outcome, attemptsMax)) {
        const failed = await write(accountId, item, reply, { type: 'failed' }, outcome.remote);
        return failed === undefined ? {} : { notices: { failed } };
      }
      if (item.attempts !== DELAY_TOLD_AFTER) return {};
      const nextAttemptsAt = attemptsLeft(item, attemptsMax, waitAfter);
      const about = { type: 'delayed', nextAttemptsAt } as const;
      const delayed = await write(accountId, item, reply, about, outcome.remote);
      return delayed === undefined ? {} : { notices: { delayed } };
    },
    async ofCancel(accountId, item) {
      const notice = await write(accountId, item, CANCELED, { type: 'failed' }, undefined);
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

async function writeNotice(about: About, ports: NoticePorts): Promise<DeliverMessage | undefined> {
  if (about.item.mailFrom === '') return undefined;
  try {
    return await storedNotice(about, ports);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    ports.log.error({ queueId: about.item.queueId, err: error }, 'notice not written');
    return undefined;
  }
}

async function storedNotice(
  { hostName, accountId, item, reply, outcome, remote }: About,
  { bodies, clock, random }: NoticePorts,
): Promise<DeliverMessage> {
  const at = clock.now();
  const token = random.bytes(TOKEN_BYTES).toString('base64url');
  const lastAttemptAt = item.lastAttemptAt ?? at;
  const octets = formatNotice({
    hostName,
    token,
    at,
    sender: item.mailFrom,
    queuedAt: item.queuedAt,
    headerId: item.headerId,
    ...(item.futureRelease === undefined ? {} : { futureRelease: item.futureRelease }),
    utf8: item.smtpUtf8,
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
  const staged = await bodies.stage(once(octets), MESSAGE_BYTES_MAX);
  try {
    await bodies.link(staged, accountId);
  } finally {
    await staged.discard();
  }
  const prefix = formatReturnPath('') + formatDeliveredTo(item.mailFrom);
  return {
    type: 'DeliverMessage',
    mailbox: INBOX,
    message: {
      body: staged.hash,
      prefix,
      sizeBytes: Buffer.byteLength(prefix) + staged.sizeBytes,
      flags: [],
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
  };
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
