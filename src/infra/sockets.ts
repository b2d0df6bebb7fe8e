/**
 * Sockets: listening, and connections as the wires that protocols talk over.
 *
 * Invariants: every socket has an error listener, so that no peer ends the process; what came in
 * before STARTTLS is part of the handshake and never of the conversation after it; a client that
 * shows a key which is refused does not get to speak.
 * Diagnostics: a port that cannot be opened is the Fault CannotListen, with a sentence for the
 * administrator; a handshake that fails or takes too long is the Fault TlsHandshakeFailed.
 * RFC 9266 (tls-exporter), RFC 5929 §3 (tls-unique).
 */

import type { X509Certificate } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { Fault } from '#domain/values/fault';
import type { CertificateShown, Clock, Log, PeerKey, TlsFacts, Wire } from '#protocols/ports';

const KEEP_ALIVE_MS = 5 * 60_000;
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
const EXPORTER_BYTES = 32;

type Judgement = PeerKey | 'refused' | undefined;

export interface ListenOptions {
  /** Address or name to bind; all addresses when it is ''. */
  readonly host: string;
  /** 0 for one that is free. */
  readonly port: number;
  /** `none`: no TLS at all; `starttls`: when the client asks; `implicit`: from the first octet. */
  readonly tls: 'none' | 'starttls' | 'implicit';
  /**
   * Asked for at each handshake, so that a renewed certificate is used at once; again with the name
   * that the client wants, if it says one (RFC 6066 §3).
   */
  readonly secureContext: (serverName?: string) => SecureContext;
  readonly handshakeMs: number;
  /**
   * Clients are asked for a certificate, and this is told of it: it says which key is known from
   * then on, if any, or that the connection ends here. Absent: none is asked for.
   */
  readonly judgeKey?:
    ((certificate: X509Certificate, shown: CertificateShown) => Judgement) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** A client is there; with `implicit` its handshake is over. */
  readonly onWire: (wire: Wire) => void;
}

export interface Listener extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Takes no more connections; those that are open go on. */
  stop(): void;
  /** Stops, ends what is still open, and resolves when all is gone. */
  close(): Promise<void>;
}

export async function listen(options: ListenOptions): Promise<Listener> {
  const server = createServer({
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    noDelay: true,
  });
  const listener = new SocketListener(server, options);
  await listener.open();
  return listener;
}

class SocketListener implements Listener {
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #sockets = new Set<Socket>();
  /** Still known when we no longer listen. */
  #address: { readonly address: string; readonly port: number };
  #closed: Promise<void> | undefined;

  constructor(server: Server, options: ListenOptions) {
    this.#server = server;
    this.#options = options;
    this.#address = { address: options.host, port: options.port };
    server.on('connection', (socket) => this.#accept(socket));
  }

  get host(): string {
    return this.#address.address;
  }

  get port(): number {
    return this.#address.port;
  }

  async open(): Promise<void> {
    const { host, port, log } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(host, port, error)));
      this.#server.listen({ port, ...(host === '' ? {} : { host }), exclusive: true }, resolve);
    });
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#address = address;
    this.#server.removeAllListeners('error');
    this.#server.on('error', (err) => log.warn({ err, port }, 'accepting connections failed'));
  }

  stop(): void {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async close(): Promise<void> {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(socket: Socket): void {
    const { tls, log, onWire } = this.#options;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', (err) => log.debug({ err, ip: plainIp(socket.remoteAddress) }, 'lost'));
    // A client that is gone already has no address any more.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const plain = plainWire(socket, tls === 'none' ? undefined : this.#options);
    if (tls !== 'implicit') return onWire(plain);
    secure(socket, Buffer.alloc(0), this.#options).then(onWire, (err: unknown) => {
      log.info({ err, ip: plain.remoteIp, port: socket.localPort }, 'tls handshake failed');
    });
  }
}

function plainWire(socket: Socket, options: ListenOptions | undefined): Wire {
  return {
    ...endsOf(socket),
    stream: socket,
    tls: undefined,
    startTls: options === undefined ? undefined : async (read) => secure(socket, read, options),
    destroy: () => socket.destroy(),
  };
}

