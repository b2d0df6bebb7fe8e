/**
 * Serves the metrics to whoever collects them, and nothing else.
 *
 * Invariant: what it costs somebody to ask is bounded in time and size.
 * Diagnostics: a port that cannot be opened is the Fault CannotListen.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Fault } from '#domain/values/fault';
import type { Log } from '#protocols/ports';
import type { OpenMetrics } from './metrics.ts';

const REQUEST_MS = 10_000;
const HEADER_BYTES_MAX = 8 * 1024;
const CONNECTIONS_MAX = 20;

export interface MetricsListener {
  readonly port: number;
  /** Takes no more connections. */
  stop(): void;
  close(): Promise<void>;
}

export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  metrics: Pick<OpenMetrics, 'text' | 'contentType'>,
  log: Log,
): Promise<MetricsListener> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, maxHeaderSize: HEADER_BYTES_MAX },
    (request, response) => {
      answer(request, response, metrics).catch((err: unknown) => {
        log.error({ err }, 'metrics not told');
        response.destroy();
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Fault('CannotListen', `Cannot listen on ${host}:${port}.`, { cause }));
    });
    server.listen({ host, port, exclusive: true }, resolve);
  });
  const address = server.address();
  let closed: Promise<void> | undefined;
  const stop = (): void => {
    closed ??= new Promise((resolve) => server.close(() => resolve()));
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop,
    async close() {
      stop();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  metrics: Pick<OpenMetrics, 'text' | 'contentType'>,
): Promise<void> {
  if (url !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics.\n');
    return;
  }
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const text = await metrics.text();
  response.writeHead(200, { 'content-type': metrics.contentType });
  response.end(method === 'HEAD' ? undefined : text);
}
