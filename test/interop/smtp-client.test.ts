/**
 * Our SMTP client over real sockets: with our server, with the npm package smtp-server, with
 * smtp-sink of Postfix, and in the example program.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { freeLoopbackAddress, LOGIN, PASSWORD, startLocalserve } from '../support/localserve.ts';
import { missing, runDaybook, runProgram } from '../support/programs.ts';
import { silentLog } from '../support/silent-log.ts';
import { bodyOf, deliveryTo, outcomes } from '../support/smtp-client.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { openSelfSigned, type KeyPair } from '#infra/certificates';
import { systemClock, systemRandom } from '#infra/clock';
import { openDialer } from '#infra/dialer';
import { openSmtpClient, type SmtpClientOptions } from '#protocols/smtp/client';
import { STRONG_MECHANISMS } from '#protocols/smtp/client-login';
import type { SmtpClient } from '#protocols/smtp/client-session';

type Where = Pick<SmtpClientOptions, 'host' | 'port' | 'tls'> & Partial<SmtpClientOptions>;

async function connected(where: Where): Promise<SmtpClient> {
  return await openSmtpClient({
    dialer: openDialer({ clock: systemClock, log: silentLog }),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    hostName: 'client.example',
    ...where,
  });
}

async function newPair(directory: { file(name: string): string }): Promise<KeyPair> {
  const file = directory.file('pair.pem');
  return await openSelfSigned({
    file,
    names: ['localhost'],
    clock: systemClock,
    random: systemRandom,
  });
}

const FRIEND = 'friend@example.org';

test('our client and our server, with and without STARTTLS, every mechanism', async () => {
  await using server = await startLocalserve();
  const file = join(server.dir, 'config', 'tls', 'localhost.pem');
  const trust = { serverName: 'localhost', authorities: [await readFile(file, 'utf8')] };
  const text = `From: ${LOGIN}\r\nTo: ${FRIEND}\r\nSubject: x\r\n\r\n.\r\n..dots\r\n`;
  const big = bodyOf(text, 'x'.repeat(76).concat('\r\n').repeat(50_000));
  const to = deliveryTo([FRIEND, LOGIN], { mailFrom: LOGIN, body: big });
  for (const [tls, port, mechanism] of [
    ['implicit', 1465, 'SCRAM-SHA-256-PLUS'],
    ['starttls', 1587, 'SCRAM-SHA-256-PLUS'],
    ['starttls', 1587, 'SCRAM-SHA-1-PLUS'],
    ['implicit', 1465, 'SCRAM-SHA-256'],
    ['implicit', 1465, 'CRAM-MD5'],
    ['implicit', 1465, 'PLAIN'],
    ['implicit', 1465, 'LOGIN'],
  ] as const) {
    await using client = await connected({ host: server.ip, port, tls, trust });
    assert.equal(client.tlsProblem, undefined);
    const wrong = { login: LOGIN, password: 'guess', mechanisms: [mechanism] };
    await assert.rejects(client.authenticate(wrong), { code: 'Refused', enhanced: '5.7.8' });
    const mechanisms = mechanism.endsWith('256-PLUS') ? STRONG_MECHANISMS : [mechanism];
    const used = await client.authenticate({ login: LOGIN, password: PASSWORD, mechanisms });
    assert.equal(used, mechanism);
    assert.deepEqual(outcomes(await client.deliver(to)), [250, 250]);
    const forged = await client.deliver({ ...to, mailFrom: 'other@example.org' });
    assert.deepEqual([forged.failure?.code, forged.failure?.stage], ['Refused', 'mail']);
    assert.deepEqual(outcomes(await client.deliver(to)), [250, 250]);
    await client.quit();
  }
});

test('our client is known by its TLS key, and a key that nobody knows is not let in', async () => {
  await using server = await startLocalserve();
  await using directory = await temporaryDirectory();
  const clientKey = await newPair(directory);
  const config = ['config', 'tlspubkey', 'add', LOGIN, '--dir', server.dir];
  const ran = await runDaybook(config, { input: clientKey.cert });
  assert.equal(ran.code, 0, ran.stderr);
  const where = { host: server.ip, trust: { anyCertificate: true }, clientKey };
  for (const [tls, port, login] of [
    ['implicit', 1465, ''],
    ['starttls', 1587, LOGIN],
  ] as const) {
    await using client = await connected({ ...where, port, tls });
    assert.equal(client.tlsProblem, 'certificate-not-trusted');
    assert.equal(await client.authenticate({ login }), 'EXTERNAL');
    const body = bodyOf(`From: ${LOGIN}\r\n\r\nhello\r\n`);
    const result = await client.deliver(deliveryTo([FRIEND], { mailFrom: LOGIN, body }));
    assert.deepEqual(outcomes(result), [250]);
    await client.quit();
  }
  await using elsewhere = await temporaryDirectory();
  const stranger = { ...where, clientKey: await newPair(elsewhere) };
  const refused = connected({ ...stranger, port: 1465, tls: 'implicit' });
  await assert.rejects(refused, { name: 'SmtpClientError' });
});

test('our client delivers to our own port for strangers', async () => {
  await using server = await startLocalserve();
  await using client = await connected({
    host: server.ip,
    port: 1025,
    tls: 'opportunistic',
    trust: { anyCertificate: true },
  });
  assert.equal(client.tls?.version, 'TLSv1.3');
  const delivery = deliveryTo([LOGIN], { mailFrom: 'you@example.org' });
  assert.deepEqual(outcomes(await client.deliver(delivery)), [250]);
  await client.quit();
});

interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly received: string[];
}

/** The npm package, with the faults of the test. */
async function startPeer(options: SMTPServerOptions): Promise<Peer> {
  const received: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    onData: (stream, session, done) => {
      void buffer(stream).then((octets) => {
        received.push(octets.toString());
        done(session.envelope.rcptTo.length > 5 ? refusal(554, 'too many') : null);
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

test('our client and smtp-server: every login that it knows, and the wrong ones', async () => {
  await using directory = await temporaryDirectory();
  const pair = await newPair(directory);
  await using peer = await startPeer({
    ...pair,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    onAuth: (auth, _session, done) => {
      const isRight =
        auth.method === 'CRAM-MD5' ? auth.validatePassword('pass') : auth.password === 'pass';
      if (isRight && auth.username === 'me') done(null, { user: 'me' });
      else done(refusal(535, 'wrong'));
    },
  });
  const trust = { serverName: 'localhost', authorities: [pair.cert] };
  const where = { host: '127.0.0.1', port: peer.port, tls: 'starttls', trust } as const;
  for (const name of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
    await using client = await connected(where);
    const mechanisms = [name];
    const wrong = { login: 'me', password: 'guess', mechanisms };
    await assert.rejects(client.authenticate(wrong), { code: 'Refused', permanent: true });
    const used = await client.authenticate({ login: 'me', password: 'pass', mechanisms });
    assert.equal(used, name);
    assert.deepEqual(outcomes(await client.deliver(deliveryTo([FRIEND]))), [250]);
    await client.quit();
  }
  assert.deepEqual(peer.received, Array(3).fill('Subject: hi\r\n\r\nhello\r\n'));
  const mismatch = { ...trust, serverName: 'mx.example.org' };
  await assert.rejects(connected({ ...where, trust: mismatch }), {
    code: 'TlsFailed',
    stage: 'tls',
    tlsProblem: 'certificate-host-mismatch',
  });
});

test('our client and smtp-server: what goes wrong', async () => {
  await using peer = await startPeer({
    size: 1000,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onMailFrom: ({ address }, _session, done) =>
      done(address.startsWith('bad') ? refusal(451, 'not now') : null),
    onRcptTo: ({ address }, _session, done) =>
      done(address.startsWith('no') ? refusal(550, 'nobody') : null),
  });
  const where = { host: '127.0.0.1', port: peer.port } as const;
  await assert.rejects(connected({ ...where, tls: 'starttls' }), { code: 'TlsNotOffered' });
  await using client = await connected({ ...where, tls: 'opportunistic' });
  assert.equal(client.tlsProblem, 'starttls-not-supported');
  const bad = await client.deliver(deliveryTo([FRIEND], { mailFrom: 'bad@example.org' }));
  assert.deepEqual([bad.failure?.stage, bad.failure?.permanent], ['mail', false]);
  const mixed = await client.deliver(deliveryTo(['no@example.org', FRIEND]));
  assert.deepEqual(outcomes(mixed), [550, 250]);
  const nobody = await client.deliver(deliveryTo(['no@example.org', 'nobody@example.org']));
  assert.deepEqual(outcomes(nobody), [550, 550]);
  const six = await client.deliver(deliveryTo(Array.from('abcdef', (x) => `${x}@example.org`)));
  assert.deepEqual([six.failure?.stage, six.failure?.replyCode], ['end', 554]);
  const large = await client.deliver(deliveryTo([FRIEND], { body: bodyOf('x\r\n'.repeat(999)) }));
  assert.equal(large.failure?.code, 'TooLarge');
  assert.deepEqual(outcomes(await client.deliver(deliveryTo([FRIEND]))), [250]);
  await client.quit();
});

const PROGRAM = 'smtp-sink';

/** Postfix's sink, which writes what it takes into a folder. */
async function withSink(
  flags: readonly string[],
  work: (client: () => Promise<SmtpClient>, dump: () => Promise<string>) => Promise<void>,
): Promise<void> {
  await using directory = await temporaryDirectory();
  const ip = freeLoopbackAddress();
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const args = [...user, ...flags, '-d', directory.file('mail.'), `${ip}:2525`, '100'];
  const sink = spawn(PROGRAM, args, { stdio: 'ignore' });
  const exited = new Promise((resolve) => sink.once('exit', resolve));
  const client = async (): Promise<SmtpClient> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await connected({ host: ip, port: 2525, tls: 'opportunistic' });
      } catch (error) {
        if (attempt === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const dump = async (): Promise<string> => {
    const names = await readdir(directory.path);
    const texts = names.map((name) => readFile(directory.file(name), 'latin1'));
    return (await Promise.all(texts)).join('');
  };
  try {
    await work(client, dump);
  } finally {
    sink.kill();
    await exited;
  }
}

const SINK = { skip: missing(PROGRAM) };

for (const [name, flags] of [
  ['with all that it can', []],
  ['without pipelining', ['-p']],
  ['without ESMTP', ['-e']],
] as const) {
  test(`our client and smtp-sink ${name}`, SINK, async () => {
    await withSink(flags, async (open, dump) => {
      await using client = await open();
      assert.equal(client.extensions.words.has('PIPELINING'), flags.length === 0);
      const body = bodyOf('Subject: caf\u00e9\r\n\r\n.\r\n..two\r\n', 'x\r\n'.repeat(100_000));
      const result = await client.deliver(deliveryTo([FRIEND, LOGIN], { body }));
      assert.equal(result.failure, undefined);
      assert.deepEqual(outcomes(result), [250, 250]);
      await client.quit();
      const text = await dump();
      assert.match(text, /\n\n\.\n\.\.two\nx\nx\n/);
      assert.equal(text.match(/^x$/gm)?.length, 100_000);
    });
  });
}

for (const [flags, stage, code] of [
  [['-f', 'MAIL'], 'mail', 500],
  [['-r', 'DATA'], 'data', 450],
  [['-f', '.'], 'end', 500],
  [['-A', '0'], 'data', 550],
] as const) {
  test(`our client and smtp-sink ${flags.join(' ')}`, SINK, async () => {
    await withSink(flags, async (open) => {
      await using client = await open();
      const body = bodyOf(...Array<string>(200).fill('y'.repeat(998).concat('\r\n').repeat(200)));
      const { failure } = await client.deliver(deliveryTo([FRIEND], { body }));
      assert.deepEqual([failure?.stage, failure?.replyCode], [stage, code]);
    });
  });
}

test('our client and smtp-sink that goes away at the end of the message', SINK, async () => {
  await withSink(['-q', '.'], async (open) => {
    await using client = await open();
    const { failure } = await client.deliver(deliveryTo([FRIEND]));
    assert.deepEqual([failure?.code, failure?.mayBeTaken], ['ConnectionLost', true]);
  });
});

test('the example sends a message and says what became of it', async () => {
  await using server = await startLocalserve();
  const run = async (...more: readonly string[]): Promise<string> => {
    const where = ['--host', server.ip, '--port', '1465', '--any-certificate', '--login', LOGIN];
    const program = ['examples/smtp-send.ts', ...where, '--from', LOGIN, ...more];
    const ran = await runProgram(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', ...program],
      { env: { SMTP_PASSWORD: PASSWORD }, input: `From: ${LOGIN}\nSubject: x\n\nhello\n` },
    );
    return ran.code === 0 ? ran.stdout : `${ran.code}: ${ran.stdout}${ran.stderr}`;
  };
  assert.match(
    await run(FRIEND, LOGIN),
    /^\+ friend@example\.org: .*\n\+ daybook@localhost: .*\n$/,
  );
  assert.match(await run('no address'), /^1: - no address: The recipient is no .* \(for good\)\n$/);
  assert.match(await run(), /^1: smtp-send: To whom\? /);
  assert.match(await run('--port', '1', FRIEND), /^1: smtp-send: .*\(CannotConnect at dial\)\n$/);
});
