/**
 * TLS keys of clients, in certificates and over real sockets with an IMAP server behind them; the
 * numbers are those of the list of what the IMAP server must do.
 */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { newKeys, newPair, type ClientPair } from '../../../support/certificates.ts';
import { ImapTalk } from '../../../support/imap-talk.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { temporaryDirectory } from '../../../support/temporary.ts';
import { ALICE } from '../../../support/world.ts';
import { openSelfSigned, serverContext, type KeyPair } from '#infra/certificates';
import { systemClock, systemRandom } from '#infra/clock';
import { listen, type Listener, type ListenOptions } from '#infra/sockets';
import type { KeyHolder } from '#protocols/ports';
import { judgeClientKey, readClientCertificate } from '#protocols/sasl/client-key';

describe('the certificate of a client', () => {
  it('tells the kind of its key', async () => {
    for (const [kind, keyType] of [
      ['ed25519', 'ed25519'],
      ['p256', 'ecdsa-p256'],
      ['p384', 'ecdsa-p384'],
      ['rsa1024', 'rsa-1024'],
      ['rsa2048', 'rsa-2048'],
    ] as const) {
      assert.equal(readClientCertificate((await newPair({ kind })).cert)?.keyType, keyType);
    }
  });

  it('is known by its key alone', async () => {
    const keys = await newKeys('ed25519');
    const first = readClientCertificate((await newPair({ keys })).cert);
    const more = { keys, subject: 'CN=other', expired: true };
    const second = readClientCertificate((await newPair(more)).cert);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.fingerprint, second.fingerprint);
    assert.notEqual(first.certificate, second.certificate);
    assert.match(first.fingerprint, /^[\w-]{43}$/);
    assert.notEqual(readClientCertificate((await newPair()).cert)?.fingerprint, first.fingerprint);
  });

  it('has a name that can stand in a list', async () => {
    for (const [subject, name] of [
      ['CN=laptop', 'laptop'],
      ['O=x, CN=J\u00fcrgens Telefon', 'J\u00fcrgens Telefon'],
      ['CN=first+CN=second', 'first'],
      ['', 'serial 0badcafe'],
      ['O=nobody', 'serial 0badcafe'],
      ['CN=a\u0007b', 'a b'],
      [`CN=${'x'.repeat(64)}`, 'x'.repeat(64)],
    ] as const) {
      assert.equal(readClientCertificate((await newPair({ subject })).cert)?.name, name);
    }
  });

  it('may stand behind its private key; what is none cannot be read', async () => {
    const { key, cert } = await newPair();
    assert.deepEqual(readClientCertificate(key + cert), readClientCertificate(cert));
    for (const text of ['', 'hello', key, '-----BEGIN CERTIFICATE-----\nAAAA\n']) {
      assert.equal(readClientCertificate(text), undefined);
    }
  });
});

let pair: KeyPair;
let root: Awaited<ReturnType<typeof temporaryDirectory>>;

before(async () => {
  root = await temporaryDirectory();
  const file = root.file('self-signed.pem');
  pair = await openSelfSigned({ file, names: [], clock: systemClock, random: systemRandom });
});

after(() => root[Symbol.asyncDispose]());

interface Scene extends TestServer {
  readonly listener: Listener;
  /** Makes the key of a certificate one of alice's, or of whom it says. */
  register(client: ClientPair, holder?: Partial<KeyHolder>): string;
}

