/**
 * One question to one server of DNS: over UDP, and over TCP when the answer does not fit.
 *
 * Invariants: every exchange has a socket of its own, so that its port is as hard to guess as its
 * id; what does not belong to the question is left unread; the socket is closed however it ends.
 * RFC 5452 §9.2 (ports and ids), RFC 7766 §5 (TCP), RFC 1035 §4.2.2 (length in front).
 */

import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '#protocols/ports';
import type { DnsType } from '#protocols/ports-remote';
import {
  decodeAnswer,
  encodeQuestion,
  FORMERR,
  type Question,
  type WireAnswer,
} from './dns-wire.ts';
import type { DnsServer } from './dns-servers.ts';

export interface Exchange<T extends DnsType> {
  readonly server: DnsServer;
  readonly question: Question<T>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Without EDNS. */
  readonly plain?: boolean;
}

export type Exchanged<T extends DnsType> =
  | { readonly type: 'answer'; readonly answer: WireAnswer<T> }
  | { readonly type: 'timeout' | 'unreachable' | 'cancelled'; readonly text: string };

type Settle<T extends DnsType> = (exchanged: Exchanged<T>) => void;

export async function exchange<T extends DnsType>(one: Exchange<T>): Promise<Exchanged<T>> {
  let first = await bounded(one, askOverUdp);
  // RFC 6891 §7: old servers do not understand EDNS.
  if (first.type === 'answer' && first.answer.rcode === FORMERR) {
    first = await bounded({ ...one, plain: true }, askOverUdp);
  }
  if (first.type !== 'answer' || !first.answer.truncated) return first;
  const second = await bounded(one, askOverTcp);
  if (second.type === 'answer' && second.answer.truncated) {
    return { type: 'unreachable', text: 'The answer is cut short over TCP too.' };
  }
  return second;
}

/** Asks until there is an answer, the time is over, or nobody wants to know any more. */
async function bounded<T extends DnsType>(
  one: Exchange<T>,
  ask: (one: Exchange<T>, settle: Settle<T>) => () => void,
): Promise<Exchanged<T>> {
  const { clock, signal, timeoutMs } = one;
  if (signal.aborted) return { type: 'cancelled', text: 'It was cancelled.' };
  let close = (): void => {};
  let cancelTimer = (): void => {};
  let onAbort = (): void => {};
  const exchanged = await new Promise<Exchanged<T>>((resolve) => {
    cancelTimer = clock.after(timeoutMs, () =>
      resolve({ type: 'timeout', text: 'It took too long.' }),
    );
    onAbort = () => resolve({ type: 'cancelled', text: 'It was cancelled.' });
    signal.addEventListener('abort', onAbort, { once: true });
    close = ask(one, resolve);
  });
  cancelTimer();
  signal.removeEventListener('abort', onAbort);
  close();
  return exchanged;
}

function askOverUdp<T extends DnsType>(
  { server, question, plain }: Exchange<T>,
  settle: Settle<T>,
): () => void {
  const socket = createSocket(isIPv6(server.ip) ? 'udp6' : 'udp4');
  socket.on('error', (error) => settle({ type: 'unreachable', text: error.message }));
  socket.on('message', (octets) => {
    const answer = decodeAnswer(octets, question);
    if (answer !== undefined) settle({ type: 'answer', answer });
  });
  socket.on('connect', () => socket.send(encodeQuestion(question, plain)));
  // Connected, the system drops what comes from elsewhere and tells when nobody is there.
  socket.connect(server.port, server.ip);
  return () => socket.close();
}

function askOverTcp<T extends DnsType>(
  { server, question }: Exchange<T>,
  settle: Settle<T>,
): () => void {
  const socket = connect({ host: server.ip, port: server.port });
  const pieces: Buffer[] = [];
  let length = 0;
  socket.on('error', (error) => settle({ type: 'unreachable', text: error.message }));
  socket.on('end', () => settle({ type: 'unreachable', text: 'It hung up.' }));
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    if (length < 2) return;
    const octets = Buffer.concat(pieces);
    const end = 2 + octets.readUInt16BE(0);
    if (length < end) return;
    const answer = decodeAnswer(octets.subarray(2, end), question);
    settle(
      answer === undefined
        ? { type: 'unreachable', text: 'The answer cannot be read.' }
        : { type: 'answer', answer },
    );
  });
  const message = encodeQuestion(question);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(message.length);
  socket.write(Buffer.concat([size, message]));
  return () => socket.destroy();
}
