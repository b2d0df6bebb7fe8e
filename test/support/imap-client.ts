/**
 * Our IMAP client, connected without a network: to the server of a test, or to a server that says
 * what the test writes.
 */

import { duplexPair, type Duplex } from 'node:stream';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { FAKE_TLS } from './pipes.ts';
import { PASSWORD } from './world.ts';
import type { ConnectOptions, TestServer } from './server.ts';
import { silentLog } from './silent-log.ts';
import { openImapClient, type ImapClientOptions } from '#protocols/imap/client';
import type { ImapClient } from '#protocols/imap/client-session';
import type { ServerNews } from '#protocols/imap/client-words';
import type { Dialer, TlsFacts, Wire } from '#protocols/ports';

function wireOf(stream: Duplex, tls: TlsFacts | undefined, startTls?: Wire['startTls']): Wire {
  const ends = { remoteIp: '198.51.100.1', localIp: '192.0.2.1' };
  return { ...ends, stream, tls, startTls, destroy: () => void stream.destroy() };
}

/** Leads to a server of this process. */
export function pipeDialer(server: TestServer): Dialer {
  return {
    async dial({ tls }) {
      const secured = Promise.withResolvers<Duplex>();
      const options: ConnectOptions = { tls: tls === 'implicit', secured: secured.resolve };
      const stream = server.connect(options);
      if (tls === 'implicit') return wireOf(stream, FAKE_TLS);
      return wireOf(
        stream,
        undefined,
        tls === 'none' ? undefined : async () => wireOf(await secured.promise, FAKE_TLS),
      );
    },
  };
}

type MoreOptions = Partial<ImapClientOptions>;

/** A client of the server; not logged in. */
export async function openStranger(
  server: TestServer,
  more: MoreOptions = {},
): Promise<ImapClient> {
  return await openImapClient({
    dialer: pipeDialer(server),
    clock: server.world.clock,
    random: fakeRandom('client'),
    log: silentLog,
    host: 'mail.example.org',
    port: 993,
    tls: 'implicit',
    ...more,
  });
}

/** A client of the server, logged in as alice. */
export async function openAlice(server: TestServer, more: MoreOptions = {}): Promise<ImapClient> {
  const client = await openStranger(server, more);
  await client.authenticate('PLAIN', { login: 'alice@example.org', password: PASSWORD });
  return client;
}

/** A server that a test plays by hand. */
export class PlayedServer {
  readonly clock: FakeClock = fakeClock();
  readonly news: ServerNews[] = [];
  readonly #far: Duplex;
  readonly #near: Duplex;
  readonly #tls: TlsFacts | undefined;
  #heard = '';
  #wake: () => void = () => undefined;
  #secured: PlayedServer | undefined;

  constructor(tls: TlsFacts | undefined = FAKE_TLS) {
    [this.#near, this.#far] = duplexPair();
    this.#tls = tls;
    this.#far.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1');
      this.#wake();
    });
    this.#far.on('error', () => undefined);
    this.#near.on('error', () => undefined);
  }

  /** What STARTTLS leads to. */
  get secured(): PlayedServer {
    this.#secured ??= new PlayedServer();
    return this.#secured;
  }

  get options(): ImapClientOptions {
    return {
      dialer: { dial: async () => this.wire },
      clock: this.clock,
      random: fakeRandom('client'),
      log: silentLog,
      host: 'mail.example.org',
      port: 993,
      tls: 'implicit',
      onNews: (news) => void this.news.push(news),
    };
  }

  get wire(): Wire {
    return wireOf(this.#near, this.#tls, async () => this.secured.wire);
  }

  /** A client that has heard the greeting. */
  async greet(more: MoreOptions = {}, capabilities = 'IMAP4rev1 LITERAL+'): Promise<ImapClient> {
    this.say(`* PREAUTH [CAPABILITY ${capabilities}] hello`);
    return await openImapClient({ ...this.options, ...more });
  }

  /** Lines, without their ends. */
  say(...lines: readonly string[]): void {
    for (const line of lines) this.#far.write(Buffer.from(`${line}\r\n`, 'latin1'));
  }

  sayRaw(octets: string | Buffer): void {
    this.#far.write(octets);
  }

  /** Waits for the next line; gives it without its end. */
  async hear(): Promise<string> {
    for (;;) {
      const end = this.#heard.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#heard.slice(0, end);
        this.#heard = this.#heard.slice(end + 2);
        return line;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Waits for the next line; gives its tag and checks the rest. */
  async expect(text: string): Promise<string> {
    const line = await this.hear();
    const [tag = ''] = line.split(' ');
    if (line !== `${tag} ${text}`) throw new Error(`expected ${text}, heard ${line}`);
    return tag;
  }

  /** What was heard and not asked for yet. */
  get unheard(): string {
    return this.#heard;
  }

  /** Ends the stream. */
  hangUp(): void {
    this.#far.end();
  }
}
