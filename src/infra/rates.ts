/**
 * How often a source may connect and fail to log in, counted for its address and for the two
 * networks around it, so that one machine with many addresses is still one source.
 *
 * Invariants: memory is bounded whatever comes in: counts go with their window, and the oldest go
 * first when there are too many.
 */

import { isIPv4, isIPv6 } from 'node:net';
import type { Clock, Rates } from '#protocols/ports';
import type { RateLimits } from './config-schema.ts';

const DEFAULTS: Required<RateLimits> = {
  ConnectionsPerMinute: 300,
  ConnectionsAtOnce: 30,
  FailedLoginsPerMinute: 10,
  FailedLoginsPerDay: 50,
};

/** For /32, /26 and /21; of IPv6 /64, /48 and /32. */
const FACTORS = [1, 3, 9] as const;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A window moves on by so many parts: whoever waits for it to end gains little. */
const SLICES = 6;
const KEYS_MAX = 100_000;

export interface RatesOptions {
  readonly clock: Clock;
  readonly limits?: RateLimits | undefined;
  /** Nothing is counted, everything is allowed. */
  readonly off?: boolean;
}

export function openRates(options: RatesOptions): Rates {
  if (options.off === true) return NO_RATES;
  const { clock } = options;
  const limits = { ...DEFAULTS, ...options.limits };
  const opened = new Counts(clock, limits.ConnectionsPerMinute, MINUTE_MS);
  const open = new Counts(clock, limits.ConnectionsAtOnce, Infinity);
  const failures = [
    new Counts(clock, limits.FailedLoginsPerMinute, MINUTE_MS),
    new Counts(clock, limits.FailedLoginsPerDay, DAY_MS),
  ];
  return {
    admitConnection(ip) {
      const sources = sourcesOf(ip);
      if (opened.full(sources) || open.full(sources)) return false;
      opened.add(sources);
      open.add(sources);
      return true;
    },
    releaseConnection: (ip) => open.release(sourcesOf(ip)),
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

/** Counts of one part of a window. */
type Slice = Map<string, number>;

/** Counts per source in the window that ends now. */
class Counts {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #sliceMs: number;
  /** The present one first. */
  #slices: Slice[] = [new Map()];
  #slice = 0;

  constructor(clock: Clock, limit: number, windowMs: number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#sliceMs = windowMs / SLICES;
  }

  full(sources: Sources): boolean {
    const slices = this.#current();
    return sources.some((source, i) => {
      let count = 0;
      for (const slice of slices) count += slice.get(source) ?? 0;
      return count >= this.#limit * (FACTORS[i] ?? 1);
    });
  }

  add(sources: Sources): void {
    const [slice = new Map<string, number>()] = this.#current();
    for (const source of sources) slice.set(source, (slice.get(source) ?? 0) + 1);
    if (slice.size <= KEYS_MAX) return;
    // Many at once: to find the oldest takes time.
    for (const oldest of slice.keys()) {
      if (slice.size <= KEYS_MAX / 2) break;
      slice.delete(oldest);
    }
  }

  /** One less, of a window without end. */
  release(sources: Sources): void {
    const [slice] = this.#current();
    if (slice !== undefined) subtract(slice, sources, 1);
  }

  /** Takes what the address did out of all counts. */
  forget(sources: Sources): void {
    for (const slice of this.#current()) {
      const own = slice.get(sources[0]);
      if (own !== undefined) subtract(slice, sources, own);
    }
  }

  #current(): readonly Slice[] {
    const slice = Math.floor(this.#clock.now() / this.#sliceMs);
    const passed = Math.min(slice - this.#slice, SLICES);
    this.#slice = slice;
    // Time that is set back changes nothing: counts then last a little longer.
    for (let i = 0; i < passed; i++) this.#slices.unshift(new Map());
    if (passed > 0) this.#slices = this.#slices.slice(0, SLICES);
    return this.#slices;
  }
}

function subtract(slice: Slice, sources: Sources, by: number): void {
  for (const source of sources) {
    const left = (slice.get(source) ?? 0) - by;
    if (left > 0) slice.set(source, left);
    else slice.delete(source);
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
