/**
 * Delivery by SMTP: durable messages a second over 1, 10 and 50 connections, beside LMTP into
 * Dovecot, and beside Postfix, which only takes them: they are not in a mailbox when it says so.
 * The driver knows hosts and ports only, so it runs against any server.
 */

import { connect, type Socket } from 'node:net';
import { LOGIN, startLocalserve } from '../support/localserve.ts';
import { postfixMissing, startPostfix } from '../support/postfix.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { startDovecot } from './dovecot.ts';
import { type BenchRow, median } from './row.ts';

export interface Deliveries {
  readonly host: string;
  readonly port: number;
  /** What the server is greeted with: LMTP says LHLO. */
  readonly hello: 'EHLO' | 'LHLO';
  readonly recipient: string;
  readonly connections: number;
  /** Octets of a message. */
  readonly sizeBytes: number;
  readonly ms: number;
}

const SMTP_PORT = 1025;
/** Nothing is sent there. */
const NO_SINK = 9;
const WARM_MS = 500;
const RUN_MS = 2000;
const ROUNDS = 3;
const SIZES: readonly (readonly [name: string, bytes: number])[] = [
  ['2 KB', 2000],
  ['20 KB', 20_000],
  ['1 MB', 1_000_000],
];
const CONNECTIONS = [1, 10, 50];

/** Messages a second that the server has acknowledged. */
export async function deliveriesPerSecond(load: Deliveries): Promise<number> {
  const body = messageOf(load.sizeBytes);
  const talks = await Promise.all(
    Array.from({ length: load.connections }, () => openTalk(load.host, load.port, load.hello)),
  );
  const start = performance.now();
  const counts = await Promise.all(
    talks.map(async (talk) => {
      let count = 0;
      while (performance.now() - start < load.ms) {
        await deliver(talk, load.recipient, body);
        count++;
      }
      return count;
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const talk of talks) talk.socket.destroy();
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

interface Talk {
  readonly socket: Socket;
  /** The next reply; throws when it is an error. */
  reply(): Promise<string>;
}

async function openTalk(host: string, port: number, hello: string): Promise<Talk> {
  const socket = connect({ host, port, noDelay: true });
  let heard = '';
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    heard += text;
    wake?.();
  });
  for (const event of ['error', 'close']) {
    socket.on(event, (error: unknown) => {
      failure = error instanceof Error ? error : new Error('the server closed the connection');
      wake?.();
    });
  }
  const talk: Talk = {
    socket,
    async reply() {
      for (;;) {
        const last = /^(\d{3})(?: .*)?\r\n/m.exec(heard);
        if (last !== null) {
          const text = heard.slice(0, last.index + last[0].length);
          heard = heard.slice(text.length);
          if ((last[1] as string) >= '400') throw new Error(`refused: ${text}`);
          return text;
        }
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
  await talk.reply();
  socket.write(`${hello} bench.example\r\n`);
  await talk.reply();
  return talk;
}

/** RFC 2920: everything up to DATA in one go, as large senders do. */
async function deliver(talk: Talk, recipient: string, body: Buffer): Promise<void> {
  talk.socket.write(`MAIL FROM:<bench@example.org>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
  for (let replies = 0; replies < 3; replies++) await talk.reply();
  number++;
  talk.socket.write(`Message-ID: <${number}.${process.pid}@bench.example>\r\n`);
  talk.socket.write(body);
  await talk.reply();
}

let number = 0;

/** No two messages are the same: the driver puts a Message-ID above. */
function messageOf(sizeBytes: number): Buffer {
  const header = [
    'From: Bench <bench@example.org>',
    'To: Daybook <daybook@localhost>',
    'Subject: a message of ordinary size',
    'Date: Thu, 1 Jan 2026 12:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    '',
  ].join('\r\n');
  const line = 'The quick brown fox jumps over the lazy dog, again and again and again.\r\n';
  const lines = Math.max(1, Math.round((sizeBytes - header.length) / line.length));
  return Buffer.from(`${header}${line.repeat(lines)}.\r\n`);
}

type Ends = Pick<Deliveries, 'host' | 'port' | 'hello' | 'recipient'>;

/** A server that is measured. */
interface Taker extends Ends {
  readonly name: string;
}

export async function run(say: (text: string) => void): Promise<readonly BenchRow[]> {
  // All stay to the end: to make files takes ext4 much longer where many were removed just before.
  await using kept = new AsyncDisposableStack();
  const peers = await startPeers(kept, say);
  const rows: BenchRow[] = [];
  for (const [size, sizeBytes] of SIZES) {
    const { path: dir } = kept.use(await temporaryDirectory());
    await using server = await startLocalserve({ dir });
    const us: Taker = {
      name: 'daybook',
      host: server.ip,
      port: SMTP_PORT,
      hello: 'EHLO',
      recipient: LOGIN,
    };
    await deliveriesPerSecond({ ...us, connections: 10, sizeBytes, ms: WARM_MS });
    for (const connections of CONNECTIONS) {
      const [ours = 0, ...theirs] = await sideBySide([us, ...peers], { connections, sizeBytes });
      const plural = connections === 1 ? '' : 's';
      const what = `delivery of ${size} over ${connections} connection${plural}`;
      const row = { what, unit: 'messages/s', ours };
      if (peers.length === 0) rows.push(row);
      for (const [i, { name }] of peers.entries()) {
        rows.push({ ...row, peer: { name, value: theirs[i] ?? 0 } });
      }
    }
  }
  return rows;
}

/** Round by round: the disk of a shared machine has moods. */
async function sideBySide(
  takers: readonly Taker[],
  load: Pick<Deliveries, 'connections' | 'sizeBytes'>,
): Promise<readonly number[]> {
  const results = takers.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, taker] of takers.entries()) {
      results[i]?.push(await deliveriesPerSecond({ ...taker, ...load, ms: RUN_MS }));
    }
  }
  return results.map(median);
}

async function startPeers(
  kept: AsyncDisposableStack,
  say: (text: string) => void,
): Promise<readonly Taker[]> {
  const peers: Taker[] = [];
  const dovecot = await startDovecot(say);
  if (dovecot !== undefined) {
    kept.use(dovecot);
    const { name, ip: host, lmtpPort: port } = dovecot;
    peers.push({ name, host, port, hello: 'LHLO', recipient: 'bench' });
  }
  const reason = postfixMissing();
  if (reason) say(`no Postfix: ${reason}`);
  else {
    // What it has taken is held, so that nothing else goes on.
    const restrictions = 'check_client_access static:HOLD, permit_mynetworks, reject';
    const settings = { smtpd_recipient_restrictions: restrictions };
    const { port } = kept.use(await startPostfix(NO_SINK, settings));
    const host = '127.0.0.1';
    peers.push({
      name: 'Postfix taking',
      host,
      port,
      hello: 'EHLO',
      recipient: 'user@far.example',
    });
  }
  return peers;
}
