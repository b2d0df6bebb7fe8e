/**
 * AUTHENTICATE over the conversation, with every mechanism; the numbers are those of the list of
 * what the IMAP server must do.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ImapTalk } from '../../../../support/imap-talk.ts';
import { FAKE_TLS } from '../../../../support/pipes.ts';
import { openTestServer, type TestServer } from '../../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../../support/world.ts';
import type { TlsFacts } from '#protocols/ports';

const WRONG = 'NO [AUTHENTICATIONFAILED] the credentials are wrong';

async function begin(server: TestServer): Promise<ImapTalk> {
  const talk = new ImapTalk(server.connect({ tls: true }));
  assert.match((await talk.line()) ?? '', /^\* OK /);
  return talk;
}

async function attempt(
  mechanism: string,
  login: string,
  password: string,
  tls: TlsFacts = FAKE_TLS,
): Promise<string> {
  await using server = await openTestServer();
  const talk = await begin(server);
  return await talk.authenticate(mechanism, { login, password, tls });
}

describe('AUTHENTICATE', () => {
  for (const [items, mechanism] of [
    ['25', 'PLAIN'],
    ['32', 'SCRAM-SHA-256'],
    ['33', 'SCRAM-SHA-256-PLUS'],
    ['32', 'SCRAM-SHA-1'],
    ['33', 'SCRAM-SHA-1-PLUS'],
    ['37', 'CRAM-MD5'],
  ] as const) {
    it(`${items}: ${mechanism} lets in with the right password`, async () => {
      const answer = await attempt(mechanism, 'alice@example.org', PASSWORD);
      assert.match(answer, /^OK \[CAPABILITY IMAP4rev2 /);
      assert.ok(!answer.includes('AUTH='));
    });

    it(`24, 36: ${mechanism} tells wrong passwords and unknown users alike`, async () => {
      assert.equal(await attempt(mechanism, 'alice@example.org', 'wrong'), WRONG);
      assert.equal(await attempt(mechanism, 'nobody@example.org', PASSWORD), WRONG);
    });

    it(`31: ${mechanism} into a closed account gets the text of the administrator`, async () => {
      const answer = await attempt(mechanism, 'carol@example.org', PASSWORD);
      assert.equal(answer, 'NO suspended, call us');
      assert.equal(await attempt(mechanism, 'carol@example.org', 'wrong'), WRONG);
    });
  }

  it('33: another channel is noticed', async () => {
    const channelBinding = { type: 'tls-exporter', data: Buffer.alloc(32) } as const;
    const elsewhere = { ...FAKE_TLS, channelBinding };
    for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS']) {
      assert.equal(await attempt(mechanism, 'alice@example.org', PASSWORD, elsewhere), WRONG);
    }
  });

  it('37: what is no answer to the challenge of CRAM-MD5 is BAD, and does not count', async () => {
    await using server = await openTestServer();
    const talk = await begin(server);
    for (const response of ['alice@example.org', `alice@example.org ${'g'.repeat(32)}`]) {
      talk.send('a AUTHENTICATE CRAM-MD5');
      assert.match((await talk.line()) ?? '', /^\+ PD/);
      talk.send(Buffer.from(response).toString('base64'));
      assert.match((await talk.line()) ?? '', /^a BAD /);
    }
    assert.match(await talk.ask('AUTHENTICATE CRAM-MD5 YWxpY2U='), /^BAD /);
    assert.equal(server.world.rates.mayLogin('192.0.2.1'), true);
    assert.match(await talk.ask(`LOGIN alice@example.org ${PASSWORD}`), /^OK /);
  });

  it('an account with an older password fails plainly, and that does not count', async () => {
    await using server = await openTestServer();
    server.world.old.add('alice@example.org');
    const talk = await begin(server);
    for (let i = 0; i < 12; i++) {
      for (const mechanism of ['CRAM-MD5', 'SCRAM-SHA-1']) {
        const login = { login: 'alice@example.org', password: PASSWORD };
        assert.match(await talk.authenticate(mechanism, login), /^NO [^[]/);
      }
    }
    assert.equal(server.world.rates.mayLogin('192.0.2.1'), true);
    const login = { login: 'alice@example.org', password: PASSWORD, tls: FAKE_TLS };
    assert.match(await talk.authenticate('SCRAM-SHA-256', login), /^OK /);
  });

  it('50: EXTERNAL without a certificate is not offered and fails', async () => {
    for (const tls of [true, false]) {
      await using server = await openTestServer();
      const talk = new ImapTalk(server.connect({ tls }));
      assert.ok(!(await talk.line())?.includes('EXTERNAL'));
      assert.equal(await talk.ask('AUTHENTICATE EXTERNAL ='), WRONG);
    }
  });
});

describe('the record of attempts', () => {
  const alice = 'alice@example.org';

  /** What was told of the attempts of a new conversation. */
  async function told(
    conversation: (talk: ImapTalk, server: TestServer) => Promise<unknown>,
    tls = true,
  ): Promise<readonly string[]> {
    await using server = await openTestServer();
    const talk = new ImapTalk(server.connect({ tls }));
    await talk.line();
    await conversation(talk, server);
    server.world.clock.advance(1000);
    return server.world.attempts.noted.map(
      ({ protocol, mechanism, login, result, tls: seen }) =>
        `${protocol} ${mechanism} ${login} ${result} ${seen?.version ?? 'bare'}`,
    );
  }

  it('41: has LOGIN, right, wrong, closed, and without TLS', async () => {
    const asked = async (talk: ImapTalk): Promise<void> => {
      for (const words of [`${alice} wrong`, `carol@example.org ${PASSWORD}`]) {
        await talk.ask(`LOGIN ${words}`);
      }
      await talk.ask(`LOGIN ${alice} ${PASSWORD}`);
    };
    assert.deepEqual(await told(asked), [
      `imap login ${alice} badpassword TLSv1.3`,
      'imap login carol@example.org logindisabled TLSv1.3',
      `imap login ${alice} ok TLSv1.3`,
    ]);
    assert.deepEqual(await told((talk) => talk.ask(`LOGIN ${alice} ${PASSWORD}`), false), [
      `imap login ${alice} badprotocol bare`,
    ]);
  });

  it('41: has every mechanism, with how it ended', async () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'CRAM-MD5']) {
      const wrong = mechanism === 'PLAIN' ? 'badpassword' : 'badcreds';
      const asked = async (talk: ImapTalk): Promise<void> => {
        await talk.authenticate(mechanism, { login: alice, password: 'x', tls: FAKE_TLS });
        await talk.authenticate(mechanism, { login: alice, password: PASSWORD, tls: FAKE_TLS });
      };
      const name = mechanism.toLowerCase();
      assert.deepEqual(await told(asked), [
        `imap ${name} ${alice} ${wrong} TLSv1.3`,
        `imap ${name} ${alice} ok TLSv1.3`,
      ]);
    }
  });

  it('33, 41: has the wrong channel binding', async () => {
    const channelBinding = { type: 'tls-exporter', data: Buffer.alloc(32) } as const;
    const elsewhere = { login: alice, password: PASSWORD, tls: { ...FAKE_TLS, channelBinding } };
    const asked = (talk: ImapTalk): Promise<unknown> =>
      talk.authenticate('SCRAM-SHA-256-PLUS', elsewhere);
    assert.deepEqual(await told(asked), [`imap scram-sha-256-plus ${alice} badchanbind TLSv1.3`]);
  });

  it('26, 27, 28, 41: has what was given up, not understood, or for somebody else', async () => {
    const asked = async (talk: ImapTalk): Promise<void> => {
      await talk.ask('AUTHENTICATE hunter2');
      const plain = Buffer.from(`bob@example.org\0${alice}\0${PASSWORD}`).toString('base64');
      assert.match(await talk.ask(`AUTHENTICATE PLAIN ${plain}`), /^NO \[AUTHORIZATIONFAILED\]/);
      for (const response of ['*', '!!!']) {
        talk.send('x AUTHENTICATE PLAIN');
        await talk.line();
        talk.send(response);
        assert.match((await talk.line()) ?? '', /^x BAD /);
      }
    };
    assert.deepEqual(await told(asked), [
      'imap unknown  badprotocol TLSv1.3',
      `imap plain ${alice} badcreds TLSv1.3`,
      'imap plain  aborted TLSv1.3',
      'imap plain  badprotocol TLSv1.3',
    ]);
  });

  it('41: has what the client calls itself, also when it says so after the login', async () => {
    for (const saidFirst of [true, false]) {
      await using server = await openTestServer();
      const talk = await begin(server);
      const id = 'ID ("name" "Mail" "version" "1.0" "os" "Linux")';
      for (const command of saidFirst
        ? [id, `LOGIN ${alice} ${PASSWORD}`]
        : [`LOGIN ${alice} ${PASSWORD}`, id]) {
        assert.match(await talk.ask(command), /^OK /);
      }
      const agents = server.world.attempts.noted.map(({ userAgent }) => userAgent);
      assert.deepEqual(agents, ['Mail/1.0; os Linux']);
    }
  });

  it('41: has a client that leaves in the middle, and one right after it was let in', async () => {
    await using server = await openTestServer();
    const stream = server.connect();
    const talk = new ImapTalk(stream);
    await talk.line();
    talk.send('x AUTHENTICATE PLAIN');
    await talk.line();
    stream.destroy();
    const other = server.connect();
    const quick = new ImapTalk(other);
    await quick.line();
    await quick.ask(`LOGIN ${alice} ${PASSWORD}`);
    await quick.ask('LOGOUT');
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    server.world.clock.advance(3000);
    const results = server.world.attempts.noted.map(({ result }) => result);
    assert.deepEqual(results.sort(), ['aborted', 'ok']);
  });

  it('42, 51: has TLS keys that log in by themselves, or do so no more', async () => {
    await using server = await openTestServer();
    const known = new ImapTalk(server.connect({ key: { fingerprint: 'alices', resumed: false } }));
    assert.match((await known.line()) ?? '', /PREAUTH/);
    const gone = new ImapTalk(server.connect({ key: { fingerprint: 'gone', resumed: true } }));
    assert.match((await gone.line()) ?? '', /BYE/);
    server.world.clock.advance(1000);
    const seen = server.world.attempts.noted.map(({ mechanism, login, result, fingerprint }) => [
      mechanism,
      login,
      result,
      fingerprint,
    ]);
    assert.deepEqual(seen, [
      ['tlsclientauth', '', 'badcreds', 'gone'],
      ['tlsclientauth', alice, 'ok', 'alices'],
    ]);
  });

  it('never has a password', async () => {
    await using server = await openTestServer();
    const talk = await begin(server);
    await talk.ask(`LOGIN ${alice} wrong-secret`);
    await talk.ask(`LOGIN ${alice} ${PASSWORD}`);
    server.world.clock.advance(1000);
    const text = JSON.stringify(server.world.attempts.noted);
    assert.ok(!text.includes(PASSWORD) && !text.includes('wrong-secret'));
  });
});