/** Lets the client's handshake happen on an open socket; `alreadyRead` is its beginning. */
async function secure(socket: Socket, alreadyRead: Buffer, options: ListenOptions): Promise<Wire> {
  const ends = endsOf(socket);
  socket.pause();
  for (const event of ['data', 'readable']) socket.removeAllListeners(event);
  if (alreadyRead.length > 0) socket.unshift(alreadyRead);
  const stream = new TLSSocket(socket, {
    isServer: true,
    secureContext: options.secureContext(),
    SNICallback: (serverName, chosen) => chosen(null, options.secureContext(serverName)),
    // Nobody needs to have signed the certificate: it is only the key that counts.
    requestCert: options.judgeKey !== undefined,
    rejectUnauthorized: false,
  });
  await handshake(stream, options);
  stream.on('error', (err) => options.log.debug({ err, ip: ends.remoteIp }, 'lost'));
  const tls = withPeerKey(stream, ends, options);
  return { ...ends, stream, tls, startTls: undefined, destroy: () => stream.destroy() };
}

/** Throws a Fault when the client's key is refused; the connection is then gone. */
function withPeerKey(stream: TLSSocket, ends: Ends, { judgeKey }: ListenOptions): TlsFacts {
  const tls = tlsFactsOf(stream, 'server');
  const certificate = judgeKey === undefined ? undefined : stream.getPeerX509Certificate();
  if (certificate === undefined) return tls;
  const shown = {
    ip: ends.remoteIp,
    localIp: ends.localIp,
    tls,
    resumed: stream.isSessionReused(),
  };
  const judgement = judgeKey?.(certificate, shown);
  if (judgement === undefined) return tls;
  if (judgement !== 'refused') return { ...tls, peerKey: judgement };
  stream.destroy();
  const sentence = 'The key that the client has shown lets nobody in.';
  throw new Fault('TlsHandshakeFailed', sentence, { temporary: false });
}

async function handshake(stream: TLSSocket, options: ListenOptions): Promise<void> {
  let failure: unknown;
  await new Promise<void>((resolve, reject) => {
    const cancel = options.clock.after(options.handshakeMs, () => {
      failure = new Error('The client took too long.');
      stream.destroy();
    });
    // Node tells why only here; what follows is a mere end of the stream.
    stream.once('_tlsError', (error: unknown) => (failure ??= error));
    stream.on('error', (error) => (failure ??= error));
    stream.once('secure', () => {
      cancel();
      resolve();
    });
    stream.once('close', () => {
      cancel();
      const sentence = 'The TLS handshake failed.';
      const cause = failure ?? new Error('The client left.');
      reject(new Fault('TlsHandshakeFailed', sentence, { cause, temporary: false }));
    });
  });
}

/** What TLS made of a connection, seen from one of its ends. */
export function tlsFactsOf(stream: TLSSocket, end: 'server' | 'client'): TlsFacts {
  const version = stream.getProtocol() ?? '';
  const cipher = stream.getCipher().standardName;
  if (version !== 'TLSv1.2') {
    const data = stream.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
    return { version, cipher, channelBinding: { type: 'tls-exporter', data } };
  }
  // RFC 5929 §3.1: the first Finished message; the client's, on a resumed session the server's.
  const firstIsOurs = (end === 'client') !== stream.isSessionReused();
  const data = firstIsOurs ? stream.getFinished() : stream.getPeerFinished();
  if (data === undefined) throw new Error('TLS 1.2 without Finished messages');
  return { version, cipher, channelBinding: { type: 'tls-unique', data } };
}

type Ends = Pick<Wire, 'remoteIp' | 'localIp'>;

function endsOf(socket: Socket): Ends {
  return { remoteIp: plainIp(socket.remoteAddress), localIp: plainIp(socket.localAddress) };
}

/** IPv4 addresses come in the dress of IPv6 on sockets that take both. */
function plainIp(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function cannotListen(host: string, port: number, cause: Error): Fault {
  const where = host === '' ? `Port ${port}` : `Port ${port} of ${host}`;
  const why = LISTEN_PROBLEMS[codeOf(cause)] ?? `cannot be opened: ${cause.message}`;
  return new Fault('CannotListen', `${where} ${why}`, { cause, temporary: false });
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program: end it, or configure another port.',
  EACCES: 'may not be opened by this user: configure a port from 1024 upwards.',
  EADDRNOTAVAIL: 'cannot be opened: this machine does not have the address.',
  ENOTFOUND: 'cannot be opened: the name has no address.',
};

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}
