/**
 * What nobody should send, over real sockets: every peer gets a clear answer in the words of the
 * protocol, and the server lives on as if nothing had been.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, it, suite } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, PASSWORD, startLocalserve, type Localserve } from '../support/localserve.ts';
import { deliver, logIn, said } from '../support/mail-answers.ts';
import { runDaybook } from '../support/programs.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { temporaryDirectory, type TemporaryDirectory } from '../support/temporary.ts';

const SMTP = 1025;
const SUBMISSION = 1587;
const SUBMISSIONS = 1465;
const IMAP = 1143;
const IMAPS = 1993;
/** Nothing below takes the server so long. */
const PATIENCE_MS = 10_000;
const MESSAGE_BYTES_MAX = 1_000_000;
const MEMORY_BYTES_MAX = 400_000_000;

let directory: TemporaryDirectory;
let server: Localserve;

before(async () => {
  directory = await temporaryDirectory();
  const dir = directory.path;
  await runDaybook(['localserve', '--dir', dir, '--init-only']);
  const file = path.join(dir, 'config', 'daybook.yaml');
  const limit = `    SMTPMaxMessageSize: ${MESSAGE_BYTES_MAX}\n    SMTP:\n`;
  await writeFile(file, (await readFile(file, 'utf8')).replace('    SMTP:\n', limit));
  server = await startLocalserve({ dir });
});

after(async () => {
  // Nobody noticed anything.
  assert.match(await deliver(server.ip, 'after all'), /^250 /);
  const client = await logIn(server.ip);
  assert.match(await said(client, 'STATUS INBOX (MESSAGES)'), /MESSAGES 1\)/);
  client.close();
  assert.equal(await server.stop(), 0);
  assert.doesNotMatch(server.said(), /l=error/);
  await directory[Symbol.asyncDispose]();
});

/** Says it all, then hears until the server closes. */
async function heard(port: number, ...octets: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect({ host: server.ip, port, timeout: PATIENCE_MS });
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  socket.on('timeout', () => socket.destroy(new Error(`silence after ${JSON.stringify(text)}`)));
  // The server may be gone before it has heard everything.
  socket.on('error', (error) => (text += 'code' in error ? '' : String(error)));
  for (const part of octets) socket.write(typeof part === 'string' ? Buffer.from(part) : part);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

const HTTP = 'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl\r\n\r\n';
const LONG = `${'x'.repeat(17_000)}\r\n`;
const NOISE = noise(100_000);
const BAD_UTF8 = Buffer.from([0xc3, 0x28, 0xff, 0xfe]);
const CLIENT_HELLO = Buffer.from('16030100c8010000c40303', 'hex');

/** Always the same, without a line end that would make lines of it. */
function noise(bytes: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < bytes; i++) {
    blocks.push(createHash('sha256').update(String(i)).digest());
  }
  return Buffer.concat(blocks);
}

