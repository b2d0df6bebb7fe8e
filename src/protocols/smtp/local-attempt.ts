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
import { INBOX } from '#domain/values/mailbox-name';
import { formatDeliveredTo, formatReturnPath } from '../message/trace.ts';
import type { Clock } from '../ports.ts';
import { sleep, type RunnerSettings } from './runner.ts';
import { failureInQueue } from './simulate.ts';

const WAITS_MS = [1_000, 2_000, 5_000] as const;
/** No chance in it. */
export const localWaits: (attempt: number) => number = (attempt) =>
  fixedSchedule(WAITS_MS)(attempt, 0);
/** A client gives up long before the silence that a localpart can ask for is over. */
const PATIENCE_MS = 30_000;
const ATTEMPTS_AT_ONCE = 10;

const DELIVERED: AttemptReply = {
  code: 250,
  enhancedCode: '2.0.0',
  text: 'The message was delivered to its sender.',
};
const NO_ANSWER: AttemptReply = { code: 0, enhancedCode: '', text: 'No answer.' };

export function localAttempts(hostName: string, clock: Clock): RunnerSettings {
  return {
    attemptsAtOnce: ATTEMPTS_AT_ONCE,
    // There is one destination, and those that hang are not to keep the others waiting.
    attemptsPerDestination: ATTEMPTS_AT_ONCE,
    itemsPerAttempt: 1,
    attemptsMax: WAITS_MS.length + 1,
    nextAttemptAt: (attempt) => clock.now() + localWaits(attempt),
    transportFor: (_, item) => item.transport,

    async attempt({ items }, stop) {
      const [item] = items;
      const outcome = await outcomeOf(hostName, item, clock, stop);
      return outcome && { outcomes: new Map([[item.queueId, outcome]]) };
    },
  };
}

async function outcomeOf(
  hostName: string,
  item: QueueItem,
  clock: Clock,
  stop: AbortSignal,
): Promise<AttemptOutcome | undefined> {
  const failure = failureInQueue(localpartOf(item.mailFrom), localpartOf(item.recipient));
  if (failure === undefined) return delivered(hostName, item, clock);
  if (failure === 'timeout') {
    await sleep(clock, PATIENCE_MS, stop);
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

function delivered(hostName: string, item: QueueItem, clock: Clock): AttemptOutcome {
  const { body, mailFrom, recipient } = item;
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
  };
  return { type: 'delivered', reply: DELIVERED, copy };
}
