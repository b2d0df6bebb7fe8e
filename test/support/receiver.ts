/**
 * An application that gets webhook calls: it writes down each and answers as the test says.
 */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** A request as it came. */
export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** A status alone, or whatever one likes to do with the answer. */
export type Answer = number | ((response: ServerResponse, call: ReceivedCall) => void);

export interface Receiver extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly calls: readonly ReceivedCall[];
  /** Connections so far. */
  readonly connections: () => number;
  /** From now on. */
  answer(answer: Answer): void;
  /** Resolves when there were so many calls, with the last one of them. */
  call(count: number): Promise<ReceivedCall>;
}

export interface ReceiverOptions {
  readonly answer?: Answer;
  /** PEM; absent without TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export async function startReceiver({
  answer: first = 200,
  tls,
}: ReceiverOptions = {}): Promise<Receiver> {
  const calls: ReceivedCall[] = [];
  const waiting = new Set<() => void>();
  let answer = first;
  let connections = 0;
  const server: Server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on(tls === undefined ? 'connection' : 'secureConnection', () => connections++);
  server.on('tlsClientError', () => {});
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call: ReceivedCall = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: Buffer.concat(chunks).toString(),
      };
      calls.push(call);
      for (const look of waiting) look();
      if (typeof answer === 'number') response.writeHead(answer).end(`resp-${answer}`);
      else answer(response, call);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    calls,
    connections: () => connections,
    answer: (next) => {
      answer = next;
    },
    call: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          const call = calls[count - 1];
          if (call === undefined) return;
          waiting.delete(look);
          resolve(call);
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
