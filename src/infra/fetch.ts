/**
 * Small texts over HTTPS from hosts of strangers.
 *
 * Invariants: the certificate must be valid for the host; no redirect is followed; size and time
 * are bounded, and nothing stays open afterwards. Addresses come from our own resolver.
 * RFC 9110 §15 (answers), RFC 8461 §3.3 (what policies are fetched with).
 */

import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Clock } from '#protocols/ports';
import type { Fetch, Fetched, FetchRequest, Resolver } from '#protocols/ports-remote';

export interface FetchOptions {
  readonly resolver: Resolver;
  readonly clock: Clock;
  /** 443 unless told otherwise. */
  readonly port?: number;
  /** Certificates in PEM that are trusted instead of those of the system. */
  readonly authorities?: readonly string[];
}

const HTTPS_PORT = 443;
const HEADER_BYTES_MAX = 16 * 1024;

export function openFetch(options: FetchOptions): Fetch {
  return {
    async get(wanted) {
      if (wanted.signal?.aborted === true) return failed('cancelled', 'It was cancelled.');
      let settle: (fetched: Fetched) => void = () => {};
      const settled = new Promise<Fetched>((resolve) => (settle = resolve));
      const asking = request(requestOptions(wanted, options));
      const cancelTimer = options.clock.after(wanted.timeoutMs, () =>
        settle(failed('timeout', 'It took too long.')),
      );
      const onAbort = (): void => settle(failed('cancelled', 'It was cancelled.'));
      wanted.signal?.addEventListener('abort', onAbort, { once: true });
      asking.on('error', (error) => settle(failureOf(error)));
      asking.on('response', (response) => gather(response, wanted, settle));
      asking.end();
      const fetched = await settled;
      cancelTimer();
      wanted.signal?.removeEventListener('abort', onAbort);
      asking.destroy();
      return fetched;
    },
  };
}

function requestOptions({ host, path }: FetchRequest, options: FetchOptions): RequestOptions {
  const { port = HTTPS_PORT, authorities } = options;
  return {
    host,
    servername: host,
    port,
    path,
    // The port belongs into the name only when it is not the usual one; nobody expects ours.
    headers: { host, accept: 'text/plain', connection: 'close' },
    agent: false,
    lookup: lookupBy(options.resolver),
    maxHeaderSize: HEADER_BYTES_MAX,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(authorities !== undefined && { ca: [...authorities] }),
  };
}

function gather(
  response: IncomingMessage,
  { bytesMax }: FetchRequest,
  settle: (fetched: Fetched) => void,
): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on('error', (error) => settle(failureOf(error)));
  response.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > bytesMax) settle(failed('too-large', `It is larger than ${bytesMax} octets.`));
    else pieces.push(piece);
  });
  response.on('end', () => {
    const [mediaType = ''] = (response.headers['content-type'] ?? '').split(';');
    settle({
      type: 'answer',
      status: response.statusCode ?? 0,
      mediaType: mediaType.trim().toLowerCase(),
      body: Buffer.concat(pieces),
    });
  });
}

function lookupBy(resolver: Resolver): LookupFunction {
  return (host, _options, callback) => {
    void addressesOf(host, resolver).then((addresses) =>
      addresses.length === 0
        ? callback(new Error(`No address of ${host} is known.`), [])
        : callback(null, [...addresses]),
    );
  };
}

async function addressesOf(
  host: string,
  resolver: Resolver,
): Promise<readonly { readonly address: string; readonly family: number }[]> {
  const [six, four] = await Promise.all([
    resolver.lookup('AAAA', host),
    resolver.lookup('A', host),
  ]);
  const found = (answer: typeof six, family: number): { address: string; family: number }[] =>
    answer.type === 'found' ? answer.records.map((address) => ({ address, family })) : [];
  return [...found(six, 6), ...found(four, 4)];
}

function failed(why: Extract<Fetched, { type: 'failed' }>['why'], text: string): Fetched {
  return { type: 'failed', why, text };
}

/** How codes of TLS begin that are about certificates. */
const ABOUT_CERTIFICATES: readonly string[] = [
  'ERR_TLS_CERT_',
  'CERT_',
  'SELF_SIGNED_',
  'DEPTH_ZERO_',
  'UNABLE_TO_',
  'HOSTNAME_MISMATCH',
  'INVALID_',
];

function failureOf(error: Error): Fetched {
  const code = 'code' in error ? String(error.code) : '';
  const certificate = ABOUT_CERTIFICATES.some((start) => code.startsWith(start));
  return failed(certificate ? 'certificate' : 'unreachable', error.message);
}
