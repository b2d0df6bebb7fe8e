/**
 * Sockets: real ones, on loopback, on ports that the system picks.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { openSelfSigned, serverContext, type KeyPair } from '#infra/certificates';
import { openLog } from '#infra/log';
import { listen, tlsFactsOf, type Listener, type ListenOptions } from '#infra/sockets';
import type { Wire } from '#protocols/ports';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';

let root: string;
let pair: KeyPair;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'daybook-sockets-'));
  const file = path.join(root, 'self-signed.pem');
  // The clients of these tests look at the real date.
  const clock = fakeClock(Date.now());
  pair = await openSelfSigned({ file, names: [], clock, random: fakeRandom() });
});

after(async () => rm(root, { recursive: true }));

interface Scene extends AsyncDisposable {
  readonly listener: Listener;
  readonly clock: FakeClock;
  readonly lines: string[];
  /** The next client that came. */
  wire(): Promise<Wire>;
}

async function open(tls: ListenOptions['tls'], host = '127.0.0.1', port = 0): Promise<Scene> {
  const clock = fakeClock();
  // Sessions are resumed within one context.
  const context = serverContext(pair);
  const lines: string[] = [];
  const came: Wire[] = [];
  const awaited: ((wire: Wire) => void)[] = [];
  const listener = await listen({
    host,
    port,
    tls,
    secureContext: () => context,
    handshakeMs: 60_000,
    clock,
    log: openLog({ level: 'debug', to: (line) => lines.push(line) }),
    onWire: (wire) => (awaited.shift() ?? ((one: Wire) => came.push(one)))(wire),
  });
  return {
    listener,
    clock,
    lines,
    wire: async () => came.shift() ?? new Promise<Wire>((resolve) => awaited.push(resolve)),
    [Symbol.asyncDispose]: async () => listener.close(),
  };
}

function dial(scene: Scene): Socket {
  return connect({ port: scene.listener.port, host: '127.0.0.1' });
}

function trust(options: ConnectionOptions = {}): ConnectionOptions {
  return { host: 'localhost', servername: 'localhost', ca: pair.cert, ...options };
}

/** A client that has shaken hands, and the server's end of it. */
async function shakeHands(
  scene: Scene,
  options: ConnectionOptions = {},
): Promise<{ readonly client: TLSSocket; readonly wire: Wire }> {
  const client = connectTls(trust({ port: scene.listener.port, ...options }));
  const [wire] = await Promise.all([scene.wire(), once(client, 'secureConnect')]);
  return { client, wire };
}

/** Waits for the end of a stream, with an error or without. */
async function closed(stream: Duplex): Promise<void> {
  stream.on('error', () => stream.destroy());
  stream.resume();
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', () => resolve()));
}

async function textFrom(stream: Duplex, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const chunk: unknown = stream.read();
    if (chunk === null) await once(stream, 'readable');
    else if (Buffer.isBuffer(chunk)) text += chunk.toString();
  }
  return text;
}

/** Resolves when a line of the log has the phrase. */
async function logged(scene: Scene, phrase: string): Promise<string> {
  for (;;) {
    const line = scene.lines.find((one) => one.includes(phrase));
    if (line !== undefined) return line;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a plain wire', () => {
  it('carries octets both ways and knows its ends', async () => {
    await using scene = await open('none');
    const client = dial(scene);
    const wire = await scene.wire();
    assert.deepEqual([wire.remoteIp, wire.localIp], ['127.0.0.1', '127.0.0.1']);
    assert.deepEqual([wire.tls, wire.startTls], [undefined, undefined]);
    client.write('hello');
    assert.equal(await textFrom(wire.stream, 5), 'hello');
    wire.stream.write('world');
    assert.equal(await textFrom(client, 5), 'world');
    wire.destroy();
    await closed(client);
  });

  it('shows IPv4 addresses as such on a listener for everything', async () => {
    await using scene = await open('none', '');
    const client = dial(scene);
    assert.equal((await scene.wire()).remoteIp, '127.0.0.1');
    client.destroy();
  });

  it('ends nothing but itself when the client breaks off', async () => {
    await using scene = await open('none');
    const client = dial(scene);
    const wire = await scene.wire();
    client.resetAndDestroy();
    await closed(wire.stream);
    assert.match(await logged(scene, 'm=lost'), /ECONNRESET/);
  });
});

