/**
 * Connections by way of a SOCKS5 server: TLS through it, early words, and refusals.
 */

import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openSelfSigned, serverContext } from '#infra/certificates';
import { listen, type Listener } from '#infra/sockets';
import { openSocksDialer } from '#infra/socks';
import type { Dialer } from '#protocols/ports';
import { fakeClock, fakeRandom, type FakeClock } from '../../support/clock.ts';
import { silentLog } from '../../support/silent-log.ts';
import { startSocksServer, type SocksTestServer } from '../../support/socks-server.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

async function farEnd(tls: 'none' | 'implicit' = 'none'): Promise<Listener> {
  await using directory = await temporaryDirectory();
  const clock = fakeClock(Date.now());
  const file = directory.file('self-signed.pem');
  const pair = await openSelfSigned({ file, names: [], clock, random: fakeRandom() });
  return await listen({
    host: '127.0.0.1',
    port: 0,
    tls,
    secureContext: () => serverContext(pair),
    handshakeMs: 60_000,
    clock,
    log: silentLog,
    onWire: ({ stream }) => stream.end('220 hello\r\n'),
  });
}

function dialerBy({ port }: SocksTestServer, clock: FakeClock = fakeClock()): Dialer {
  return openSocksDialer({ host: '127.0.0.1', port }, { clock, log: silentLog });
}

function targetOf(port: number): { host: string; port: number; timeoutMs: number } {
  return { host: '127.0.0.1', port, timeoutMs: 5000 };
}

describe('a SOCKS5 server', () => {
  it('leads to the target, and what that says is heard', async () => {
    await using proxy = await startSocksServer();
    await using far = await farEnd();
    const wire = await dialerBy(proxy).dial({ ...targetOf(far.port), tls: 'none' });
    assert.equal(await text(wire.stream), '220 hello\r\n');
    assert.deepEqual(proxy.asked, [`127.0.0.1:${far.port}`]);
    wire.destroy();
  });

  it('may say the first words together with its answer', async () => {
    await using proxy = await startSocksServer(0, '220-early\r\n');
    await using far = await farEnd();
    const wire = await dialerBy(proxy).dial({ ...targetOf(far.port), tls: 'none' });
    assert.equal(await text(wire.stream), '220-early\r\n220 hello\r\n');
    wire.destroy();
  });

  it('lets TLS through to the target', async () => {
    await using proxy = await startSocksServer();
    await using far = await farEnd('implicit');
    const trust = { anyCertificate: true };
    const wire = await dialerBy(proxy).dial({ ...targetOf(far.port), tls: 'implicit', trust });
    assert.equal(wire.tls?.version, 'TLSv1.3');
    assert.equal(await text(wire.stream), '220 hello\r\n');
    wire.destroy();
  });

  it('that refuses, is not there or says nothing is a connection that failed', async () => {
    await using refusing = await startSocksServer(2);
    const target = { ...targetOf(25), tls: 'none' } as const;
    await assert.rejects(dialerBy(refusing).dial(target), {
      code: 'CannotConnect',
      message: /NotAllowed/,
    });
    const gone = await startSocksServer();
    await gone[Symbol.asyncDispose]();
    await assert.rejects(dialerBy(gone).dial(target), { code: 'CannotConnect' });
    await using silent = await startSocksServer('silence');
    const clock = fakeClock();
    const dialing = dialerBy(silent, clock).dial(target);
    const failing = assert.rejects(dialing, { code: 'CannotConnect' });
    while (silent.asked.length === 0) await new Promise(setImmediate);
    clock.advance(5000);
    await failing;
    assert.equal(clock.waiting, 0);
  });

  it('is given up on when nobody wants the connection any more', async () => {
    await using silent = await startSocksServer('silence');
    const control = new AbortController();
    const target = { ...targetOf(25), tls: 'none', signal: control.signal } as const;
    const failing = assert.rejects(dialerBy(silent).dial(target), { code: 'CannotConnect' });
    while (silent.asked.length === 0) await new Promise(setImmediate);
    control.abort();
    await failing;
  });
});
