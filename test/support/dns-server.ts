/**
 * A server of DNS on this machine that says what the test tells it to, over UDP and TCP.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { decode, encode, type Packet } from 'dns-packet';

export type Reply = (question: Asked) => readonly (Packet | Buffer)[];

export interface Asked {
  readonly packet: Packet;
  readonly name: string;
  readonly type: string;
  readonly over: 'udp' | 'tcp';
}

export interface DnsTestServer extends AsyncDisposable {
  readonly port: number;
  readonly asked: readonly Asked[];
}

/** The flags of an answer of a resolver. */
export const ANSWER = 0x0180;
export const AUTHENTIC = 0x20;
export const TRUNCATED = 0x200;

/** An answer to what was asked, with more or else. */
export function answerTo({ packet }: Asked, more: Packet = {}): Packet {
  const { id = 0, questions = [] } = packet;
  return { type: 'response', id, flags: ANSWER, questions, ...more };
}

export async function startDnsServer(reply: Reply): Promise<DnsTestServer> {
  const asked: Asked[] = [];
  const answersTo = (octets: Buffer, over: 'udp' | 'tcp'): readonly Buffer[] => {
    const packet = decode(octets);
    const [question] = packet.questions ?? [];
    const one = { packet, name: question?.name ?? '', type: question?.type ?? '', over };
    asked.push(one);
    return reply(one).map((answer) => (Buffer.isBuffer(answer) ? answer : encode(answer)));
  };
  const tcp = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (piece: Buffer) => {
      for (const answer of answersTo(piece.subarray(2), 'tcp')) {
        const size = Buffer.alloc(2);
        size.writeUInt16BE(answer.length);
        // In two pieces, as networks do.
        socket.write(size.subarray(0, 1));
        setImmediate(() => socket.end(Buffer.concat([size.subarray(1), answer])));
      }
    });
  });
  const udp = createSocket('udp4', (octets, from) => {
    for (const answer of answersTo(octets, 'udp')) udp.send(answer, from.port, from.address);
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const address = tcp.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  return {
    port,
    asked,
    async [Symbol.asyncDispose]() {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    },
  };
}
