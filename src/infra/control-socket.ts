/**
 * The control socket of a data directory: a Unix socket beside the data, a named pipe on Windows.
 *
 * Whoever can open it administers the server: it is for the owner of the directory only.
 * Invariants: opened only by the process that holds the lock of the directory, so what lies there
 * from before is nobody's. Diagnostics: nobody there is the Fault CannotConnect with the path; a
 * path that the system cannot use is the Fault CannotListen.
 */

import { createHash } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { Fault } from '#domain/values/fault';

const SOCKET_NAME = 'ctl';
/** That are served at a time; as many more may be told so. */
const CONNECTIONS_MAX = 16;
/** How long whoever was turned away may take to leave. */
const LEAVE_MS = 5_000;
/** How long the server may take to answer: longer than a receiver that a webhook is tried with. */
const ANSWER_MS = 90_000;

export interface ControlSocket {
  readonly path: string;
  /** Takes no more, ends what is open, and resolves when all is gone. */
  close(): Promise<void>;
}

export function controlPath(dataDir: string): string {
  const directory = path.resolve(dataDir);
  if (process.platform !== 'win32') return path.join(directory, SOCKET_NAME);
  const name = createHash('sha256').update(directory.toLowerCase()).digest('hex').slice(0, 32);
  return `\\\\.\\pipe\\daybook-${name}`;
}

/** `turnAway` gets what comes when `connectionsMax` are served. */
export async function openControlSocket(
  dataDir: string,
  serve: (stream: Duplex) => void,
  turnAway: (stream: Duplex, connectionsMax: number) => void,
): Promise<ControlSocket> {
  const where = controlPath(dataDir);
  const isFile = process.platform !== 'win32';
  if (isFile) rmSync(where, { force: true });
  const sockets = new Set<Socket>();
  let served = 0;
  const server = createServer((socket) => {
    const isServed = served < CONNECTIONS_MAX;
    if (isServed) served += 1;
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      if (isServed) served -= 1;
    });
    if (isServed) return serve(socket);
    socket.setTimeout(LEAVE_MS, () => socket.destroy());
    turnAway(socket, CONNECTIONS_MAX);
  });
  server.maxConnections = 2 * CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const sentence = `The control socket ${where} cannot be opened: ${cause.message}`;
      reject(new Fault('CannotListen', sentence, { cause, temporary: false }));
    });
    server.listen(where, resolve);
  });
  if (isFile) chmodSync(where, 0o600);
  return {
    path: where,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A connection to the server that runs on the directory. */
export async function dialControl(dataDir: string): Promise<Duplex> {
  const where = controlPath(dataDir);
  const socket = connect(where);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => {
      const sentence = `No server answers on ${where}: start it, or give its folder by --dir.`;
      reject(new Fault('CannotConnect', sentence, { cause, temporary: false }));
    });
  });
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('The server does not answer.')));
  return socket;
}
