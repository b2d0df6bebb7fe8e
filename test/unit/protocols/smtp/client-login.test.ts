/**
 * Logging in to servers that a test plays, and to servers that cheat.
 */

import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import { PlayedServer } from '../../../support/imap-client.ts';
import { openPlayed, play, type MoreOptions } from '../../../support/smtp-client.ts';
import { SmtpClientError } from '#protocols/smtp/client-error';

const SECRET = 'correct horse';
const ME = { login: 'me@example.org', password: SECRET };
const KEY: MoreOptions = { clientKey: { key: 'a key', cert: 'a certificate' } };

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('AUTH', () => {
  it('with PLAIN sends everything along, when PLAIN is named', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['AUTH LOGIN PLAIN']);
    await assert.rejects(client.authenticate(ME), { code: 'NoMechanism', permanent: true });
    const logging = client.authenticate({ ...ME, mechanisms: ['CRAM-MD5', 'PLAIN'] });
    const response = base64(`\0me@example.org\0${SECRET}`);
    await play(server, [`AUTH PLAIN ${response}`, '235 2.7.0 welcome']);
    assert.equal(await logging, 'PLAIN');
  });

  it('with LOGIN answers two questions', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['AUTH LOGIN']);
    const logging = client.authenticate({ ...ME, mechanisms: ['LOGIN'] });
    await play(
      server,
      ['AUTH LOGIN', `334 ${base64('Username:')}`],
      [base64(ME.login), `334 ${base64('Password:')}`],
      [base64(SECRET), '235 ok'],
    );
    assert.equal(await logging, 'LOGIN');
  });

  it('with CRAM-MD5 answers a challenge', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['AUTH CRAM-MD5 PLAIN']);
    const logging = client.authenticate(ME);
    await play(server, ['AUTH CRAM-MD5', `334 ${base64('<1.2@mx>')}`]);
    assert.match(Buffer.from(await server.hear(), 'base64').toString(), /^me@\S+ [0-9a-f]{32}$/);
    server.say('235 ok');
    assert.equal(await logging, 'CRAM-MD5');
  });

  it('with EXTERNAL lets the TLS key speak', async () => {
    for (const [login, response] of [
      ['', '='],
      ['me@example.org', base64('me@example.org')],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server, ['AUTH PLAIN EXTERNAL'], KEY);
      const logging = client.authenticate({ login });
      await play(server, [`AUTH EXTERNAL ${response}`, '235 ok']);
      assert.equal(await logging, 'EXTERNAL');
    }
  });

  it('takes the first of ours that the server has and the connection allows', async () => {
    const all = 'EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5';
    for (const [offered, tls, expected] of [
      [all, 'implicit', 'SCRAM-SHA-256-PLUS'],
      [all, 'none', 'SCRAM-SHA-256'],
      ['SCRAM-SHA-1 SCRAM-SHA-1-PLUS CRAM-MD5', 'implicit', 'SCRAM-SHA-1-PLUS'],
      ['CRAM-MD5 SCRAM-SHA-1', 'implicit', 'SCRAM-SHA-1'],
      ['PLAIN CRAM-MD5', 'none', 'CRAM-MD5'],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server, [`AUTH ${offered}`], { tls });
      const logging = client.authenticate(ME);
      assert.equal((await server.hear()).split(' ')[1], expected);
      client.close();
      await assert.rejects(logging, { code: 'Closed', stage: 'auth' });
    }
  });

  it('sends no password in clear, unless told', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['AUTH PLAIN'], { tls: 'none' });
    const plain = { ...ME, mechanisms: ['PLAIN'] };
    await assert.rejects(client.authenticate(plain), { code: 'NoMechanism' });
    assert.equal(server.unheard, '');
    const logging = client.authenticate({ ...plain, passwordsInClear: true });
    await play(server, [`AUTH PLAIN ${base64(`\0me@example.org\0${SECRET}`)}`, '235 ok']);
    await logging;
  });

  it('without anything in common says what the server offers', async () => {
    const client = await openPlayed(new PlayedServer(), ['AUTH PLAIN GSSAPI']);
    const message = /offers PLAIN, GSSAPI/;
    await assert.rejects(client.authenticate(ME), { code: 'NoMechanism', stage: 'auth', message });
  });

  it('that is refused says so, and no secret, even if the server repeats it', async () => {
    const response = base64(`\0me@example.org\0${SECRET}`);
    for (const [answer, permanent] of [
      ['535 5.7.8 wrong', true],
      ['454 4.7.0 later', false],
      [`535 5.7.8 what is ${response}?`, true],
      [`535 5.7.8 who has ${SECRET}?`, true],
    ] as const) {
      const server = new PlayedServer();
      const client = await openPlayed(server, ['AUTH PLAIN']);
      const logging = client.authenticate({ ...ME, mechanisms: ['PLAIN'] });
      await play(server, [`AUTH PLAIN ${response}`, answer]);
      await assert.rejects(logging, (error: Error) => {
        const shown = inspect(error, { depth: 9, showHidden: true });
        for (const secret of [SECRET, response]) assert.ok(!shown.includes(secret));
        assert.ok(error instanceof SmtpClientError);
        assert.deepEqual([error.code, error.stage], ['Refused', 'auth']);
        assert.equal(error.permanent, permanent);
        return true;
      });
      assert.ok(client.isOpen);
    }
  });
});