describe('a TLS key', () => {
  it('46: is the only account that SCRAM and CRAM-MD5 lead to', async () => {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'CRAM-MD5']) {
      await using server = await openTestServer();
      const key = { fingerprint: 'waiting', resumed: false };
      const talk = new ImapTalk(server.connect({ key }));
      await talk.line();
      const facts = { password: PASSWORD, tls: FAKE_TLS };
      const bob = await talk.authenticate(mechanism, { login: 'bob@example.org', ...facts });
      assert.equal(bob, WRONG);
      const alice = await talk.authenticate(mechanism, { login: 'alice2@example.org', ...facts });
      assert.match(alice, /^OK /);
    }
  });

  it('ends the connections that it opened when it is removed, also those in IDLE', async () => {
    await using server = await openTestServer();
    const { world } = server;
    const alice = { accountId: ALICE, login: 'alice@example.org' };
    const key = { keyType: 'ed25519', name: 'x', noImapPreauth: false, certificate: 'MIIB' };
    for (const fingerprint of ['first', 'second']) {
      world.keys.set(fingerprint, { ...alice, imapPreauth: fingerprint === 'first' });
      await world.execute(ALICE, { type: 'AddTlsKey', ...key, fingerprint, login: alice.login });
    }
    const begun = (fingerprint: string): ImapTalk =>
      new ImapTalk(server.connect({ key: { fingerprint, resumed: false } }));
    const [idling, waiting, other] = [begun('first'), begun('first'), begun('second')];
    for (const talk of [idling, waiting, other]) await talk.line();
    idling.send('a IDLE');
    assert.match((await idling.line()) ?? '', /^\+ /);
    world.keys.delete('first');
    await world.execute(ALICE, { type: 'RemoveTlsKey', fingerprint: 'first' });
    for (const talk of [idling, waiting]) {
      assert.match((await talk.line()) ?? '', /^\* BYE \[ALERT\] /);
      assert.equal(await talk.line(), undefined);
    }
    assert.match(await other.ask('NOOP'), /^OK /);
  });
});
