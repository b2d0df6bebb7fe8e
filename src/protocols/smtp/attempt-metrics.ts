/**
 * Counts what attempts do: connections, how hosts are protected, how deliveries end.
 */

import type { Clock } from '../ports.ts';
import type { DeliveryWord, Durations, Metrics } from '../ports-metrics.ts';
import type { DeliveryResult } from './client-delivery.ts';
import { SmtpClientError } from './client-error.ts';
import type { SmtpClient } from './client-session.ts';
import type { Destination, Unreachable } from './destinations.ts';
import type { RemoteHost } from './remote-host.ts';
import type { TlsReason, TlsRequirement } from './tls-requirement.ts';

export interface CountingPorts {
  readonly metrics: Metrics;
  readonly clock: Clock;
}

type DeliveryLabels = Durations['queue_delivery_duration_seconds'];

/** Opens a connection, and counts what came of it. */
export async function countedConnection(
  open: () => Promise<SmtpClient>,
  { metrics }: CountingPorts,
): Promise<SmtpClient> {
  try {
    const client = await open();
    metrics.count('queue_connection_total', { result: 'ok' });
    return client;
  } catch (error) {
    const word = error instanceof SmtpClientError ? WORDS[error.code] : undefined;
    metrics.count('queue_connection_total', { result: word ?? 'error' });
    throw error;
  }
}

const WORDS: Readonly<Partial<Record<SmtpClientError['code'], 'timeout' | 'canceled'>>> = {
  Timeout: 'timeout',
  Cancelled: 'canceled',
};

/** How a delivery to one host ended. */
export function observeDelivery(
  labels: Omit<DeliveryLabels, 'result' | 'attempt'> & { readonly attempt: number },
  startedAt: number,
  result: DeliveryResult,
  { metrics, clock }: CountingPorts,
): void {
  const { attempt, ...others } = labels;
  const all = { ...others, attempt: String(attempt), result: wordOf(result) };
  metrics.observe('queue_delivery_duration_seconds', all, clock.now() - startedAt);
}

function wordOf({ recipients, failure }: DeliveryResult): DeliveryWord {
  const done = recipients.filter(({ type }) => type === 'delivered').length;
  if (done > 0) return done === recipients.length ? 'ok' : 'okpartial';
  const errors = recipients.flatMap((one) => (one.type === 'failed' ? [one.error] : []));
  const error = failure ?? errors[0];
  if (error === undefined) return 'error';
  return WORDS[error.code] ?? (error.permanent ? 'permerror' : 'temperror');
}

export function countDestination(
  destination: Destination | Unreachable,
  { metrics }: CountingPorts,
): void {
  metrics.count('queue_destinations_total', {});
  if (destination.type !== 'hosts') return;
  if (destination.authentic) metrics.count('queue_destinations_authentic_total', {});
}

/** RFC 8689 §5: what would have counted, had the sender not asked to ignore it. */
const IGNORED: Readonly<Partial<Record<TlsReason, 'mtastspolicy' | 'mtastsmx' | 'badtlsa'>>> = {
  'sts-enforce-ignored': 'mtastspolicy',
  'sts-mx-mismatch-ignored': 'mtastsmx',
  'tlsa-lookup-failed-ignored': 'badtlsa',
};

export function countHost(host: RemoteHost | Unreachable, { metrics }: CountingPorts): void {
  if (host.type === 'unreachable') {
    if (host.why === 'tlsa-lookup-failed') {
      metrics.count('queue_destination_dane_gathertlsa_errors_total', {});
    }
    if (host.why === 'requiretls-unmet') {
      metrics.count('queue_requiretls_unsupported_total', { reason: 'nopolicy' });
    }
    return;
  }
  const { reasons } = host.tls;
  if (reasons.includes('dane')) metrics.count('queue_destination_dane_required_total', {});
  if (reasons.includes('dane-unusable')) {
    metrics.count('queue_destination_dane_starttlsunverified_total', {});
  }
  for (const reason of reasons) {
    const ignored = IGNORED[reason];
    if (ignored !== undefined) metrics.count('queue_tlsrequiredno_ignored_total', { ignored });
  }
}

export function tlsModeOf({ mode, reasons }: TlsRequirement): DeliveryLabels['tlsmode'] {
  const begin = mode === 'required' ? 'requiredstarttls' : 'opportunistic';
  const sts = reasons.includes('sts-enforce') ? '+mtasts' : '';
  return `${begin}${sts}${reasons.includes('dane') ? '+dane' : ''}`;
}
