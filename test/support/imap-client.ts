/**
 * Our IMAP client, connected without a network: to the server of a test, or to a server that says
 * what the test writes.
 */

import { duplexPair, PassThrough, type Duplex } from 'node:stream';
import { fakeClock, fakeRandom, type FakeClock } from './clock.ts';
import { FAKE_TLS } from './pipes.ts';
import { ALICE, PASSWORD } from './world.ts';
import type { ConnectOptions, TestServer } from './server.ts';
import { silentLog } from './silent-log.ts';
import { openImapClient, type ImapClientOptions } from '#protocols/imap/client';
import { responseBegun } from '#protocols/imap/client-parser';
import type { ImapClient } from '#protocols/imap/client-session';
import type { FetchedMessage, ServerNews } from '#protocols/imap/client-words';
import { CommandReader, type Command } from '#protocols/imap/reader';
import type { Dialer, TlsFacts, Wire } from '#protocols/ports';

function wireOf(stream: Duplex, tls: TlsFacts | undefined, startTls?: Wire['startTls']): Wire {
  const ends = { remoteIp: '198.51.100.1', localIp: '192.0.2.1' };
  return { ...ends, stream, tls, startTls, destroy: () => void stream.destroy() };
}

/** Leads to a server of this process. */
function pipeDialer(server: TestServer): Dialer {
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

/** A small message. */
export function mailAbout(subject: string, more = ''): Buffer {
  const fields = `From: Bob <bob@example.org>\r\nTo: alice@example.org\r\nSubject: ${subject}\r\n`;
  return Buffer.from(`${fields}${more}\r\nbody of ${subject}\r\n`);
}

/** Puts messages into the inbox of alice. */
export async function fillInbox(server: TestServer, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await server.world.append(ALICE, 'Inbox', { octets: mailAbout(`number ${i}`) });
  }
}

export async function gathered(messages: AsyncIterable<FetchedMessage>): Promise<FetchedMessage[]> {
  const all: FetchedMessage[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** An answer of a server with its literals, given as one character per octet. */
export async function answerOf(text: string): Promise<Command> {
  const stream = new PassThrough();
  stream.end(Buffer.from(`${text}\r\n`, 'latin1'));
  const reader = new CommandReader(stream);
  const answer = responseBegun((await reader.readLine()) ?? '');
  await reader.complete(answer, () => undefined);
  return answer;
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

  /** The client has closed the connection. */
  get isLeft(): boolean {
    return this.#near.destroyed;
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

  /** Octets that the client has not taken yet. */
  get unsent(): number {
    return this.#far.writableLength;
  }

  /** Reads nothing any more. */
  deaf(): void {
    this.#far.pause();
  }

  /** Ends the stream. */
  hangUp(): void {
    this.#far.end();
  }
}
