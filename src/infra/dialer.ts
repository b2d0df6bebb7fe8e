/**
 * Connections to others: sockets that we open, with TLS at once, later, or not at all.
 *
 * Invariants: a wire that is handed over has an error listener, so that no peer ends the process;
 * whatever fails on the way closes the socket.
 * Diagnostics: nobody there, or too slow, is the Fault CannotConnect; a handshake that fails, a
 * certificate that is not trusted or is for another name is the Fault TlsHandshakeFailed.
 * RFC 9325 (which TLS to speak).
 */

import { lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Fault } from '#domain/values/fault';
import type { Clock, Dialer, DialTarget, Log, ServerCertificates, Wire } from '#protocols/ports';
import { tlsFactsOf } from './sockets.ts';
import { sourceFor, type SourceIps } from './source-ips.ts';

const KEEP_ALIVE_MS = 5 * 60_000;
/** Certificates that are looked at; the verification itself goes no deeper. */
const CHAIN_MAX = 100;

export interface DialerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Where our connections begin; by default the system chooses. */
  readonly sourceIps?: SourceIps;
  /** Leads to the target by another way; rejects with any error. */
  readonly connect?: (target: DialTarget) => Promise<Socket>;
}

export function openDialer(options: DialerOptions): Dialer {
  return {
    async dial(target) {
      const socket = await reached(target, options);
      if (target.tls === 'implicit') return secured(socket, target, options);
      return {
        ...endsOf(socket),
        stream: socket,
        tls: undefined,
        startTls:
          target.tls === 'none'
            ? undefined
            : async (alreadyRead) => {
                socket.pause();
                for (const event of ['data', 'readable']) socket.removeAllListeners(event);
                if (alreadyRead.length > 0) socket.unshift(alreadyRead);
                return secured(socket, target, options);
              },
        destroy: () => socket.destroy(),
      };
    },
  };
}

async function reached(target: DialTarget, options: DialerOptions): Promise<Socket> {
  const { clock, log, sourceIps = {} } = options;
  const { connect: way = (to) => connected(to, clock, sourceIps) } = options;
  const { host, port } = target;
  try {
    const socket = await way(target);
    socket.on('error', (err) => log.debug({ err, host, port }, 'lost'));
    return socket;
  } catch (error) {
    throw cannotConnect(target, error);
  }
}

