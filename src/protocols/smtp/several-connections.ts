/**
 * Sends one message to all its recipients, over as many connections as the server wants: one that
 * limits the transactions of a connection gets the rest over the next.
 *
 * Invariants: each recipient gets exactly one result; there is an end, because the first
 * transaction of a connection is always made and always answers for somebody.
 *
 * RFC 9422 §4 (MAILMAX)
 */

import type { DeliveryResult, RecipientResult } from './client-delivery.ts';
import type { Delivery } from './client-envelope.ts';
import { SmtpClientError } from './client-error.ts';
import type { SmtpClient } from './client-session.ts';

export interface Connections {
  open(): Promise<SmtpClient>;
  /** Logs in, where that is needed. */
  ready?(client: SmtpClient): Promise<void>;
  /** Called once for each that was opened, whatever became of it. */
  leave(client: SmtpClient): void;
}

/** Never rejects for what the server does; no recipients when there was no connection at all. */
export async function deliverOver(
  connections: Connections,
  delivery: Delivery,
): Promise<DeliveryResult> {
  const first = await deliverOnce(connections, delivery);
  const results = [...first.recipients];
  let { failure } = first;
  while (failure?.code === 'LimitReached') {
    const left = [...results.keys()].filter((i) => isLeft(results[i]));
    const recipients = left.flatMap((i) => delivery.recipients[i] ?? []);
    const next = await deliverOnce(connections, { ...delivery, recipients });
    failure = next.failure;
    for (const [n, i] of left.entries()) {
      const result = next.recipients[n] ?? failedBy(failure, results[i]);
      if (result !== undefined) results[i] = result;
    }
  }
  return { recipients: results, failure };
}

function isLeft(result: RecipientResult | undefined): boolean {
  return result?.type === 'failed' && result.error.code === 'LimitReached';
}

/** Nobody could be asked any more. */
function failedBy(
  error: SmtpClientError | undefined,
  before: RecipientResult | undefined,
): RecipientResult | undefined {
  if (error === undefined || before === undefined) return undefined;
  return { type: 'failed', address: before.address, error };
}

async function deliverOnce(
  { open, ready, leave }: Connections,
  delivery: Delivery,
): Promise<DeliveryResult> {
  let client: SmtpClient | undefined;
  try {
    client = await open();
    await ready?.(client);
    return await client.deliver(delivery);
  } catch (failure) {
    if (!(failure instanceof SmtpClientError)) throw failure;
    return { recipients: [], failure };
  } finally {
    if (client !== undefined) leave(client);
  }
}
