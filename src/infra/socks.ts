/**
 * Connections by way of a SOCKS5 server: they come from where it stands.
 *
 * Invariants: nothing that the far end says first is lost, however early it comes.
 * Diagnostics: a proxy that is not there, or does not want to, is the Fault CannotConnect of the
 * dialer, with the reason that it gives.
 * RFC 1928.
 */

import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SocksClient } from 'socks';
import type { Dialer, DialTarget } from '#protocols/ports';
import { connected, openDialer, type DialerOptions } from './dialer.ts';

export interface SocksServer {
  readonly host: string;
  readonly port: number;
}

const SOCKS_VERSION = 5;

export function openSocksDialer(
  server: SocksServer,
  { clock, log }: Pick<DialerOptions, 'clock' | 'log'>,
): Dialer {
  return openDialer({
    clock,
    log,
    async connect({ host, port, timeoutMs, signal }: DialTarget) {
      const both = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
      const socket = await connected({ ...server, ...both }, clock);
      const giveUp = (): void => void socket.destroy();
      const cancelTimer = clock.after(timeoutMs, giveUp);
      signal?.addEventListener('abort', giveUp, { once: true });
      try {
        await led(socket, server, { host, port });
      } catch (error) {
        socket.destroy();
        throw error;
      } finally {
        cancelTimer();
        signal?.removeEventListener('abort', giveUp);
      }
      return socket;
    },
  });
}

async function led(
  socket: Socket,
  { host, port }: SocksServer,
  destination: SocksServer,
): Promise<void> {
  await SocksClient.createConnection({
    proxy: { host, port, type: SOCKS_VERSION },
    command: 'connect',
    destination,
    existing_socket: socket,
  });
  // What came together with the proxy's answer is told as an event in the next turn.
  const early: Buffer[] = [];
  const onData = (chunk: Buffer): void => void early.push(chunk);
  socket.on('data', onData);
  await nextTurn();
  await nextTurn();
  socket.pause();
  socket.off('data', onData);
  if (early.length > 0) socket.unshift(Buffer.concat(early));
}
