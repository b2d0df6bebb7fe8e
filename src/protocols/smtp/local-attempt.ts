/**
 * Local mode: an attempt that goes nowhere. The message comes back into the sender's own account,
 * or fails as the recipient's localpart asks.
 *
 * Invariants: outcome and copy are one decision of the account; retries come after 1, 2 and 5
 * seconds, then the failure is final.
 */

import { Buffer } from 'node:buffer';
import { domainToASCII } from 'node:url';
import type { DeliverMessage } from '#domain/message/decide';
import type { AttemptOutcome } from '#domain/queue/attempts';
import type { AttemptReply } from '#domain/queue/events';
import { fixedSchedule } from '#domain/queue/outcome';
import type { QueueItem } from '#domain/queue/state';
import { parseAddress } from '#domain/values/address';
import type { AccountId } from '#domain/values/ids';
import { INBOX } from '#domain/values/mailbox-name';
import { formatDeliveredTo, formatReturnPath } from '../message/trace.ts';
import type { Bodies, Clock, Directory } from '../ports.ts';
import { sleep } from '../sleep.ts';
import { bounceOf, reportIn } from './bounce.ts';
import type { RunnerSettings } from './runner.ts';
import { failureInQueue } from './simulate.ts';

const WAITS_MS = [1_000, 2_000, 5_000] as const;
/** No chance in it. */
export const localWaits: (attempt: number) => number = (attempt) =>
  fixedSchedule(WAITS_MS)(attempt, 0);
/** A client gives up long before the silence that a localpart can ask for is over. */
const PATIENCE_MS = 30_000;
const ATTEMPTS_AT_ONCE = 10;

/** RFC 3463 §3.2: as a server answers to the recipient. */
const DELIVERED: AttemptReply = {
  code: 250,
  enhancedCode: '2.1.0',
  text: 'The message was delivered to its sender.',
};
const NO_ANSWER: AttemptReply = { code: 0, enhancedCode: '', text: 'No answer.' };

export interface LocalPorts {
  readonly bodies: Pick<Bodies, 'facts' | 'stream'>;
  readonly directory: Pick<Directory, 'separatorsOf'>;
  readonly clock: Clock;
}

export function localAttempts(hostName: string, ports: LocalPorts): RunnerSettings {
  const { clock } = ports;
  return {
    attemptsAtOnce: ATTEMPTS_AT_ONCE,
    // There is one destination, and those that hang are not to keep the others waiting.
    attemptsPerDestination: ATTEMPTS_AT_ONCE,
    itemsPerAttempt: 1,
    attemptsMax: WAITS_MS.length + 1,
    nextAttemptAt: (attempt) => clock.now() + localWaits(attempt),
    transportFor: (_, item) => item.transport,

    async attempt({ accountId, items }, stop) {
      const [item] = items;
      const outcome = await outcomeOf({ hostName, accountId, item }, ports, stop);
      return outcome && { outcomes: new Map([[item.queueId, outcome]]) };
    },
  };
}

/** What is to come back into the account that it is from. */
interface Going {
  readonly hostName: string;
  readonly accountId: AccountId;
  readonly item: QueueItem;
}

async function outcomeOf(
  going: Going,
  ports: LocalPorts,
  stop: AbortSignal,
): Promise<AttemptOutcome | undefined> {
  const { mailFrom, recipient } = going.item;
  const failure = failureInQueue(localpartOf(mailFrom), localpartOf(recipient));
  if (failure === undefined) return delivered(going, ports);
  if (failure === 'timeout') {
    await sleep(ports.clock, PATIENCE_MS, stop);
    return stop.aborted ? undefined : { type: 'failed', reply: NO_ANSWER, permanent: false };
  }
  const enhancedCode = `${Math.floor(failure / 100)}.0.0`;
  const text = 'The localpart asked for this failure.';
  const reply = { code: failure, enhancedCode, text };
  return { type: 'failed', reply, permanent: failure >= 500 };
}

function localpartOf(address: string): string {
  return parseAddress(address, domainToASCII)?.localpart ?? '';
}

async function delivered(
  { hostName, accountId, item }: Going,
  { bodies, directory, clock }: LocalPorts,
): Promise<AttemptOutcome> {
  const { body, mailFrom, recipient } = item;
  const rcptTo = parseAddress(recipient, domainToASCII);
  const report = await reportIn(bodies, accountId, body, bodies.facts(accountId, body));
  const bounce = rcptTo && bounceOf(rcptTo, report, directory);
  const trace = formatDeliveredTo(recipient) + formatReturnPath(mailFrom);
  const copy: DeliverMessage = {
    type: 'DeliverMessage',
    mailbox: INBOX,
    message: {
      body,
      prefix: trace + item.prefix,
      sizeBytes: Buffer.byteLength(trace) + item.sizeBytes,
      flags: [],
      receivedAt: clock.now(),
      zoneMinutes: 0,
    },
    arrival: {
      mailFrom,
      rcptTo: recipient,
      helo: hostName,
      ip: '',
      tls: '',
      receipt: String(item.queueId),
    },
    ...(bounce === undefined ? {} : { bounce }),
  };
  return { type: 'delivered', reply: DELIVERED, copy };
}
