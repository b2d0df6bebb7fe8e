/**
 * What is counted, in the words of Prometheus: every metric with its labels, present at zero from
 * the start, so that the first event is seen as a rise.
 *
 * Invariant: the values of a label are few, and known here; transports come from the configuration.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Instant } from '#domain/values/ids';
import type { QueueCounts } from '#projections/queue-counts';
import type { Clock } from '#protocols/ports';
import type { Counts, DeliveryWord, Durations, HookCode, Metrics } from '#protocols/ports-metrics';

const PREFIX = 'daybook_';

type ValuesOf<Labels> = { readonly [Label in keyof Labels]: readonly Labels[Label][] };

interface CounterFacts<Labels> {
  readonly help: string;
  readonly labels: ValuesOf<Labels>;
}

const HOOK_CODES: Readonly<Record<HookCode, true>> = {
  '200': true,
  '201': true,
  '202': true,
  '204': true,
  '301': true,
  '302': true,
  '303': true,
  '307': true,
  '308': true,
  '400': true,
  '401': true,
  '403': true,
  '404': true,
  '405': true,
  '410': true,
  '413': true,
  '422': true,
  '429': true,
  '500': true,
  '502': true,
  '503': true,
  '504': true,
  '1xx': true,
  '2xx': true,
  '3xx': true,
  '4xx': true,
  '5xx': true,
  error: true,
};

const COUNTERS: { readonly [Name in keyof Counts]: CounterFacts<Counts[Name]> } = {
  queue_connection_total: {
    help: 'Connections to other servers that were tried.',
    labels: { result: ['ok', 'timeout', 'canceled', 'error'] },
  },
  queue_destinations_total: { help: 'Domains that were looked up for mail.', labels: {} },
  queue_destinations_authentic_total: {
    help: 'Domains of which DNSSEC has proven the hosts.',
    labels: {},
  },
  queue_destination_dane_required_total: {
    help: 'Hosts that had to match DANE records.',
    labels: {},
  },
  queue_destination_dane_starttlsunverified_total: {
    help: 'Hosts with DANE records of which none could be used.',
    labels: {},
  },
  queue_destination_dane_gathertlsa_errors_total: {
    help: 'Hosts whose DANE records could not be looked up.',
    labels: {},
  },
  queue_tlsrequiredno_ignored_total: {
    help: 'What was ignored because the sender asked for it.',
    labels: { ignored: ['mtastspolicy', 'mtastsmx', 'badtls', 'badtlsa'] },
  },
  queue_requiretls_unsupported_total: {
    help: 'Hosts that could not take mail that requires TLS.',
    labels: { reason: ['nopolicy', 'norequiretls'] },
  },
  queue_plaintext_fallback_total: {
    help: 'Connections that went on without TLS after it had failed.',
    labels: {},
  },
  queue_dmarcreport_failure_total: {
    help: 'Reports about DMARC that could not be delivered.',
    labels: {},
  },
  webhook_results_total: {
    help: 'What came of webhook calls: HTTP status, or error when there was none.',
    labels: { code: Object.keys(HOOK_CODES) as HookCode[] },
  },
};

const HOOK_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30];
const DELIVERY_BUCKETS = [...HOOK_BUCKETS, 60, 120];
const DELIVERY_WORDS: Readonly<Record<DeliveryWord, true>> = {
  ok: true,
  okpartial: true,
  timeout: true,
  canceled: true,
  temperror: true,
  permerror: true,
  error: true,
};

export interface MetricsOptions {
  /** Names of those that are configured. */
  readonly transports: readonly string[];
  /** Asked for whenever somebody reads the metrics. */
  readonly queue: (now: Instant) => QueueCounts;
  /** How many webhooks wait, asked for in the same way. */
  readonly webhooks: () => number;
  /** Whether delivery is paused. */
  readonly isPaused: () => boolean;
  readonly clock: Clock;
}

export interface OpenMetrics extends Metrics {
  readonly contentType: string;
  /** All of them, in the text format. */
  text(): Promise<string>;
}