describe('AUTH with SCRAM', () => {
  /** Our client, before a server that knows nothing and pretends. */
  async function challenged(answer: (first: string) => string) {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['AUTH SCRAM-SHA-256']);
    const logging = client.authenticate(ME);
    const [, , first = ''] = (await server.hear()).split(' ');
    server.say(answer(Buffer.from(first, 'base64').toString()));
    return { server, client, logging };
  }

  const serverFirst = (first: string): string => {
    const nonce = /r=([^,]+)/.exec(first)?.[1];
    return `334 ${base64(`r=${nonce}more,s=${base64('salt')},i=4096`)}`;
  };

  it('does not believe a server that lets everybody in', async () => {
    for (const answers of [['235 ok'], [`334 ${base64('v=AAAA')}`]]) {
      const { server, client, logging } = await challenged(serverFirst);
      const failing = assert.rejects(logging, { code: 'NotGenuine', stage: 'auth' });
      await server.hear();
      server.say(...answers);
      await failing;
      assert.ok(!client.isOpen);
    }
    const { logging } = await challenged(() => '235 come in');
    await assert.rejects(logging, { code: 'NotGenuine' });
  });

  it('goes on when it is the server that says no', async () => {
    const { server, client, logging } = await challenged(serverFirst);
    const failing = assert.rejects(logging, { code: 'Refused', permanent: true });
    await server.hear();
    server.say(`334 ${base64('e=invalid-proof')}`);
    await play(server, ['*', '501 5.5.0 as you like']);
    await failing;
    assert.ok(client.isOpen);
  });

  for (const [name, answer] of [
    ['is no base64', '334 %%%'],
    ['is no SCRAM', `334 ${base64('hello')}`],
    ['asks for the work of a year', `334 ${base64('r=x,s=AAAA,i=999999999')}`],
  ] as const) {
    it(`does not answer what ${name}`, async () => {
      const { client, logging } = await challenged(() => answer);
      await assert.rejects(logging, { code: 'BadReply', stage: 'auth' });
      assert.ok(!client.isOpen);
    });
  }

  it('does not answer questions without end', async () => {
    const server = new PlayedServer();
    const client = await openPlayed(server, ['AUTH CRAM-MD5']);
    for (let i = 0; i < 100; i++) server.say(`334 ${base64('<again@mx>')}`);
    await assert.rejects(client.authenticate(ME), { code: 'BadReply' });
  });
});
