/**
 * Logging in with every mechanism, to our own server and to servers that cheat.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStranger, PlayedServer } from '../../../support/imap-client.ts';
import { openTestServer } from '../../../support/server.ts';
import { PASSWORD } from '../../../support/world.ts';

const ALICE = { login: 'alice@example.org', password: PASSWORD };
const KEY = { key: 'a key', cert: 'a certificate' };

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('logging in to our server', () => {
  for (const name of [
    'strongest',
    'SCRAM-SHA-256-PLUS',
    'scram-sha-256',
    'SCRAM-SHA-1-PLUS',
    'SCRAM-SHA-1',
    'CRAM-MD5',
    'PLAIN',
  ]) {
    it(`works with ${name}, and only with the right password`, async () => {
      await using server = await openTestServer();
      await using client = await openStranger(server);
      const wrong = client.authenticate(name, { ...ALICE, password: 'guess' });
      await assert.rejects(wrong, { code: 'No', reason: 'AUTHENTICATIONFAILED' });
      await client.authenticate(name, ALICE);
      assert.ok(!client.capabilities.has('AUTH=PLAIN'));
      await client.select('INBOX');
    });
  }

  it('works with LOGIN, with and without TLS', async () => {
    await using server = await openTestServer({ allowPlaintextLogin: true });
    for (const tls of ['implicit', 'none'] as const) {
      await using client = await openStranger(server, { tls });
      if (tls === 'none') await assert.rejects(client.login(ALICE), { code: 'NotOffered' });
      await client.login({ ...ALICE, passwordsInClear: tls === 'none' });
      await client.select('INBOX');
    }
  });

  it('sends no password where the server does not want it', async () => {
    await using server = await openTestServer();
    await using client = await openStranger(server, { tls: 'none' });
    const clear = { ...ALICE, passwordsInClear: true };
    await assert.rejects(client.login(clear), { code: 'NotOffered' });
    await assert.rejects(client.authenticate('PLAIN', clear), { code: 'NotOffered' });
    await client.authenticate('strongest', ALICE);
  });
});

describe('AUTHENTICATE', () => {
  it('sends the first response along only where that is offered', async () => {
    for (const withFirst of [true, false]) {
      const server = new PlayedServer();
      const client = await server.greet({}, `IMAP4rev1 AUTH=PLAIN${withFirst ? ' SASL-IR' : ''}`);
      const logging = client.authenticate('PLAIN', { login: 'me', password: 'pass' });
      const response = base64('\0me\0pass');
      const tag = await server.expect(`AUTHENTICATE PLAIN${withFirst ? ` ${response}` : ''}`);
      if (!withFirst) {
        server.say('+ ');
        assert.equal(await server.hear(), response);
      }
      server.say('* CAPABILITY IMAP4rev1 IDLE', `${tag} OK done`);
      await logging;
      assert.deepEqual([...client.capabilities], ['IMAP4REV1', 'IDLE']);
    }
  });

  it('asks what the server can do afterwards', async () => {
    const server = new PlayedServer();
    const client = await server.greet({}, 'IMAP4rev1 AUTH=PLAIN SASL-IR');
    const logging = client.authenticate('strongest', { login: 'me', password: 'pass' });
    server.say(`${await server.expect(`AUTHENTICATE PLAIN ${base64('\0me\0pass')}`)} OK done`);
    server.say('* CAPABILITY IMAP4rev1', `${await server.expect('CAPABILITY')} OK done`);
    await logging;
  });

  it('lets the TLS key speak, as somebody or as whom the server thinks', async () => {
    for (const [login, response] of [
      ['', '='],
      ['me@example.org', base64('me@example.org')],
    ] as const) {
      const server = new PlayedServer();
      const capabilities = 'IMAP4rev1 AUTH=PLAIN AUTH=EXTERNAL SASL-IR';
      const client = await server.greet({ clientKey: KEY }, capabilities);
      const logging = client.authenticate('strongest', { login });
      const tag = await server.expect(`AUTHENTICATE EXTERNAL ${response}`);
      server.say(`${tag} OK [CAPABILITY IMAP4rev1] done`);
      await logging;
    }
  });

  it('has nothing to say without a password where keys do not count', async () => {
    const client = await new PlayedServer().greet({}, 'IMAP4rev1 AUTH=PLAIN');
    const logging = client.authenticate('strongest', { login: 'me' });
    await assert.rejects(logging, { code: 'NotOffered' });
  });

  it('falls back to LOGIN for servers that know nothing else', async () => {
    const server = new PlayedServer();
    const client = await server.greet({}, 'IMAP4rev1');
    const logging = client.authenticate('strongest', { login: 'me', password: 'päss"' });
    const tag = await server.expect('LOGIN me {6}');
    server.say('+ go on');
    assert.equal(Buffer.from(await server.hear(), 'latin1').toString(), 'päss"');
    server.say(`${tag} OK [CAPABILITY IMAP4rev1] done`);
    await logging;
  });

  it('does not use what the server does not offer', async () => {
    const client = await new PlayedServer().greet({}, 'IMAP4rev1 AUTH=PLAIN');
    for (const name of ['SCRAM-SHA-256', 'KERBEROS_V4', 'EXTERNAL']) {
      await assert.rejects(client.authenticate(name, ALICE), { code: 'NotOffered' });
    }
  });

  it('ends the connection to a server that does not know the password', async () => {
    for (const isTalkative of [true, false]) {
      const server = new PlayedServer();
      const client = await server.greet({}, 'IMAP4rev1 AUTH=SCRAM-SHA-256');
      const logging = client.authenticate('strongest', ALICE);
      const failing = assert.rejects(logging, { code: 'NotGenuine' });
      const tag = await server.expect('AUTHENTICATE SCRAM-SHA-256');
      server.say('+');
      const first = Buffer.from(await server.hear(), 'base64').toString();
      const nonce = /r=(.*)$/.exec(first)?.[1];
      server.say(`+ ${base64(`r=${nonce}more,s=${base64('salt')},i=4096`)}`);
      await server.hear();
      if (isTalkative) {
        server.say(`+ ${base64(`v=${base64('x'.repeat(32))}`)}`);
        assert.equal(await server.hear(), '*');
      }
      server.say(`${tag} OK [CAPABILITY IMAP4rev1] welcome`);
      await failing;
      assert.equal((await client.ended).code, 'NotGenuine');
    }
  });

  it('does not go on with a server that makes no sense', async () => {
    for (const challenge of ['!!!', base64('nonsense')]) {
      const server = new PlayedServer();
      const client = await server.greet({}, 'IMAP4rev1 AUTH=SCRAM-SHA-256 SASL-IR');
      const failing = assert.rejects(client.authenticate('strongest', ALICE), {
        code: 'BadResponse',
      });
      const [tag] = (await server.hear()).split(' ');
      server.say(`+ ${challenge}`);
      assert.equal(await server.hear(), '*');
      server.say(`${tag} BAD cancelled`);
      await failing;
    }
  });
});
