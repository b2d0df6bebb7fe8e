/**
 * Asks DNS: a stub resolver of our own, because the one of the runtime does not say whether an
 * answer is signed.
 *
 * Invariants: `authentic` only when the server is trusted to have verified the answer and nobody
 * can have changed it on the way; who asks for the same at the same time shares one exchange; what
 * is kept is bounded in number and time.
 * Diagnostics: failures are values; nothing is thrown for what DNS does.
 * RFC 1034 §5.3.1 (stub resolvers), RFC 2308 §5 (nothing is kept too), RFC 8914 §4 (bogus).
 */

import type { Clock, Log, Random } from '#protocols/ports';
import type { DnsAnswer, DnsFailure, DnsRecords, DnsType, Resolver } from '#protocols/ports-remote';
import { exchange, type Exchanged } from './dns-exchange.ts';
import { isQueryName, NOERROR, NXDOMAIN, type WireAnswer } from './dns-wire.ts';
import type { DnsServer } from './dns-servers.ts';
import { Slots } from './slots.ts';

/** How often each server is asked, and how long it may take: the second time longer. */
const ROUNDS_MS = [3_000, 6_000];
const KEPT_MAX = 10_000;
/** Octets of records that are kept; what strangers publish may be long. */
const KEPT_BYTES_MAX: number = 16 * 1024 * 1024;
/** Sockets that are open together; who asks more waits. */
const EXCHANGES_MAX = 256;
/** RFC 8767 §4: a day at most; for nothing RFC 2308 §5: three hours at most. */
const TTL_MAX = 24 * 3600;
const NEGATIVE_TTL_MAX = 3 * 3600;
/** RFC 8914 §4.7–4.13: validation failed. */
const BOGUS_MIN = 6;
const BOGUS_MAX = 12;

export interface DnsOptions {
  readonly servers: readonly DnsServer[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface OpenResolver extends Resolver {
  /** Ends all questions. */
  close(): void;
}

export function openResolver(options: DnsOptions): OpenResolver {
  return new StubResolver(options);
}

type AnyAnswer = DnsAnswer<DnsRecords[DnsType]>;

interface Kept {
  readonly answer: AnyAnswer;
  readonly endsAt: number;
  readonly bytes: number;
}

const CANCELLED: DnsFailure = { type: 'failed', why: 'cancelled', text: 'It was cancelled.' };

class StubResolver implements OpenResolver {
  readonly #options: DnsOptions;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;
  readonly #slots = new Slots(EXCHANGES_MAX);
  readonly #asking = new Map<string, Promise<AnyAnswer>>();
  readonly #closed = new AbortController();

  constructor(options: DnsOptions) {
    this.#options = options;
  }

  async lookup<T extends DnsType>(
    type: T,
    name: string,
    signal?: AbortSignal,
  ): Promise<DnsAnswer<DnsRecords[T]>> {
    const owner = name.toLowerCase();
    if (!isQueryName(owner)) {
      return { type: 'failed', why: 'name', text: 'This cannot be a name in DNS.' };
    }
    const key = `${type} ${owner}`;
    const answer = this.#fromKept(key) ?? (await this.#shared(key, type, owner, signal));
    // The key says which type of record it holds.
    return answer as DnsAnswer<DnsRecords[T]>;
  }

  close(): void {
    this.#closed.abort();
  }

  #fromKept(key: string): AnyAnswer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const leftMs = kept.endsAt - this.#options.clock.now();
    if (leftMs > 0 && kept.answer.type !== 'failed') {
      return { ...kept.answer, ttlSeconds: Math.ceil(leftMs / 1000) };
    }
    this.#forget(key);
    return undefined;
  }

  /** Who gives up leaves the others waiting. */
  async #shared(
    key: string,
    type: DnsType,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<AnyAnswer> {
    if (signal?.aborted === true) return CANCELLED;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(key, type, name).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    if (signal === undefined) return asking;
    let onAbort = (): void => {};
    const given = new Promise<DnsFailure>((resolve) => {
      onAbort = () => resolve(CANCELLED);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([asking, given]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #ask(key: string, type: DnsType, name: string): Promise<AnyAnswer> {
    const { log, clock } = this.#options;
    const answer = await this.#askServers(type, name);
    if (answer.type === 'failed') {
      log.debug({ type, name, why: answer.why, text: answer.text }, 'dns lookup failed');
    } else if (answer.ttlSeconds > 0) {
      this.#keep(key, {
        answer,
        endsAt: clock.now() + answer.ttlSeconds * 1000,
        bytes: bytesOf(answer),
      });
    }
    return answer;
  }

  #keep(key: string, kept: Kept): void {
    this.#forget(key);
    this.#kept.set(key, kept);
    this.#keptBytes += kept.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX && this.#keptBytes <= KEPT_BYTES_MAX) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#keptBytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }

  async #askServers(type: DnsType, name: string): Promise<AnyAnswer> {
    const { clock, random } = this.#options;
    let servers = this.#options.servers;
    let failure: DnsFailure = { type: 'failed', why: 'unreachable', text: 'No server is known.' };
    for (const timeoutMs of ROUNDS_MS) {
      for (const server of servers) {
        if (!servers.includes(server)) continue;
        const question = { id: random.bytes(2).readUInt16BE(0), type, name };
        const signal = this.#closed.signal;
        const exchanged = await this.#slots.run(() =>
          exchange({ server, question, timeoutMs, clock, signal }),
        );
        const answer = answerOf(exchanged, server);
        if (answer.type !== 'failed') return answer;
        failure = answer;
        if (failure.why === 'bogus' || failure.why === 'cancelled') return failure;
        // A server that verifies nothing would give out what this one has found to be forged.
        if (failure.why === 'servfail' && server.trusted) servers = servers.filter(isTrusted);
      }
      if (failure.why === 'servfail') return failure;
    }
    return failure;
  }
}