async function open(tls: ListenOptions['tls'] = 'implicit', asksForKeys = true): Promise<Scene> {
  const server = await openTestServer();
  const { world } = server;
  const context = serverContext(pair);
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls,
    secureContext: () => context,
    handshakeMs: 60_000,
    judgeKey: asksForKeys
      ? (certificate, shown) => judgeClientKey(certificate, shown, 'imap', world)
      : undefined,
    clock: world.clock,
    log: world.log,
    onWire: (wire) => server.server.accept(wire),
  });
  return {
    ...server,
    listener,
    register({ cert }, holder = {}) {
      const fingerprint = readClientCertificate(cert)?.fingerprint ?? '';
      const alice = { accountId: ALICE, login: 'alice@example.org', imapPreauth: true };
      world.keys.set(fingerprint, { ...alice, ...holder });
      return fingerprint;
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function dial(scene: Scene, options: ConnectionOptions = {}): TLSSocket {
  const { port } = scene.listener;
  return connect({ host: '127.0.0.1', port, servername: 'localhost', ca: pair.cert, ...options });
}

/** What the server says first; undefined when it ends the connection without a word. */
async function firstLine(
  scene: Scene,
  options: ConnectionOptions = {},
): Promise<string | undefined> {
  const socket = dial(scene, options);
  const line = await new ImapTalk(socket).line();
  socket.destroy();
  return line;
}

describe('a client that shows a certificate', () => {
  for (const kind of ['ed25519', 'p256', 'rsa2048'] as const) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`42: is in with its key: ${kind}, ${version}`, async () => {
        await using scene = await open();
        const client = await newPair({ kind });
        scene.register(client);
        const only = { minVersion: version, maxVersion: version } as const;
        const talk = new ImapTalk(dial(scene, { ...client, ...only }));
        assert.match((await talk.line()) ?? '', /^\* PREAUTH \[CAPABILITY /);
        assert.match(await talk.ask('SELECT inbox'), /^OK /);
      });
    }
  }

  it('43: is in with another certificate of the key, long over and signed by nobody', async () => {
    await using scene = await open();
    const keys = await newKeys('ed25519');
    scene.register(await newPair({ keys }));
    const expired = await newPair({ keys, expired: true, subject: 'CN=other' });
    assert.ok(new X509Certificate(expired.cert).validToDate < new Date());
    assert.match((await firstLine(scene, { ...expired })) ?? '', /^\* PREAUTH /);
  });

  it('47, 48: hears nothing with an unknown key, and is one without soon', async () => {
    await using scene = await open();
    const { world } = scene;
    const stranger = await newPair();
    for (let i = 0; i < 10; i++) {
      assert.equal(world.rates.mayLogin('127.0.0.1'), true);
      assert.equal(await firstLine(scene, { ...stranger }), undefined);
    }
    assert.equal(world.rates.mayLogin('127.0.0.1'), false);
    const told = world.attempts.noted.filter(({ tls }) => tls?.version === 'TLSv1.3');
    assert.equal(told.length, 10);
    assert.partialDeepStrictEqual(told[0], {
      protocol: 'imap',
      mechanism: 'tlsclientauth',
      result: 'badcreds',
      login: '',
      remoteIp: '127.0.0.1',
      localIp: '127.0.0.1',
      fingerprint: readClientCertificate(stranger.cert)?.fingerprint,
    });
    const known = await newPair();
    scene.register(known);
    for (const client of [stranger, known, {}]) {
      assert.match((await firstLine(scene, { ...client })) ?? '', /^\* BYE too many failed logins/);
    }
    world.clock.advance(60_000);
    assert.match((await firstLine(scene, { ...known })) ?? '', /^\* PREAUTH /);
  });

  it('52: hears nothing when its account is closed', async () => {
    await using scene = await open();
    const client = await newPair();
    scene.register(client, { forbidden: 'suspended, call us' });
    assert.equal(await firstLine(scene, { ...client }), undefined);
    assert.deepEqual(
      scene.world.attempts.noted.map(({ result }) => result),
      ['logindisabled'],
    );
  });

  it('51: learns that its key was removed when its session goes on', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      await using scene = await open();
      const client = { ...(await newPair()), minVersion: version, maxVersion: version };
      const fingerprint = scene.register(client);
      const first = dial(scene, client);
      const sessions = once(first, 'session');
      const talk = new ImapTalk(first);
      assert.match((await talk.line()) ?? '', /^\* PREAUTH /);
      const [session] = await sessions;
      first.destroy();
      // Without the certificate: the key was shown when the session began.
      const { key: _1, cert: _2, ...resuming } = { ...client, session };
      assert.match((await firstLine(scene, resuming)) ?? '', /^\* PREAUTH /);
      scene.world.keys.delete(fingerprint);
      assert.match((await firstLine(scene, resuming)) ?? '', /^\* BYE \[ALERT\] /);
      assert.equal(await firstLine(scene, client), undefined);
    }
  });

  it('49: in STARTTLS is known afterwards, and not yet in', async () => {
    await using scene = await open('starttls');
    const client = await newPair({ kind: 'p256' });
    scene.register(client);
    const { port } = scene.listener;
    const plain = connectPlain({ host: '127.0.0.1', port });
    const before = new ImapTalk(plain);
    await before.line();
    assert.match(await before.ask('STARTTLS'), /^OK /);
    plain.removeAllListeners('data');
    const socket = connect({ socket: plain, servername: 'localhost', ca: pair.cert, ...client });
    const talk = new ImapTalk(socket);
    assert.match(await talk.ask('SELECT inbox'), /^NO /);
    talk.send('a CAPABILITY');
    assert.match((await talk.line()) ?? '', / AUTH=EXTERNAL /);
    await talk.line();
    assert.match(await talk.authenticate('EXTERNAL', { login: '' }), /^OK /);
  });

  it('54: is not asked for it where that is switched off', async () => {
    await using scene = await open('implicit', false);
    const client = await newPair();
    scene.register(client);
    const socket = dial(scene, { ...client });
    const talk = new ImapTalk(socket);
    const greeting = (await talk.line()) ?? '';
    assert.match(greeting, /^\* OK /);
    assert.ok(!greeting.includes('EXTERNAL'));
    assert.match(await talk.ask('AUTHENTICATE EXTERNAL ='), /^NO \[AUTHENTICATIONFAILED\]/);
    assert.equal(await firstLine(scene, { ...(await newPair()) }), greeting);
  });

  it('that is asked and shows none is like any other', async () => {
    await using scene = await open();
    assert.match((await firstLine(scene)) ?? '', /^\* OK \[CAPABILITY (?!.*EXTERNAL)/);
  });
});
