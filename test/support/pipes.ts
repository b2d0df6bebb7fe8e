/**
 * Connections that never leave the process: two streams, each of which hears what the other says,
 * and what the far end of one looks like to a server.
 */

import { duplexPair, type Duplex } from 'node:stream';
import type { TlsFacts, Wire } from '#protocols/ports';

export const FAKE_TLS: TlsFacts = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32, 7) },
};

export interface Pipe {
  readonly client: Duplex;
  readonly wire: Wire;
}

export interface PipeOptions {
  readonly ip?: string;
  readonly tls?: TlsFacts | undefined;
  /** What STARTTLS leads to. */
  readonly securedTls?: TlsFacts;
  /** Gives the client its stream of the time after STARTTLS; absent: STARTTLS is not offered. */
  readonly onStartTls?: (client: Duplex, alreadyRead: Buffer) => void;
}

export function openPipe(options: PipeOptions = {}): Pipe {
  const [client, stream] = duplexPair();
  const { onStartTls } = options;
  const ip = options.ip ?? '192.0.2.1';
  const wire: Wire = {
    stream,
    remoteIp: ip,
    localIp: '198.51.100.1',
    tls: options.tls,
    startTls:
      onStartTls === undefined
        ? undefined
        : async (alreadyRead) => {
            const secured = openPipe({ ip, tls: options.securedTls ?? FAKE_TLS });
            onStartTls(secured.client, alreadyRead);
            return secured.wire;
          },
    destroy() {
      stream.destroy();
      client.destroy();
    },
  };
  return { client, wire };
}
