/**
 * Opening a client: greetings, TLS, STARTTLS and those who would like to be in between.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStranger, PlayedServer } from '../../../support/imap-client.ts';
import { openTestServer } from '../../../support/server.ts';
import { Fault } from '#domain/values/fault';
import { openImapClient } from '#protocols/imap/client';
import type { Dialer } from '#protocols/ports';

function failingDialer(fault: Fault): Dialer {
  return {
    async dial() {
      throw fault;
    },
  };
}

describe('opening a client', () => {
  it('over TLS hears the greeting and knows what the server can do', async () => {
    await using server = await openTestServer();
    await using client = await openStranger(server);
    assert.equal(client.greeting.isLoggedIn, false);
    assert.equal(client.greeting.code?.type, 'CAPABILITY');
    assert.ok(client.capabilities.has('QRESYNC'));
    assert.equal(client.tls?.version, 'TLSv1.3');
  });

  it('with STARTTLS asks again what the server can do', async () => {
    await using server = await openTestServer();
    await using client = await openStranger(server, { tls: 'starttls' });
    assert.equal(client.tls?.version, 'TLSv1.3');
    assert.ok(client.capabilities.has('AUTH=PLAIN'));
    assert.ok(!client.capabilities.has('STARTTLS'));
  });

  it('without TLS leaves the connection as it is', async () => {
    await using server = await openTestServer();
    await using client = await openStranger(server, { tls: 'none' });
    assert.equal(client.tls, undefined);
    assert.ok(client.capabilities.has('LOGINDISABLED'));
  });

  it('asks for the capabilities that a greeting does not tell', async () => {
    const server = new PlayedServer();
    server.say('* OK hello');
    const opening = openImapClient(server.options);
    const tag = await server.expect('CAPABILITY');
    server.say('* CAPABILITY IMAP4rev1 idle', `${tag} OK done`);
    const client = await opening;
    assert.deepEqual([...client.capabilities], ['IMAP4REV1', 'IDLE']);
  });

  it('believes a greeting that lets it in', async () => {
    const client = await new PlayedServer().greet();
    assert.deepEqual(client.greeting.isLoggedIn, true);
    assert.equal(client.greeting.text, 'hello');
  });

  it('fails when the server says goodbye', async () => {
    const server = new PlayedServer();
    server.say('* BYE [UNAVAILABLE] come back later');
    await assert.rejects(openImapClient(server.options), {
      name: 'ImapClientError',
      code: 'Bye',
      reason: 'UNAVAILABLE',
      message: 'The server does not want to talk: come back later',
    });
  });

  for (const greeting of [
    '220 mail.example.org ESMTP',
    '+OK POP3',
    '* NO',
    'a OK',
    '',
    '* 5 EXISTS',
  ]) {
    it(`fails on the greeting ${JSON.stringify(greeting)}`, async () => {
      const server = new PlayedServer();
      server.say(greeting);
      await assert.rejects(openImapClient(server.options), { code: 'BadResponse' });
    });
  }

  it('fails when the server hangs up', async () => {
    const server = new PlayedServer();
    server.hangUp();
    await assert.rejects(openImapClient(server.options), { code: 'ConnectionLost' });
  });

  it('fails when no greeting comes', async () => {
    const server = new PlayedServer();
    const opening = openImapClient(server.options);
    const failing = assert.rejects(opening, { code: 'Timeout' });
    await new Promise((resolve) => setImmediate(resolve));
    server.clock.advance(120_000);
    await failing;
    assert.equal(server.clock.waiting, 0);
  });

  it('says why nobody answers, or why there is no TLS', async () => {
    const { options } = new PlayedServer();
    for (const [fault, code] of [
      ['CannotConnect', 'CannotConnect'],
      ['TlsHandshakeFailed', 'TlsFailed'],
    ] as const) {
      const dialer = failingDialer(new Fault(fault, 'It went wrong.'));
      const opening = openImapClient({ ...options, dialer });
      await assert.rejects(opening, { code, message: 'It went wrong.' });
    }
  });

  it('can be cancelled at any time', async () => {
    const control = new AbortController();
    const server = new PlayedServer();
    const opening = openImapClient({ ...server.options, signal: control.signal });
    const failing = assert.rejects(opening, { code: 'Cancelled' });
    setImmediate(() => control.abort());
    await failing;
    const late = { ...new PlayedServer().options, signal: control.signal };
    await assert.rejects(openImapClient(late), { code: 'Cancelled' });
  });
});

describe('STARTTLS', () => {
  const plain = (): PlayedServer => new PlayedServer(undefined);

  it('forgets what was said before', async () => {
    const server = plain();
    server.say('* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=FORGED] hello');
    const opening = openImapClient({ ...server.options, tls: 'starttls' });
    server.say(`${await server.expect('STARTTLS')} OK begin`);
    const tag = await server.secured.expect('CAPABILITY');
    server.secured.say('* CAPABILITY IMAP4rev1 AUTH=PLAIN', `${tag} OK done`);
    const client = await opening;
    assert.deepEqual([...client.capabilities], ['IMAP4REV1', 'AUTH=PLAIN']);
  });

  it('is not done without', async () => {
    const server = plain();
    server.say('* OK [CAPABILITY IMAP4rev1] hello');
    const opening = openImapClient({ ...server.options, tls: 'starttls' });
    await assert.rejects(opening, { code: 'TlsFailed' });
    assert.equal(server.unheard, '');
  });

  it('is not done without when the server refuses', async () => {
    const server = plain();
    server.say('* OK [CAPABILITY IMAP4rev1 STARTTLS] hello');
    const opening = openImapClient({ ...server.options, tls: 'starttls' });
    const failing = assert.rejects(opening, { code: 'No' });
    server.say(`${await server.expect('STARTTLS')} NO not now`);
    await failing;
  });

  it('cannot be left out by letting us in', async () => {
    const server = plain();
    server.say('* PREAUTH [CAPABILITY IMAP4rev1] you are in');
    const opening = openImapClient({ ...server.options, tls: 'starttls' });
    await assert.rejects(opening, { code: 'TlsFailed' });
  });

  it('takes nothing that was said in clear behind the answer', async () => {
    const server = plain();
    server.say('* OK [CAPABILITY IMAP4rev1 STARTTLS] hello');
    const opening = openImapClient({ ...server.options, tls: 'starttls' });
    const failing = assert.rejects(opening, { code: 'TlsFailed' });
    const tag = await server.expect('STARTTLS');
    server.sayRaw(`${tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=FORGED\r\n`);
    await failing;
  });
});
