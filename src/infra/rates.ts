/**
 * How often a source may connect and fail to log in, counted for its address and for the two
 * networks around it, so that one machine with many addresses is still one source.
 *
 * Invariants: memory is bounded whatever comes in: counts go with their window, and the oldest go
 * first when there are too many.
 */

import { isIPv4, isIPv6 } from 'node:net';
import type { Clock, Rates } from '#protocols/ports';

/** What an address and the networks around it (/32, /26, /21; IPv6 /64, /48, /32) may do. */
type Limits = readonly [narrow: number, middle: number, wide: number];

const CONNECTIONS_PER_MINUTE: Limits = [300, 900, 2700];
const CONNECTIONS_AT_ONCE: Limits = [30, 90, 270];
const FAILURES_PER_MINUTE: Limits = [10, 30, 90];
const FAILURES_PER_DAY: Limits = [50, 150, 450];

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const KEYS_MAX = 100_000;

export interface RatesOptions {
  readonly clock: Clock;
  /** Nothing is counted, everything is allowed. */
  readonly off?: boolean;
}

export function openRates(options: RatesOptions): Rates {
  if (options.off === true) return NO_RATES;
  const { clock } = options;
  const opened = new Counts(clock, CONNECTIONS_PER_MINUTE, MINUTE_MS);
  const open = new Counts(clock, CONNECTIONS_AT_ONCE, Infinity);
  const failures = [
    new Counts(clock, FAILURES_PER_MINUTE, MINUTE_MS),
    new Counts(clock, FAILURES_PER_DAY, DAY_MS),
  ];
  return {
    admitConnection(ip) {
      const sources = sourcesOf(ip);
      if (opened.full(sources) || open.full(sources)) return false;
      opened.add(sources);
      open.add(sources);
      return true;
    },
    releaseConnection: (ip) => open.subtract(sourcesOf(ip), 1),
    failedLogin(ip) {
      const sources = sourcesOf(ip);
      for (const counts of failures) counts.add(sources);
    },
    successfulLogin(ip) {
      const sources = sourcesOf(ip);
      for (const counts of failures) counts.forget(sources);
    },
    mayLogin(ip) {
      const sources = sourcesOf(ip);
      return !failures.some((counts) => counts.full(sources));
    },
  };
}

const NO_RATES: Rates = {
  admitConnection: () => true,
  releaseConnection() {},
  failedLogin() {},
  successfulLogin() {},
  mayLogin: () => true,
};

/** An address and the two networks around it, as keys that cannot be taken for one another. */
type Sources = readonly [narrow: string, middle: string, wide: string];

/** Counts per source in windows of one length, which begin at the same time for all. */
class Counts {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #windowMs: number;
  readonly #counts = new Map<string, number>();
  #window = 0;

  constructor(clock: Clock, limits: Limits, windowMs: number) {
    this.#clock = clock;
    this.#limits = limits;
    this.#windowMs = windowMs;
  }

  full(sources: Sources): boolean {
    const counts = this.#current();
    return sources.some((source, i) => (counts.get(source) ?? 0) >= (this.#limits[i] ?? 0));
  }

  add(sources: Sources): void {
    const counts = this.#current();
    for (const source of sources) counts.set(source, (counts.get(source) ?? 0) + 1);
    for (const oldest of counts.keys()) {
      if (counts.size <= KEYS_MAX) break;
      counts.delete(oldest);
    }
  }

  subtract(sources: Sources, by: number): void {
    const counts = this.#current();
    for (const source of sources) {
      const left = (counts.get(source) ?? 0) - by;
      if (left > 0) counts.set(source, left);
      else counts.delete(source);
    }
  }

  /** Takes what the address did out of all counts. */
  forget(sources: Sources): void {
    const own = this.#current().get(sources[0]);
    if (own !== undefined) this.subtract(sources, own);
  }

  #current(): Map<string, number> {
    const window = Math.floor(this.#clock.now() / this.#windowMs);
    if (window !== this.#window) this.#counts.clear();
    this.#window = window;
    return this.#counts;
  }
}

function sourcesOf(ip: string): Sources {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIPv4(plain)) {
    const number = plain.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    return [plain, `${Math.floor(number / 2 ** 6)}/26`, `${Math.floor(number / 2 ** 11)}/21`];
  }
  if (isIPv6(plain)) {
    const groups = groupsOf(plain);
    const network = (count: number): string => groups.slice(0, count).join(':');
    return [`${network(4)}/64`, `${network(3)}/48`, `${network(2)}/32`];
  }
  // Not from the network: a pipe is its own source.
  return [`${plain} narrow`, `${plain} middle`, `${plain} wide`];
}

/** The eight groups of an IPv6 address, in hex without leading zeros. */
function groupsOf(ip: string): string[] {
  const [head = '', tail] = ip.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted end stands for two groups; it is beyond what networks look at.
  const width = (part: string[]): number => part.length + (part.at(-1)?.includes('.') ? 1 : 0);
  const zeros = Array.from({ length: Math.max(8 - width(before) - width(after), 0) }, () => '0');
  return [...before, ...zeros, ...after].map((group) =>
    group.replace(/^0+(?=.)/, '').toLowerCase(),
  );
}
