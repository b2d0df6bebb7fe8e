/**
 * A queued message as the SMTP client wants it.
 */

import { Buffer } from 'node:buffer';
import type { QueueItem } from '#domain/queue/state';
import type { AccountId } from '#domain/values/ids';
import type { Bodies, Clock, Log, Random } from '../ports.ts';
import type { Metrics } from '../ports-metrics.ts';
import type { Delivery } from './client-envelope.ts';

export interface SendingPorts {
  readonly bodies: Bodies;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What we call ourselves. */
  readonly hostName: string;
}

/** So much is read at once; more comes in pieces. */
const WHOLE_BYTES_MAX: number = 256 * 1024;

/** One transaction for items of the same message; they are in the same order as its recipients. */
export function deliveryOf(
  accountId: AccountId,
  items: readonly [QueueItem, ...QueueItem[]],
  { bodies }: Pick<SendingPorts, 'bodies'>,
  signal: AbortSignal,
): Delivery {
  const [first] = items;
  const { mailFrom, prefix, smtpUtf8, requireTls, envelopeId } = first;
  return {
    mailFrom,
    recipients: items.map(({ recipient }) => ({
      address: recipient,
      ...(envelopeId === undefined ? {} : { originalRecipient: recipient }),
    })),
    prefix: Buffer.from(prefix, 'utf8'),
    body: () => octetsOf(accountId, first, bodies),
    smtpUtf8,
    requireTls: requireTls === true,
    ...(envelopeId === undefined ? {} : { dsn: { envelopeId } }),
    signal,
  };
}

/** It is looked at before it is sent: what is small is not opened twice. */
async function* octetsOf(
  accountId: AccountId,
  { body, sizeBytes }: QueueItem,
  bodies: Bodies,
): AsyncGenerator<Buffer> {
  const whole = sizeBytes > WHOLE_BYTES_MAX ? undefined : bodies.read(accountId, body);
  if (whole === undefined) yield* bodies.stream(accountId, body);
  else yield whole;
}