export function openMetrics(options: MetricsOptions): OpenMetrics {
  const { transports, queue, webhooks, isPaused, clock } = options;
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  for (const [name, { help, labels }] of Object.entries(COUNTERS)) {
    counters.set(name, counterOf(registry, name, help, labels));
  }
  const histograms: { readonly [Name in keyof Durations]: Histogram } = {
    queue_delivery_duration_seconds: deliveryHistogram(registry, transports),
    webhook_request_duration_seconds: hookHistogram(registry),
  };
  addGauges(registry, queue, clock);
  addPauseGauge(registry, isPaused);
  addHookGauge(registry, webhooks);
  return {
    contentType: registry.contentType,
    count: (name, labels) => counters.get(name)?.inc({ ...labels }),
    observe: (name, labels, ms) => histograms[name].observe({ ...labels }, ms / 1000),
    text: () => registry.metrics(),
  };
}

function counterOf(
  registry: Registry,
  name: string,
  help: string,
  labels: Readonly<Record<string, readonly string[]>>,
): Counter {
  const counter = new Counter({
    name: `${PREFIX}${name}`,
    help,
    labelNames: Object.keys(labels),
    registers: [registry],
  });
  for (const [label, values] of Object.entries(labels)) {
    for (const value of values) counter.inc({ [label]: value }, 0);
  }
  return counter;
}

/** Each value of each label is there with the usual ones of the others. */
function deliveryHistogram(registry: Registry, transports: readonly string[]): Histogram {
  const name: keyof Durations = 'queue_delivery_duration_seconds';
  const histogram = new Histogram({
    name: `${PREFIX}${name}`,
    help: 'How long it took to give mail to a host, or to learn that it would not take it.',
    labelNames: ['attempt', 'transport', 'tlsmode', 'result'],
    buckets: DELIVERY_BUCKETS,
    registers: [registry],
  });
  const tlsmode = 'opportunistic';
  for (const result of Object.keys(DELIVERY_WORDS)) {
    for (const transport of ['', ...transports]) {
      histogram.zero({ attempt: '1', transport, tlsmode, result });
    }
  }
  return histogram;
}

function hookHistogram(registry: Registry): Histogram {
  const name: keyof Durations = 'webhook_request_duration_seconds';
  return new Histogram({
    name: `${PREFIX}${name}`,
    help: 'How long webhook calls took.',
    buckets: HOOK_BUCKETS,
    registers: [registry],
  });
}

function addHookGauge(registry: Registry, webhooks: () => number): void {
  const gauge: Gauge = new Gauge({
    name: `${PREFIX}webhook_queue_length`,
    help: 'Webhooks that wait to be called.',
    registers: [registry],
    collect: (): void => gauge.set(webhooks()),
  });
}

function addPauseGauge(registry: Registry, isPaused: () => boolean): void {
  const gauge: Gauge = new Gauge({
    name: `${PREFIX}queue_paused`,
    help: '1 while delivery is paused.',
    registers: [registry],
    collect: (): void => gauge.set(isPaused() ? 1 : 0),
  });
}

function addGauges(registry: Registry, queue: MetricsOptions['queue'], clock: Clock): void {
  const gauges: readonly (readonly [
    string,
    string,
    (counts: QueueCounts, now: Instant) => number,
  ])[] = [
    ['queue_length', 'Recipients that outgoing mail waits for.', ({ length }) => length],
    ['queue_due', 'Of these, those whose time has come.', ({ due }) => due],
    ['queue_hold', 'Of these, those that are held.', ({ held }) => held],
    [
      'queue_oldest_due_seconds',
      'How long mail has been due at most.',
      ({ oldestDueAt }, now) => (now - (oldestDueAt ?? now)) / 1000,
    ],
  ];
  for (const [name, help, valueOf] of gauges) {
    const gauge: Gauge = new Gauge({
      name: `${PREFIX}${name}`,
      help,
      registers: [registry],
      collect: (): void => {
        const now = clock.now();
        gauge.set(valueOf(queue(now), now));
      },
    });
  }
}
