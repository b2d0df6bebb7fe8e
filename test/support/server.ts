/**
 * An IMAP server in a small world, and connections to it that never leave the process.
 */

import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { FAKE_TLS, openPipe } from './pipes.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';
import { startImapServer, type ImapServer } from '#protocols/imap/server';
import type { ImapOptions } from '#protocols/imap/session';
import type { PeerKey } from '#protocols/ports';

export interface TestServer extends AsyncDisposable {
  readonly world: World;
  readonly server: ImapServer;
  /** A connection to it; `secured` is told of the stream that STARTTLS leads to. */
  connect(options?: ConnectOptions): Duplex;
}

export interface ConnectOptions {
  readonly tls?: boolean;
  readonly ip?: string;
  /** Shown in the handshake, also in that of STARTTLS. */
  readonly key?: PeerKey | undefined;
  readonly secured?: (stream: Duplex) => void;
}

const OPTIONS: ImapOptions = {
  hostName: 'mail.example.org',
  product: 'Daybook',
  version: '0.0-test',
  messageBytesMax: 1024 * 1024,
  allowPlaintextLogin: false,
  compress: false,
  strict: false,
};

export async function openTestServer(
  options: Partial<ImapOptions> = {},
  worldOptions: WorldOptions = {},
): Promise<TestServer> {
  const world = await openWorld(worldOptions);
  const server = startImapServer(world, { ...OPTIONS, ...options });
  const streams: Duplex[] = [];
  return {
    world,
    server,
    connect({ tls = true, ip = '192.0.2.1', key, secured } = {}) {
      const securedTls = key === undefined ? FAKE_TLS : { ...FAKE_TLS, peerKey: key };
      const { client, wire } = openPipe({
        ip,
        tls: tls ? securedTls : undefined,
        securedTls,
        ...(tls ? {} : { onStartTls: (stream) => secured?.(stream) }),
      });
      streams.push(client);
      server.accept(wire);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const stream of streams) stream.destroy();
      const closing = server.close();
      // Who waits for time to pass would wait for ever.
      const time = setInterval(() => world.clock.advance(1000), 1);
      await closing;
      clearInterval(time);
      await world[Symbol.asyncDispose]();
      const failures = world.said.filter(({ level }) => level === 'error');
      assert.deepEqual(failures, [], 'the server failed');
    },
  };
}
