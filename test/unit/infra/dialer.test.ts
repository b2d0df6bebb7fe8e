/**
 * The dialer against listeners of our own and of Node, on loopback, on ports that the system picks.
 */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { openSelfSigned, serverContext, type KeyPair } from '#infra/certificates';
import { openDialer } from '#infra/dialer';
import { listen, type Listener, type ListenOptions } from '#infra/sockets';
import type { Dialer, DialTarget, ServerCertificates, TlsTrust, Wire } from '#protocols/ports';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../../support/temporary.ts';

/** Elsewhere 127.0.0.1 is the only one. */
const TWO_LOOPBACKS = { skip: process.platform !== 'linux' && '127.0.0.2 is no address here' };

let directory: TemporaryDirectory;
let pair: KeyPair;

before(async () => {
  directory = await temporaryDirectory();
  // Whoever checks the certificate looks at the real date.
  const clock = fakeClock(Date.now());
  const file = directory.file('self-signed.pem');
  pair = await openSelfSigned({ file, names: [], clock, random: fakeRandom() });
});

after(async () => directory[Symbol.asyncDispose]());

interface Scene extends AsyncDisposable {
  readonly listener: Listener;
  readonly dialer: Dialer;
  readonly clock: FakeClock;
  /** The server's end of the next connection. */
  wire(): Promise<Wire>;
}

async function open(tls: ListenOptions['tls']): Promise<Scene> {
  const clock = fakeClock();
  const came: Wire[] = [];
  const awaited: ((wire: Wire) => void)[] = [];
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls,
    secureContext: () => serverContext(pair),
    handshakeMs: 60_000,
    clock,
    log: silentLog,
    onWire: (wire) => (awaited.shift() ?? ((one: Wire) => came.push(one)))(wire),
  });
  return {
    listener,
    dialer: openDialer({ clock, log: silentLog }),
    clock,
    wire: async () => came.shift() ?? new Promise<Wire>((resolve) => awaited.push(resolve)),
    [Symbol.asyncDispose]: async () => listener.close(),
  };
}

function target(port: number, more: Partial<DialTarget> = {}): DialTarget {
  return {
    host: '127.0.0.1',
    port,
    tls: 'none',
    trust: { serverName: 'localhost', authorities: [pair.cert] },
    timeoutMs: 5000,
    ...more,
  };
}

async function textFrom(stream: Duplex): Promise<string> {
  for (;;) {
    const chunk: unknown = stream.read();
    if (Buffer.isBuffer(chunk)) return chunk.toString();
    await once(stream, 'readable');
  }
}

