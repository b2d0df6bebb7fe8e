/**
 * Local mode: an attempt that goes nowhere. The message comes back into the sender's own account,
 * or fails as the recipient's localpart asks.
 *
 * Invariants: outcome, copy and notice are one decision of the account; retries come after 1, 2
 * and 5 seconds, then the failure is final.
 */

import { Buffer } from 'node:buffer';
import { domainToASCII } from 'node:url';
import { parseAddress } from '#domain/values/address';
import { Fault } from '#domain/values/fault';
import type { DeliverMessage } from '#domain/message/decide';
import type { AttemptOutcome } from '#domain/queue/decide';
import type { AttemptReply } from '#domain/queue/events';
import { fixedSchedule } from '#domain/queue/outcome';
import type { QueueRow } from '#projections/account-views';
import { MESSAGE_BYTES_MAX } from '../limits.ts';
import { formatNotice } from '../message/dsn.ts';
import { formatDeliveredTo, formatReturnPath } from '../message/trace.ts';
import type { Bodies, Clock, Log, Random } from '../ports.ts';
import { sleep, type Attempt, type RunnerSettings } from './runner.ts';
import { failureInQueue } from './simulate.ts';

const WAITS_MS = [1_000, 2_000, 5_000] as const;
const schedule = fixedSchedule(WAITS_MS);
/** A client gives up long before the silence that a localpart can ask for is over. */
const PATIENCE_MS = 30_000;
const ATTEMPTS_AT_ONCE = 10;
const TOKEN_BYTES = 16;
/** What a notice quotes of the original. */
const QUOTED_HEADER_BYTES_MAX: number = 64 * 1024;

const DELIVERED: AttemptReply = {
  code: 250,
  enhancedCode: '2.0.0',
  text: 'The message was delivered to its sender.',
};

export interface LocalAttemptPorts {
  readonly bodies: Bodies;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export function localAttempts(hostName: string, ports: LocalAttemptPorts): RunnerSettings {
  const { clock } = ports;
  return {
    attemptsAtOnce: ATTEMPTS_AT_ONCE,
    nextAttemptAt: (attempt) => clock.now() + schedule(attempt, 0),

    async attempt(one, stop) {
      const { mailFrom, recipient } = one.item;
      const failure = failureInQueue(localpartOf(mailFrom), localpartOf(recipient));
      if (failure === undefined) return delivered(hostName, one, ports);
      if (failure === 'timeout') {
        await sleep(clock, PATIENCE_MS, stop);
        if (stop.aborted) return undefined;
        return failed(hostName, one, ports, { code: 0, enhancedCode: '', text: 'No answer.' });
      }
      const enhancedCode = `${Math.floor(failure / 100)}.0.0`;
      const text = 'The localpart asked for this failure.';
      return failed(hostName, one, ports, { code: failure, enhancedCode, text });
    },
  };
}

function localpartOf(address: string): string {
  return parseAddress(address, domainToASCII)?.localpart ?? '';
}

function delivered(
  hostName: string,
  { item }: Attempt,
  { clock }: LocalAttemptPorts,
): AttemptOutcome {
  const { body, mailFrom, recipient } = item;
  const trace = formatDeliveredTo(recipient) + formatReturnPath(mailFrom);
  const copy: DeliverMessage = {
    type: 'DeliverMessage',
    mailbox: 'Inbox',
    message: {
      body,
      prefix: trace + item.prefix,
      sizeBytes: Buffer.byteLength(trace) + item.sizeBytes,
      flags: [],
      receivedAt: clock.now(),
      zoneMinutes: 0,
    },
    arrival: arrival(hostName, mailFrom, recipient, String(item.queueId)),
  };
  return { type: 'delivered', reply: DELIVERED, copy };
}

async function failed(
  hostName: string,
  one: Attempt,
  ports: LocalAttemptPorts,
  reply: AttemptReply,
): Promise<AttemptOutcome> {
  const nextAttemptAt = ports.clock.now() + schedule(one.attempt, 0);
  const permanent = reply.code >= 500 || one.attempt > WAITS_MS.length;
  const outcome = { type: 'failed', reply, permanent, nextAttemptAt } as const;
  // RFC 5321 §6.1: nobody is told about a message from nobody.
  if (!permanent || one.item.mailFrom === '') return outcome;
  try {
    return { ...outcome, notice: await notice(hostName, one, ports, reply) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // The failure is recorded all the same, and can be asked for.
    ports.log.error({ queueId: one.item.queueId, err: error }, 'notice not written');
    return outcome;
  }
}

async function notice(
  hostName: string,
  { accountId, item }: Attempt,
  { bodies, clock, random }: LocalAttemptPorts,
  reply: AttemptReply,
): Promise<DeliverMessage> {
  const at = clock.now();
  const token = random.bytes(TOKEN_BYTES).toString('base64url');
  const octets = formatNotice({
    hostName,
    token,
    at,
    sender: item.mailFrom,
    queuedAt: item.queuedAt,
    headerId: item.headerId,
    utf8: item.smtpUtf8,
    outcome: { type: 'failed' },
    recipients: [{ recipient: item.recipient, reply, lastAttemptAt: at }],
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
    mailbox: 'Inbox',
    message: {
      body: staged.hash,
      prefix,
      sizeBytes: Buffer.byteLength(prefix) + staged.sizeBytes,
      flags: [],
      receivedAt: at,
      zoneMinutes: 0,
    },
    arrival: arrival(hostName, '', item.mailFrom, token),
  };
}

function arrival(
  hostName: string,
  mailFrom: string,
  rcptTo: string,
  receipt: string,
): DeliverMessage['arrival'] {
  return { mailFrom, rcptTo, helo: hostName, ip: '', tls: '', receipt };
}

/** One character per octet; as much as is worth quoting, without the empty line. */
async function originalHeader(
  bodies: Bodies,
  accountId: number,
  { prefix, body }: QueueRow,
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