describe('implicit TLS', () => {
  for (const [version, type] of [
    ['TLSv1.2', 'tls-unique'],
    ['TLSv1.3', 'tls-exporter'],
  ] as const) {
    it(`${version} binds both ends to the same channel`, async () => {
      await using scene = await open('implicit');
      const only = { minVersion: version, maxVersion: version } as const;
      const { client, wire } = await shakeHands(scene, only);
      assert.equal(wire.startTls, undefined);
      assert.equal(wire.tls?.version, version);
      assert.equal(wire.tls.channelBinding.type, type);
      assert.ok(wire.tls.cipher.startsWith('TLS_'));
      assert.deepEqual(tlsFactsOf(client, 'client'), wire.tls);

      client.write('hello');
      assert.equal(await textFrom(wire.stream, 5), 'hello');
      wire.stream.write('world');
      assert.equal(await textFrom(client, 5), 'world');
      wire.destroy();
      await closed(client);
    });

    it(`${version} binds resumed sessions too`, async () => {
      await using scene = await open('implicit');
      const only = { minVersion: version, maxVersion: version } as const;
      const first = connectTls(trust({ port: scene.listener.port, ...only }));
      const sessions = once(first, 'session');
      const wire = await scene.wire();
      first.resume();
      const [session] = await sessions;
      first.destroy();

      const { client: second, wire: again } = await shakeHands(scene, { ...only, session });
      assert.equal(second.isSessionReused(), true);
      assert.notDeepEqual(again.tls?.channelBinding.data, wire.tls?.channelBinding.data);
      assert.deepEqual(tlsFactsOf(second, 'client'), again.tls);
      second.destroy();
    });
  }

  it('refuses what is older than TLS 1.2', async () => {
    await using scene = await open('implicit');
    const { port } = scene.listener;
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const client = connectTls(trust({ port, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers }));
    await assert.rejects(once(client, 'secureConnect'));
    assert.match(await logged(scene, 'tls handshake failed'), /l=info .*UNSUPPORTED_PROTOCOL/);
  });

  it('gives up on a client that does not speak TLS', async () => {
    await using scene = await open('implicit');
    const client = dial(scene);
    client.write('GET / HTTP/1.1\r\n\r\n');
    await closed(client);
    assert.match(await logged(scene, 'tls handshake failed'), /ERR_SSL_HTTP_REQUEST/);
    assert.equal(scene.clock.waiting, 0);
  });

  it('gives up on a client that says nothing', async () => {
    await using scene = await open('implicit');
    const client = dial(scene);
    await once(client, 'connect');
    while (scene.clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    scene.clock.advance(60_000);
    await closed(client);
    assert.match(await logged(scene, 'tls handshake failed'), /took too long/);
  });

  it('notices a client that leaves amid the handshake', async () => {
    await using scene = await open('implicit');
    const client = dial(scene);
    client.end(Buffer.from([22, 3, 1]));
    assert.match(await logged(scene, 'tls handshake failed'), /TlsHandshakeFailed/);
    client.destroy();
  });
});

describe('STARTTLS', () => {
  it('goes on inside TLS, with a handshake whose beginning was read already', async () => {
    await using scene = await open('starttls');
    const raw = dial(scene);
    const wire = await scene.wire();
    raw.write('STARTTLS\r\n');
    assert.equal(await textFrom(wire.stream, 10), 'STARTTLS\r\n');
    wire.stream.write('go\r\n');
    assert.equal(await textFrom(raw, 4), 'go\r\n');

    const client = connectTls(trust({ socket: raw }));
    await once(wire.stream, 'readable');
    const alreadyRead: unknown = wire.stream.read();
    assert.ok(Buffer.isBuffer(alreadyRead) && alreadyRead.length > 0);
    assert.ok(wire.startTls !== undefined);
    const shaken = once(client, 'secureConnect');
    const [inside] = await Promise.all([wire.startTls(alreadyRead), shaken]);
    assert.deepEqual(tlsFactsOf(client, 'client'), inside.tls);
    assert.equal(inside.startTls, undefined);
    assert.equal(inside.remoteIp, '127.0.0.1');
    client.write('hello');
    assert.equal(await textFrom(inside.stream, 5), 'hello');
    inside.destroy();
    await closed(raw);
  });

  it('takes no commands that were sent along in the clear', async () => {
    await using scene = await open('starttls');
    const raw = dial(scene);
    raw.on('error', () => raw.destroy());
    raw.write('STARTTLS\r\na NOOP\r\n');
    const wire = await scene.wire();
    const read = await textFrom(wire.stream, 18);
    assert.ok(wire.startTls !== undefined);
    const failure = { name: 'Fault', code: 'TlsHandshakeFailed', temporary: false };
    await assert.rejects(wire.startTls(Buffer.from(read.slice(10))), failure);
    raw.destroy();
  });
});

describe('a listener', () => {
  it('says in a sentence that its port is taken', async () => {
    await using scene = await open('none');
    const { port } = scene.listener;
    const where = `Port ${port} of 127.0.0.1`;
    const message = `${where} is taken by another program: end it, or configure another port.`;
    await assert.rejects(open('none', '127.0.0.1', port), { code: 'CannotListen', message });
  });

  it('says in a sentence that an address is not its own', async () => {
    const message = /^Port 0 of 192\.0\.2\.1 cannot be opened: this machine does not have/;
    await assert.rejects(open('none', '192.0.2.1'), { code: 'CannotListen', message });
  });

  it('stops without ending what goes on, and closes with it', async () => {
    await using scene = await open('implicit');
    const { client, wire } = await shakeHands(scene);
    const silent = dial(scene);
    await once(silent, 'connect');
    while (scene.clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    scene.listener.stop();
    await assert.rejects(once(dial(scene), 'connect'), { code: 'ECONNREFUSED' });
    wire.stream.write('still here');
    assert.equal(await textFrom(client, 10), 'still here');
    const gone = Promise.all([closed(client), closed(silent)]);
    await scene.listener.close();
    await gone;
    assert.equal(wire.stream.destroyed, true);
  });
});