/** A socket to the target itself. */
export async function connected(
  target: Omit<DialTarget, 'tls'>,
  clock: Clock,
  sourceIps: SourceIps = {},
): Promise<Socket> {
  const { host } = target;
  const hasSource = sourceIps.ipv4 !== undefined || sourceIps.ipv6 !== undefined;
  if (!hasSource) return connectedFrom(undefined, target, clock);
  if (isIP(host) > 0) return connectedFrom(sourceFor(host, sourceIps), target, clock);
  // Node does not choose among the addresses of a name when we say where to begin.
  const addresses = await addressesOf(target, clock);
  const timeoutMs = target.timeoutMs / addresses.length;
  const failures: unknown[] = [];
  for (const address of addresses) {
    try {
      const one = { ...target, host: address, timeoutMs };
      return await connectedFrom(sourceFor(address, sourceIps), one, clock);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures);
}

async function connectedFrom(
  localAddress: string | undefined,
  { host, port, timeoutMs, signal }: Omit<DialTarget, 'tls'>,
  clock: Clock,
): Promise<Socket> {
  const socket = connect({
    host,
    port,
    ...(localAddress === undefined ? { autoSelectFamily: true } : { localAddress }),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  await outcome(socket, { event: 'connect', timeoutMs, clock, signal });
  return socket;
}

/** As the system knows them; one at least. */
async function addressesOf(
  { host, timeoutMs, signal }: Omit<DialTarget, 'tls'>,
  clock: Clock,
): Promise<readonly string[]> {
  const found = await new Promise<readonly LookupAddress[]>((resolve, reject) => {
    const cancelTimer = clock.after(timeoutMs, () => {
      reject(coded('Looking up its address took too long.', 'ETIMEDOUT'));
    });
    const onAbort = (): void => reject(coded('It was cancelled.', 'ECANCELED'));
    signal?.addEventListener('abort', onAbort, { once: true });
    lookup(host, { all: true }, (error, addresses) => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
  return found.map(({ address }) => address);
}

async function secured(
  socket: Socket,
  target: DialTarget,
  { clock, log }: DialerOptions,
): Promise<Wire> {
  const { host, port, timeoutMs, signal } = target;
  const ends = endsOf(socket);
  let stream: TLSSocket | undefined;
  try {
    stream = connectTls({ ...tlsOptions(target), socket });
    await outcome(stream, { event: 'secureConnect', timeoutMs, clock, signal });
    const objection = target.trust?.judge?.(shownBy(stream));
    if (objection !== undefined) throw new Error(objection);
  } catch (error) {
    stream?.destroy();
    socket.destroy();
    throw new Fault('TlsHandshakeFailed', `TLS with ${host}:${port} failed: ${reason(error)}`, {
      cause: error,
    });
  }
  stream.on('error', (err) => log.debug({ err, host, port }, 'lost'));
  const secure = stream;
  const tls = tlsFactsOf(secure, 'client');
  return { ...ends, stream: secure, tls, startTls: undefined, destroy: () => secure.destroy() };
}

function tlsOptions({ host, trust = {}, clientKey }: DialTarget): ConnectionOptions {
  const name = trust.serverName ?? host;
  return {
    host: name,
    // An address is no server name.
    ...(isIP(name) === 0 && { servername: name }),
    ...(trust.authorities !== undefined && { ca: [...trust.authorities] }),
    ...(clientKey !== undefined && { key: clientKey.key, cert: clientKey.cert }),
    rejectUnauthorized: trust.anyCertificate !== true && trust.judge === undefined,
    minVersion: 'TLSv1.2',
  };
}

/** RFC 7672 §3.1: whoever judges by DANE wants to see the whole chain. */
function shownBy(stream: TLSSocket): ServerCertificates {
  const chain: Buffer[] = [];
  let certificate = stream.getPeerX509Certificate();
  while (certificate !== undefined && chain.length < CHAIN_MAX) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  // It says that it is an Error; it is the code of one.
  const problem = stream.authorized ? undefined : String(stream.authorizationError);
  return { chain, problem };
}

interface Awaited {
  readonly event: 'connect' | 'secureConnect';
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Resolves with the event; rejects, with the socket gone, when anything else comes first. */
async function outcome(
  socket: Socket,
  { event, timeoutMs, clock, signal }: Awaited,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let failure: unknown;
    const giveUp = (sentence: string, code: string): void => {
      failure ??= coded(sentence, code);
      socket.destroy();
    };
    const cancelTimer = clock.after(timeoutMs, () => giveUp('It took too long.', 'ETIMEDOUT'));
    const onAbort = (): void => giveUp('It was cancelled.', 'ECANCELED');
    const onError = (error: unknown): void => {
      failure ??= error;
    };
    const settle = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const onClose = (): void => {
      settle();
      reject(failure ?? coded('The connection was closed.', 'ECONNRESET'));
    };
    socket.on('error', onError);
    socket.once(event, () => {
      settle();
      socket.off('error', onError);
      socket.off('close', onClose);
      resolve();
    });
    socket.once('close', onClose);
  });
}

/** Named like what the system itself finds, for those who count reasons. */
function coded(sentence: string, code: string): Error {
  return Object.assign(new Error(sentence), { code });
}

function endsOf(socket: Socket): { readonly remoteIp: string; readonly localIp: string } {
  return { remoteIp: socket.remoteAddress ?? '', localIp: socket.localAddress ?? '' };
}

function cannotConnect({ host, port }: DialTarget, cause: unknown): Fault {
  return new Fault('CannotConnect', `Cannot connect to ${host}:${port}: ${reason(cause)}`, {
    cause,
  });
}

/** Several addresses fail with several errors. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message : String(error);
}