/** About what its records take. */
function bytesOf(answer: AnyAnswer): number {
  if (answer.type !== 'found') return 0;
  let bytes = 0;
  for (const record of answer.records) {
    if (typeof record === 'string') bytes += record.length;
    else bytes += 'data' in record ? record.data.length : record.exchange.length;
  }
  return bytes;
}

function isTrusted({ trusted }: DnsServer): boolean {
  return trusted;
}

function answerOf(exchanged: Exchanged<DnsType>, server: DnsServer): AnyAnswer {
  if (exchanged.type !== 'answer') {
    const text = `${exchanged.text} (DNS server ${server.ip})`;
    return { type: 'failed', why: exchanged.type, text };
  }
  const { answer } = exchanged;
  const authentic = answer.authentic && server.trusted;
  const { records } = answer;
  if (answer.rcode === NOERROR && records.length > 0) {
    return {
      type: 'found',
      records,
      authentic,
      ttlSeconds: Math.min(answer.ttlSeconds, TTL_MAX),
    };
  }
  const ttlSeconds = Math.min(answer.ttlSeconds, NEGATIVE_TTL_MAX);
  if (answer.rcode === NOERROR) return { type: 'nodata', authentic, ttlSeconds };
  if (answer.rcode === NXDOMAIN) return { type: 'nxdomain', authentic, ttlSeconds };
  return failureOf(answer, server);
}

function failureOf({ rcode, extendedError }: WireAnswer, server: DnsServer): DnsFailure {
  const said =
    extendedError === undefined
      ? ''
      : `, extended error ${extendedError.code} ${extendedError.text}`;
  const code = extendedError?.code ?? 0;
  return {
    type: 'failed',
    why: code >= BOGUS_MIN && code <= BOGUS_MAX ? 'bogus' : 'servfail',
    text: `DNS server ${server.ip} answered with code ${rcode}${said}`.trimEnd(),
    ...(extendedError !== undefined && { extendedError }),
  };
}
