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

/** One transaction for items of the same message; they are in the same order as its recipients. */
export function deliveryOf(
  accountId: AccountId,
  items: readonly [QueueItem, ...QueueItem[]],
  { bodies }: Pick<SendingPorts, 'bodies'>,
  signal: AbortSignal,
): Delivery {
  const [{ mailFrom, prefix, body, smtpUtf8, requireTls, envelopeId }] = items;
  return {
    mailFrom,
    recipients: items.map(({ recipient }) => ({
      address: recipient,
      ...(envelopeId === undefined ? {} : { originalRecipient: recipient }),
    })),
    prefix: Buffer.from(prefix, 'utf8'),
    body: () => bodies.stream(accountId, body),
    smtpUtf8,
    requireTls: requireTls === true,
    ...(envelopeId === undefined ? {} : { dsn: { envelopeId } }),
    signal,
  };
}