suite('to IMAP', () => {
  const cases: readonly (readonly [what: string, octets: readonly (string | Buffer)[], RegExp])[] =
    [
      ['HTTP', [HTTP], /^\* OK [^\r]*\r\n\* BYE please try again, speaking IMAP\r\n$/],
      ['a line of 17,000 octets', [LONG], /^\* OK [^\r]*\r\n\* BYE [^\r]*\r\n$/],
      ['a command of 17,000 octets', [`a NOOP ${LONG}`], /\r\n(a BAD|\* BYE) [^\r]*\r\n/],
      ['NULs', ['x NOOP\r\na NOOP\0\r\nb LOGOUT\r\n'], /\r\na BAD [^\r]*\r\n[^]*b OK/],
      [
        'bad UTF-8',
        ['a LOGIN "', BAD_UTF8, '" x\r\nb LOGOUT\r\n'],
        /\r\na (BAD|NO) [^\r]*\r\n[^]*b OK/,
      ],
      ['a literal without its end', ['a LOGIN {5\r\nb LOGOUT\r\n'], /\r\na BAD [^\r]*\r\n[^]*b OK/],
      [
        'a literal of negative size',
        ['a LOGIN {-5}\r\nb LOGOUT\r\n'],
        /\r\na BAD [^\r]*\r\n[^]*b OK/,
      ],
      [
        'a literal of endless size',
        [`a LOGIN {${'9'.repeat(30)}+}\r\nb LOGOUT\r\n`],
        /\r\n(a BAD|\* BYE) /,
      ],
      ['a login of 100 MB', ['a LOGIN {100000000+}\r\n', LONG], /\r\n\* BYE [^\r]*\r\n$/],
      ['noise', [NOISE], /\r\n\* BYE [^\r]*\r\n$/],
      [
        'noise in lines',
        [NOISE.toString('base64').replaceAll(/.{70}/g, '$&\r\n'), 'z LOGOUT\r\n'],
        /\r\n\* BYE /,
      ],
      ['a TLS handshake', [CLIENT_HELLO, LONG], /\r\n\* BYE /],
      ['STARTTLS and noise', ['a STARTTLS\r\n', NOISE], /\r\na OK [^\r]*\r\n[^]{0,20}$/],
    ];
  for (const [what, octets, answer] of cases) {
    it(what, async () => assert.match(await heard(IMAP, ...octets), answer));
  }

  it('endless octets: soon nobody listens, and memory stays small', async () => {
    await endless(IMAP);
  });

  it('commands of thousands of parts, pipelined', async () => {
    const client = await logIn(server.ip);
    await said(client, 'SELECT INBOX');
    const deep = `${'('.repeat(3000)}${')'.repeat(3000)}`;
    const tags = [
      client.sendOnly(`FETCH 1 ${deep}`),
      client.sendOnly(`SEARCH ${'NOT '.repeat(3000)}ALL`),
      client.sendOnly(`SEARCH ${'('.repeat(2000)}ALL${')'.repeat(2000)}`),
      client.sendOnly(`UID FETCH ${'1,'.repeat(4000)}1 FLAGS`),
      client.sendOnly('UID FETCH 4294967295:1 FLAGS'),
      client.sendOnly('UID FETCH 99999999999999999999 FLAGS'),
      client.sendOnly('LOGOUT'),
    ];
    const answers = (await client.untilClosed()).split('\r\n');
    for (const tag of tags) {
      assert.match(answers.find((line) => line.startsWith(`${tag} `)) ?? '', / (OK|NO|BAD) /, tag);
    }
  });

  it('an append that is too large', async () => {
    const client = await logIn(server.ip);
    const tag = client.sendOnly(`APPEND INBOX {${MESSAGE_BYTES_MAX + 1}}`);
    assert.match((await client.answer(tag)).toString(), / NO \[TOOBIG\] /);
    const other = client.sendOnly(`APPEND INBOX {${MESSAGE_BYTES_MAX + 1}+}`);
    client.sendRaw('x'.repeat(MESSAGE_BYTES_MAX + 1));
    client.sendRaw('\r\n');
    assert.match((await client.answer(other)).toString(), / NO \[TOOBIG\] /);
    await said(client, 'NOOP');
    client.close();
  });
});

for (const [name, port] of [
  ['SMTP', SMTP],
  ['submission', SUBMISSION],
] as const) {
  suite(`to ${name}`, () => {
    const cases: readonly (readonly [
      what: string,
      octets: readonly (string | Buffer)[],
      RegExp,
    ])[] = [
      ['HTTP', [HTTP], /^220 [^\r]*\r\n500 5\.5\.2 Please try again speaking SMTP[^\r]*\r\n$/],
      ['a line of 17,000 octets', [LONG], /^220 [^\r]*\r\n500 5\.5\.0 [^\r]*\r\n$/],
      ['a command of 17,000 octets', [`EHLO ${LONG}`], /\r\n500 5\.5\.0 [^\r]*\r\n$/],
      ['NULs', ['NOOP\r\nNOOP \0\r\nQUIT\r\n'], /\r\n250 [^\r]*\r\n500 [^\r]*\r\n221 [^\r]*\r\n$/],
      ['bad UTF-8', ['NOOP\r\nMAIL FROM:<', BAD_UTF8, '>\r\nQUIT\r\n'], /\r\n500 [^\r]*\r\n221 /],
      ['a bare LF', ['NOOP\r\nNOOP\nNOOP\r\nQUIT\r\n'], /\r\n500 [^\r]*\r\n/],
      ['noise', [NOISE], /^220 [^\r]*\r\n500 [^\r]*\r\n$/],
      ['commands out of order', ['DATA\r\nRCPT TO:<a@b>\r\n.\r\nQUIT\r\n'], /\r\n221 /],
      ['a TLS handshake', [CLIENT_HELLO, LONG], /^220 [^\r]*\r\n500 [^\r]*\r\n$/],
      [
        'STARTTLS and noise',
        ['EHLO x\r\nSTARTTLS\r\n', NOISE],
        /\r\n220 2\.0\.0 Ready for TLS\.\r\n[^]{0,20}$/,
      ],
    ];
    for (const [what, octets, answer] of cases) {
      it(what, async () => assert.match(await heard(port, ...octets), answer));
    }

    it('endless octets: soon nobody listens, and memory stays small', async () => {
      await endless(port);
    });
  });
}

