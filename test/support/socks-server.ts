/**
 * A SOCKS5 server on this machine, as small as it can be: it connects wherever it is asked to, or
 * says why not.
 */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface SocksTestServer extends AsyncDisposable {
  readonly port: number;
  /** `host:port` of each destination that was asked for. */
  readonly asked: readonly string[];
}

/** RFC 1928 §6: 0 succeeded, 2 not allowed, 5 refused. */
export async function startSocksServer(
  reply: 0 | 2 | 'silence' = 0,
  greeting = '',
): Promise<SocksTestServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (request: Buffer) => {
        const host = [...request.subarray(4, 8)].join('.');
        const port = request.readUInt16BE(8);
        asked.push(`${host}:${port}`);
        if (reply === 'silence') return;
        const answer = Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]);
        if (reply !== 0) return void socket.end(answer);
        const far = connect({ host, port });
        sockets.add(far);
        far.on('error', () => socket.destroy());
        far.once('connect', () => {
          // In one piece: what the far end says first comes together with the answer.
          socket.write(Buffer.concat([answer, Buffer.from(greeting)]));
          socket.pipe(far).pipe(socket);
        });
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