/** A server that does with its sockets whatever the test says. */
async function strangeServer(
  onSocket: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a dialer', () => {
  it('opens a plain wire that carries octets both ways', async () => {
    await using scene = await open('none');
    const wire = await scene.dialer.dial(target(scene.listener.port));
    const far = await scene.wire();
    assert.deepEqual([wire.remoteIp, wire.tls, wire.startTls], ['127.0.0.1', undefined, undefined]);
    wire.stream.write('hello');
    assert.equal(await textFrom(far.stream), 'hello');
    far.stream.write('world');
    assert.equal(await textFrom(wire.stream), 'world');
    wire.destroy();
    assert.equal(scene.clock.waiting, 0);
  });

  it(
    'begins where it is told to, towards an address and towards a name',
    TWO_LOOPBACKS,
    async () => {
      await using scene = await open('none');
      const { clock } = scene;
      const dialer = openDialer({ clock, log: silentLog, sourceIps: { ipv4: '127.0.0.2' } });
      for (const host of ['127.0.0.1', 'localhost']) {
        const wire = await dialer.dial(target(scene.listener.port, { host }));
        assert.equal(wire.localIp, '127.0.0.2');
        assert.equal((await scene.wire()).remoteIp, '127.0.0.2');
        wire.destroy();
      }
      assert.equal(clock.waiting, 0);
    },
  );

  it('says that a name has no address', async () => {
    const clock = fakeClock();
    const dialer = openDialer({ clock, log: silentLog, sourceIps: { ipv4: '127.0.0.2' } });
    const nobody = target(1, { host: 'nobody.invalid' });
    await assert.rejects(dialer.dial(nobody), { code: 'CannotConnect' });
    assert.equal(clock.waiting, 0);
  });

  it('speaks TLS at once, and both ends know the same channel', async () => {
    await using scene = await open('implicit');
    const wire = await scene.dialer.dial(target(scene.listener.port, { tls: 'implicit' }));
    const far = await scene.wire();
    assert.equal(wire.tls?.version, 'TLSv1.3');
    assert.deepEqual(wire.tls?.channelBinding, far.tls?.channelBinding);
    wire.destroy();
  });

  it('speaks TLS later when told', async () => {
    await using scene = await open('starttls');
    const plain = await scene.dialer.dial(target(scene.listener.port, { tls: 'starttls' }));
    const far = await scene.wire();
    const nothing = Buffer.alloc(0);
    const [wire, farWire] = await Promise.all([plain.startTls?.(nothing), far.startTls?.(nothing)]);
    assert.deepEqual(wire?.tls?.channelBinding, farWire?.tls?.channelBinding);
    farWire?.stream.write('secret');
    assert.equal(wire && (await textFrom(wire.stream)), 'secret');
    wire?.destroy();
  });

  it('shows its certificate when the server asks for one', async () => {
    const asked = { ...pair, requestCert: true, rejectUnauthorized: false };
    const shown = Promise.withResolvers<string | undefined>();
    const server = createTlsServer(asked, (socket: TLSSocket) => {
      shown.resolve(socket.getPeerX509Certificate()?.toString());
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const dialer = openDialer({ clock: fakeClock(), log: silentLog });
    const wire = await dialer.dial(target(port, { tls: 'implicit', clientKey: pair }));
    assert.equal((await shown.promise)?.trim(), pair.cert.trim());
    wire.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('believes no certificate that it cannot trace, unless told', async () => {
    await using scene = await open('implicit');
    const { port } = scene.listener;
    const dial = (trust: DialTarget['trust']): Promise<Wire> =>
      scene.dialer.dial({ ...target(port, { tls: 'implicit' }), ...(trust && { trust }) });
    await assert.rejects(dial({}), { name: 'Fault', code: 'TlsHandshakeFailed' });
    const wire = await dial({ anyCertificate: true });
    wire.destroy();
  });

  it('believes no certificate of somebody else', async () => {
    await using scene = await open('implicit');
    const trust = { serverName: 'mail.example.org', authorities: [pair.cert] };
    const dial = scene.dialer.dial(target(scene.listener.port, { tls: 'implicit', trust }));
    await assert.rejects(dial, { code: 'TlsHandshakeFailed', message: /mail\.example\.org/ });
  });

  it('lets whoever dials judge the certificates, and says what it thinks of them', async () => {
    await using scene = await open('starttls');
    const shown: ServerCertificates[] = [];
    const dial = async (trust: TlsTrust, objection?: string): Promise<Wire | undefined> => {
      const judge = (certificates: ServerCertificates): string | undefined => {
        shown.push(certificates);
        return objection;
      };
      const to = target(scene.listener.port, { tls: 'starttls', trust: { ...trust, judge } });
      const plain = await scene.dialer.dial(to);
      const far = await scene.wire();
      const nothing = Buffer.alloc(0);
      const securing = far.startTls?.(nothing).catch(() => undefined);
      const wire = await plain.startTls?.(nothing);
      await securing;
      return wire;
    };
    const own = new X509Certificate(pair.cert).raw;
    const trusted = { serverName: 'localhost', authorities: [pair.cert] };
    (await dial(trusted))?.destroy();
    (await dial({ ...trusted, serverName: 'mail.example.org' }))?.destroy();
    (await dial({ serverName: 'localhost' }))?.destroy();
    assert.deepEqual(shown, [
      { chain: [own], problem: undefined },
      { chain: [own], problem: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      { chain: [own], problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    ]);
    const refused = dial(trusted, 'This is not the key in DNS.');
    await assert.rejects(refused, { code: 'TlsHandshakeFailed', message: /the key in DNS/ });
  });

  it('says where nobody answers', async () => {
    const scene = await open('none');
    const { port } = scene.listener;
    await scene.listener.close();
    const sentence = new RegExp(`^Cannot connect to 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`);
    const failure = { code: 'CannotConnect', temporary: true, message: sentence };
    await assert.rejects(scene.dialer.dial(target(port)), failure);
  });

  it('waits for a handshake only so long', async () => {
    await using server = await strangeServer(() => undefined);
    const clock = fakeClock();
    const dialing = openDialer({ clock, log: silentLog }).dial(
      target(server.port, { tls: 'implicit' }),
    );
    const failing = assert.rejects(dialing, { code: 'TlsHandshakeFailed', message: /too long/ });
    const time = setInterval(() => clock.advance(1000), 1);
    await failing;
    clearInterval(time);
    assert.equal(clock.waiting, 0);
  });

  it('fails where the server speaks no TLS', async () => {
    await using server = await strangeServer((socket) => void socket.write('* OK hello\r\n'));
    const dialer = openDialer({ clock: fakeClock(), log: silentLog });
    const dialing = dialer.dial(target(server.port, { tls: 'implicit' }));
    await assert.rejects(dialing, { code: 'TlsHandshakeFailed' });
  });

  it('gives up when told, before and during', async () => {
    await using server = await strangeServer(() => undefined);
    const dialer = openDialer({ clock: fakeClock(), log: silentLog });
    const gone = AbortSignal.abort();
    const early = dialer.dial(target(server.port, { signal: gone }));
    await assert.rejects(early, { code: 'CannotConnect', message: /cancelled/ });
    const control = new AbortController();
    const { signal } = control;
    const late = dialer.dial(target(server.port, { tls: 'implicit', signal }));
    setImmediate(() => control.abort());
    await assert.rejects(late, { message: /cancelled/ });
  });
});