it('a message that is too large is refused, and the next one taken', async () => {
  const client = await SmtpDriver.open(server.ip, SMTP);
  await client.ask('EHLO client.example', 250);
  await client.ask(`MAIL FROM:<a@example.org> SIZE=${MESSAGE_BYTES_MAX + 1}`, 552);
  const line = `${'x'.repeat(98)}\r\n`;
  const text = `Subject: large\r\n\r\n${line.repeat(MESSAGE_BYTES_MAX / 100)}`;
  assert.match(await client.send('a@example.org', LOGIN, text), /^552 5\.3\.4 /);
  await client.ask('NOOP', 250);
  client.close();
});

for (const port of [IMAPS, SUBMISSIONS]) {
  it(`no TLS on ${port}: closed without a word of ours`, async () => {
    const answer = await heard(port, HTTP);
    // An alert of TLS at most.
    assert.ok(answer.length < 20, answer);
  });
}

it('peers that come and go', async () => {
  for (const port of [SMTP, SUBMISSION, SUBMISSIONS, IMAP, IMAPS]) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const socket = connect(port, server.ip);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        if (i % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }),
    );
  }
});

it('peers that go in the middle of TLS', async () => {
  for (const [port, octets] of [
    [IMAPS, `a LOGIN ${LOGIN} ${PASSWORD}\r\nb APPEND INBOX {1000+}\r\nSubject: `],
    [SUBMISSIONS, 'EHLO client.example\r\n'],
  ] as const) {
    for (let i = 0; i < 20; i++) {
      const plain = connect(port, server.ip);
      plain.on('error', () => undefined);
      const socket = connectTls({ socket: plain, rejectUnauthorized: false });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      socket.write(octets);
      if (i % 4 !== 0) await once(socket, 'data');
      if (i % 2 === 0) plain.resetAndDestroy();
      else socket.destroy();
    }
  }
});

/** A line that never ends. */
async function endless(port: number): Promise<void> {
  const socket = connect(port, server.ip);
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const block = Buffer.alloc(1_000_000, 'x');
  for (let sent = 0; sent < 100 && !socket.destroyed; sent++) {
    if (socket.write(block)) continue;
    await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  await closed;
  assert.ok(socket.bytesWritten < 50_000_000, `${socket.bytesWritten} octets were taken`);
  if (process.platform === 'linux') {
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    const kibibytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
    assert.ok(kibibytes * 1024 < MEMORY_BYTES_MAX, `${kibibytes} KiB`);
  }
}

suite('with limits', () => {
  it('guessing passwords ends soon, mail from strangers goes on', async () => {
    await using limited = await startLocalserve({ args: ['--limits'] });
    const { ip } = limited;
    for (let connection = 0; connection < 3; connection++) {
      const client = await ImapDriver.open(ip, IMAP);
      for (let guess = 0; guess < 3; guess++) {
        const answer = await client.command(`LOGIN ${LOGIN} wrong-${guess}`);
        assert.match(answer.toString(), / NO \[AUTHENTICATIONFAILED\] /);
      }
      client.close();
    }
    const last = await SmtpDriver.open(ip, SUBMISSION);
    await last.ask('EHLO client.example', 250);
    const wrong = Buffer.from(`\0${LOGIN}\0wrong`).toString('base64');
    await last.ask(`AUTH PLAIN ${wrong}`, 535);
    const right = Buffer.from(`\0${LOGIN}\0${PASSWORD}`).toString('base64');
    last.write(`AUTH PLAIN ${right}\r\n`);
    assert.match(await last.reply(), /^(421|454|535) /);
    last.close();
    assert.match(await greeting(ip, IMAP), /^\* BYE [^\r]*too many failed logins[^\r]*\r\n$/);
    assert.match(await greeting(ip, SUBMISSION), /^421 4\.7\.0 [^\r]*\r\n$/);
    assert.match(await deliver(ip, 'from a stranger'), /^250 /);
    assert.equal(await limited.stop(), 0);
  });

  it('too many connections are turned away', async () => {
    await using limited = await startLocalserve({ args: ['--limits'] });
    const { ip } = limited;
    const open = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        i % 2 === 0 ? ImapDriver.open(ip, IMAP) : SmtpDriver.open(ip, SMTP),
      ),
    );
    assert.match(await greeting(ip, IMAP), /^\* BYE too many connections[^\r]*\r\n$/);
    assert.match(await greeting(ip, SMTP), /^421 4\.7\.0 [^\r]*\r\n$/);
    open.pop()?.close();
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await isLetIn(ip))) assert.ok(Date.now() < deadline, 'the place stays taken');
    for (const client of open) client.close();
    assert.equal(await limited.stop(), 0);
  });
});

async function greeting(ip: string, port: number): Promise<string> {
  const socket = connect(port, ip);
  socket.setEncoding('latin1');
  const [text] = await once(socket, 'data');
  socket.destroy();
  return String(text);
}

async function isLetIn(ip: string): Promise<boolean> {
  return (await greeting(ip, SMTP)).startsWith('220 ');
}
