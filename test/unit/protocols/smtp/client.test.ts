/**
 * How an SMTP connection begins: greeting, EHLO, TLS.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlayedServer } from '../../../support/imap-client.ts';
import { FAKE_TLS } from '../../../support/pipes.ts';
import { ehlo, openPlayed, play, smtpOptions } from '../../../support/smtp-client.ts';
import { Fault } from '#domain/values/fault';
import type { ServerCertificates, TlsTrust } from '#protocols/ports';
import { openSmtpClient } from '#protocols/smtp/client';
import type { SmtpClient } from '#protocols/smtp/client-session';

const NAME = 'SmtpClientError';

describe('opening', () => {
  it('hears the greeting and what the server can do', async () => {
    const server = new PlayedServer();
    server.say('220-mx.example.org ESMTP', '220 ready');
    const opening = openSmtpClient(smtpOptions(server));
    await play(server, ehlo('SIZE 1000', 'PIPELINING', 'LIMITS RCPTMAX=7', 'AUTH PLAIN login'));
    const client = await opening;
    assert.deepEqual(client.greeting.lines, ['mx.example.org ESMTP', 'ready']);
    assert.equal(client.extensions.sizeBytesMax, 1000);
    assert.equal(client.extensions.recipientsMax, 7);
    assert.deepEqual(client.extensions.mechanisms, ['PLAIN', 'LOGIN']);
    assert.ok(client.extensions.words.has('PIPELINING'));
    assert.equal(client.tls, FAKE_TLS);
  });

  for (const no of [500, 501, 502, 504]) {
    it(`says HELO to a server that answers ${no} to EHLO`, async () => {
      const server = new PlayedServer();
      server.say('220 old');
      const opening = openSmtpClient(smtpOptions(server));
      await play(
        server,
        ['EHLO mail.example.com', `${no} what?`],
        ['HELO mail.example.com', '250 hello'],
      );
      assert.equal((await opening).extensions.words.size, 0);
    });
  }

  for (const [said, permanent, stage] of [
    ['554 5.3.2 go away', true, 'greeting'],
    ['450 4.3.2 later', false, 'greeting'],
    ['421 closing', false, 'greeting'],
  ] as const) {
    it(`smtp 108: ends with a greeting of ${said}`, async () => {
      const server = new PlayedServer();
      server.say(said);
      const opening = openSmtpClient(smtpOptions(server));
      const replyCode = Number(said.slice(0, 3));
      await assert.rejects(opening, { name: NAME, code: 'Refused', permanent, stage, replyCode });
    });
  }

  it('ends when EHLO is refused', async () => {
    const server = new PlayedServer();
    server.say('220 hello');
    const opening = openSmtpClient(smtpOptions(server));
    await play(server, ['EHLO mail.example.com', '550 5.7.1 not you']);
    const refused = { code: 'Refused', stage: 'ehlo', permanent: true, enhanced: '5.7.1' };
    await assert.rejects(opening, refused);
  });

  it('does not introduce itself with a name that breaks the line', async () => {
    const options = smtpOptions(new PlayedServer(), { hostName: 'a\r\nMAIL' });
    await assert.rejects(openSmtpClient(options), { code: 'BadArgument' });
  });

  it('waits for the greeting only so long', async () => {
    const server = new PlayedServer();
    const opening = openSmtpClient(smtpOptions(server, { timeouts: { replyMs: 1000 } }));
    const failing = assert.rejects(opening, { code: 'Timeout', stage: 'greeting' });
    while (server.clock.waiting === 0) await new Promise(setImmediate);
    server.clock.advance(1000);
    await failing;
    assert.equal(server.clock.waiting, 0);
  });

  it('can be cancelled, before and after it is connected', async () => {
    const server = new PlayedServer();
    const aborted = smtpOptions(server, { signal: AbortSignal.abort() });
    await assert.rejects(openSmtpClient(aborted), { code: 'Cancelled' });
    const control = new AbortController();
    const late = openSmtpClient(smtpOptions(new PlayedServer(), { signal: control.signal }));
    setImmediate(() => control.abort());
    await assert.rejects(late, { code: 'Cancelled', stage: 'greeting' });
  });

  it('says where nobody answers, and what of TLS failed', async () => {
    for (const [fault, code, stage, tlsProblem] of [
      ['CannotConnect', 'CannotConnect', 'dial', undefined],
      ['TlsHandshakeFailed', 'TlsFailed', 'tls', 'validation-failure'],
    ] as const) {
      const dialer = { dial: () => Promise.reject(new Fault(fault, 'no')) };
      const opening = openSmtpClient(smtpOptions(new PlayedServer(), { dialer }));
      await assert.rejects(opening, { name: NAME, code, stage, tlsProblem, permanent: false });
    }
  });
});

describe('STARTTLS', () => {
  async function secured(server: PlayedServer, tls: 'starttls' | 'opportunistic') {
    server.say('220 hello');
    const opening = openSmtpClient(smtpOptions(server, { tls }));
    await play(server, ehlo('STARTTLS', 'AUTH PLAIN'), ['STARTTLS', '220 go']);
    await play(server.secured, ehlo('REQUIRETLS'));
    return await opening;
  }

  for (const tls of ['starttls', 'opportunistic'] as const) {
    it(`(${tls}) forgets what the server said before it`, async () => {
      const client: SmtpClient = await secured(new PlayedServer(), tls);
      assert.deepEqual([...client.extensions.words.keys()], ['REQUIRETLS']);
      assert.equal(client.tls, FAKE_TLS);
      assert.equal(client.tlsProblem, undefined);
    });

    it(`(${tls}) is not believed when somebody speaks in between`, async () => {
      const server = new PlayedServer();
      server.say('220 hello');
      const opening = openSmtpClient(smtpOptions(server, { tls }));
      await play(server, ehlo('STARTTLS'), ['STARTTLS', '220 go', '250-mx', '250 AUTH PLAIN']);
      await assert.rejects(opening, { code: 'TlsFailed', stage: 'tls' });
    });

    it(`(${tls}) that is refused ends the connection`, async () => {
      const server = new PlayedServer();
      server.say('220 hello');
      const opening = openSmtpClient(smtpOptions(server, { tls }));
      await play(server, ehlo('STARTTLS'), ['STARTTLS', '502 5.5.1 no']);
      await assert.rejects(opening, { code: 'Refused', stage: 'tls', permanent: false });
    });
  }

  it('is missed where it is asked for, and only noted where it is not', async () => {
    const missing = new PlayedServer();
    const strict = openPlayed(missing, [], { tls: 'starttls' });
    const tlsProblem = 'starttls-not-supported';
    await assert.rejects(strict, { code: 'TlsNotOffered', stage: 'tls', tlsProblem });
    const client = await openPlayed(new PlayedServer(), [], { tls: 'opportunistic' });
    assert.equal(client.tls, undefined);
    assert.equal(client.tlsProblem, tlsProblem);
  });
});

describe('certificates', () => {
  async function judged(trust: TlsTrust, problem: string | undefined): Promise<string | undefined> {
    const server = new PlayedServer();
    const shown: ServerCertificates = { chain: [Buffer.from('der')], problem };
    let objection: string | undefined;
    const { dialer, ...options } = smtpOptions(server, { trust });
    server.say('220 hello');
    const opening = openSmtpClient({
      ...options,
      dialer: {
        dial: (target) => {
          objection = target.trust?.judge?.(shown);
          if (objection !== undefined) throw new Fault('TlsHandshakeFailed', objection);
          return dialer.dial({ ...target, trust: {} });
        },
      },
    });
    if (objection !== undefined) {
      return await opening.then(
        () => 'opened',
        (error: { tlsProblem?: string; message: string }) => `${error.tlsProblem}`,
      );
    }
    await play(server, ehlo());
    return `opened, ${(await opening).tlsProblem}`;
  }

  it('must be good unless somebody says otherwise; a report hears of it either way', async () => {
    assert.equal(await judged({}, undefined), 'opened, undefined');
    for (const [problem, word] of [
      ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate-host-mismatch'],
      ['CERT_HAS_EXPIRED', 'certificate-expired'],
      ['CERT_NOT_YET_VALID', 'certificate-expired'],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate-not-trusted'],
    ] as const) {
      assert.equal(await judged({}, problem), word);
      assert.equal(await judged({ anyCertificate: true }, problem), `opened, ${word}`);
    }
  });

  it('smtp 113: are judged by the caller where it wants to', async () => {
    const chains: (readonly Buffer[])[] = [];
    const judge = (objection?: string) => (shown: ServerCertificates) => {
      chains.push(shown.chain);
      return objection;
    };
    const selfSigned = 'DEPTH_ZERO_SELF_SIGNED_CERT';
    assert.equal(await judged({ judge: judge() }, selfSigned), 'opened, certificate-not-trusted');
    assert.equal(await judged({ judge: judge('no match') }, undefined), 'validation-failure');
    assert.deepEqual(chains, [[Buffer.from('der')], [Buffer.from('der')]]);
  });
});
