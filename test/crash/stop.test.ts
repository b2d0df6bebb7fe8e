/**
 * SIGTERM while clients are in the middle of everything: each is told, the process is gone within
 * seconds, and the next start finds what was acknowledged.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { ImapDriver } from '../support/imap-driver.ts';
import { LOGIN, startLocalserve } from '../support/localserve.ts';
import { deliver, logIn, said } from '../support/mail-answers.ts';
import { SmtpDriver } from '../support/smtp-driver.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const GONE_MS = 5000;

/** What a client is doing when the stop comes; it gives what it hears until the end. */
type Client = (ip: string) => Promise<{ readonly heard: Promise<string> }>;

const BYE = /\* BYE /;
const SHUTTING_DOWN = /^421 4\.3\.2 .*\r\n$/m;

const CLIENTS: readonly (readonly [what: string, client: Client, last: RegExp])[] = [
  ['imap, before login', async (ip) => leave(await ImapDriver.open(ip, 1143)), BYE],
  ['imap, logged in', async (ip) => leave(await logIn(ip)), BYE],
  ['imap, in IDLE', idling, BYE],
  [
    'imap, in the middle of a literal',
    (ip) => sending(ip, 'APPEND INBOX {100+}\r\nSubject: '),
    BYE,
  ],
  ['imap, in the middle of a line', (ip) => sending(ip, 'NOOP'), BYE],
  // Slow by then, an octet a second, unless nothing waits to be written.
  ['imap, guessing passwords', guessing, /^\* B|\r\n\* B/],
  ['imaps', overTls, BYE],
  ['smtp, before EHLO', async (ip) => leave(await SmtpDriver.open(ip, 1025)), SHUTTING_DOWN],
  ['smtp, in the middle of DATA', transferring, SHUTTING_DOWN],
  [
    'submission, logged in',
    async (ip) => leave(await SmtpDriver.openSubmission(ip)),
    SHUTTING_DOWN,
  ],
  ['smtp, made to wait an hour', waiting, SHUTTING_DOWN],
];

async function leave(driver: ImapDriver | SmtpDriver): Promise<{ heard: Promise<string> }> {
  return { heard: driver.untilClosed() };
}

async function idling(ip: string): Promise<{ heard: Promise<string> }> {
  const client = await logIn(ip);
  await said(client, 'SELECT INBOX');
  client.sendOnly('IDLE');
  await client.untagged(/^\+ /);
  return leave(client);
}

async function sending(ip: string, octets: string): Promise<{ heard: Promise<string> }> {
  const client = await logIn(ip);
  client.sendRaw(`x ${octets}`);
  return leave(client);
}

async function guessing(ip: string): Promise<{ heard: Promise<string> }> {
  const client = await ImapDriver.open(ip, 1143);
  for (let guess = 0; guess < 2; guess++) await client.command(`LOGIN ${LOGIN} wrong`);
  for (let guess = 0; guess < 9; guess++) client.sendOnly(`LOGIN ${LOGIN} wrong`);
  return leave(client);
}

async function overTls(ip: string): Promise<{ heard: Promise<string> }> {
  const socket = connect({ host: ip, port: 1993, rejectUnauthorized: false });
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  await once(socket, 'data');
  return { heard: once(socket, 'close').then(() => text) };
}

async function transferring(ip: string): Promise<{ heard: Promise<string> }> {
  const client = await SmtpDriver.open(ip, 1025);
  await client.ask('EHLO client.example', 250);
  await client.ask('MAIL FROM:<you@example.org>', 250);
  await client.ask(`RCPT TO:<${LOGIN}>`, 250);
  await client.ask('DATA', 354);
  client.write('Subject: never ends\r\n\r\nhel');
  return leave(client);
}

/** Local mode: the localpart asks for an hour of silence. */
async function waiting(ip: string): Promise<{ heard: Promise<string> }> {
  const client = await SmtpDriver.open(ip, 1025);
  await client.ask('EHLO client.example', 250);
  await client.ask('MAIL FROM:<you@example.org>', 250);
  client.write('RCPT TO:<rcpttotimeout@localhost>\r\n');
  return leave(client);
}

it('tells every client, leaves within seconds, and keeps what was acknowledged', async (t) => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  await using server = await startLocalserve({ dir });
  const { ip } = server;
  assert.match(await deliver(ip, 'before the stop'), /^250 /);
  const clients = await Promise.all(
    CLIENTS.map(async ([what, client, last]) => {
      return { what, last, ...(await client(ip)) };
    }),
  );
  await delay(100);
  const begun = performance.now();
  assert.equal(await server.stop(), 0);
  const taken = performance.now() - begun;
  t.diagnostic(`gone after ${taken.toFixed(0)} ms`);
  assert.ok(taken < GONE_MS, `${taken.toFixed(0)} ms`);
  for (const { what, last, heard } of clients) assert.match(await heard, last, what);
  assert.doesNotMatch(server.said(), /l=error/);

  await using again = await startLocalserve({ dir, ip });
  const client = await logIn(ip);
  const listed = await said(client, 'STATUS INBOX (MESSAGES)');
  assert.match(listed, /MESSAGES 1\)/);
  assert.equal(await again.stop(), 0);
});

it('leaves at once when nobody is there', async () => {
  await using server = await startLocalserve();
  const begun = performance.now();
  assert.equal(await server.stop(), 0);
  assert.ok(performance.now() - begun < 2500);
});

it('hears a stop that comes with the ready line', async () => {
  await using server = await startLocalserve();
  process.kill(server.pid, 'SIGINT');
  assert.equal(await server.exited, 0);
});
