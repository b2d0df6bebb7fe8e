/**
 * SCRAM: the examples of the standards octet for octet, and everything that must not pass.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findMechanism, offeredMechanisms } from '#protocols/sasl/catalog';
import type {
  ClientContext,
  ClientExchange,
  Mechanism,
  ServerContext,
  ServerExchange,
  ServerStep,
} from '#protocols/sasl/mechanism';
import { scramMechanism, ScramClient, ScramServer } from '#protocols/sasl/scram';
import type { TlsFacts } from '#protocols/ports';
import { fakeRandom } from '../../../support/clock.ts';
import { fakeLogins } from '../../../support/logins.ts';

const TLS: TlsFacts = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBinding: { type: 'tls-exporter', data: Buffer.from('what binds this channel') },
};

const LOGINS = fakeLogins({
  user: { accountId: 7, password: 'pencil' },
  'a=b,c': { accountId: 8, password: 'comma' },
  'j\u00f6rg': { accountId: 9, password: 'pass w\u00f6rd' },
  closed: { accountId: 10, password: 'pencil', forbidden: 'Call us.' },
});

function serverContext(changes: Partial<ServerContext> = {}): ServerContext {
  const random = fakeRandom('server');
  const hostName = 'mail.example.org';
  return { logins: LOGINS, random, hostName, tls: TLS, passwordsInClear: false, ...changes };
}

function clientContext(changes: Partial<ClientContext> = {}): ClientContext {
  const random = fakeRandom('client');
  const offered = offeredMechanisms({ tls: TLS, passwordsInClear: false });
  return { login: 'user', password: 'pencil', random, tls: TLS, offered, ...changes };
}

function mechanism(name: string): Mechanism {
  const found = findMechanism(name);
  assert.ok(found !== undefined, name);
  return found;
}

/** Lets two sides talk until one of them ends it. */
async function converse(client: ClientExchange, server: ServerExchange): Promise<ServerStep> {
  let step = await server.next(client.initial);
  while (step.type === 'challenge') {
    const answer = await client.next(step.data);
    assert.equal(answer.type, 'response', JSON.stringify(answer));
    step = await server.next(answer.type === 'response' ? answer.data : undefined);
  }
  return step;
}

async function say(server: ServerExchange, text: string): Promise<ServerStep> {
  return server.next(Buffer.from(text));
}

function assertFailed(step: ServerStep, type: string): void {
  assert.equal(step.type === 'failed' ? step.failure.type : step.type, type);
}

function textOf(step: { type: string; data?: Buffer }): string {
  assert.ok(step.data !== undefined, step.type);
  return step.data.toString();
}

const EXAMPLES = [
  {
    of: 'RFC 5802 §5',
    hash: 'sha1',
    salt: 'QSXCR+Q6sek8bf92',
    nonces: ['fyko+d2lbbFgONRv9qkxdawL', '3rfcNHYJY1ZVvWVs7j'],
    lines: [
      'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
      'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    ],
  },
  {
    of: 'RFC 7677 §3',
    hash: 'sha256',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    nonces: ['rOprNGfwEbeRWgbNEkqO', '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'],
    lines: [
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    ],
  },
] as const;

describe('the examples of the standards', () => {
  for (const { of, hash, salt, nonces, lines } of EXAMPLES) {
    it(`${of}, both sides`, async () => {
      const scram = scramMechanism('SCRAM', hash, false);
      const known = { user: { accountId: 7, password: 'pencil' } };
      const logins = fakeLogins(known, { salt: Buffer.from(salt, 'base64') });
      const client = new ScramClient(scram, hash, clientContext({ tls: undefined }), nonces[0]);
      const server = new ScramServer(scram, hash, serverContext({ logins }), nonces[1]);

      assert.equal(client.initial.toString(), lines[0]);
      assert.equal(textOf(await say(server, lines[0])), lines[1]);
      assert.equal(textOf(await client.next(Buffer.from(lines[1]))), lines[2]);
      assert.equal(textOf(await say(server, lines[2])), lines[3]);
      assert.equal(client.complete, false);
      assert.equal(textOf(await client.next(Buffer.from(lines[3]))), '');
      assert.equal(client.complete, true);
      assert.deepEqual(await say(server, ''), { type: 'done', accountId: 7, login: 'user' });
    });
  }
});

describe('our client and our server', () => {
  for (const name of ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS']) {
    for (const [login, password] of [
      ['user', 'pencil'],
      ['a=b,c', 'comma'],
      ['jo\u0308rg', 'pass\u00a0wo\u0308rd'],
    ] as const) {
      it(`32: ${name} as ${login}`, async () => {
        const client = mechanism(name).startClient(clientContext({ login, password }));
        const server = mechanism(name).startServer(serverContext());
        // The stand-in does not prepare names; the client does, so both forms arrive as one.
        const end = await converse(client, server);
        assert.equal(end.type, 'done');
        assert.equal(client.complete, true);
        assert.equal(server.claimedLogin, login.normalize('NFC'));
      });
    }
  }

  it('asks for the first message when there was none', async () => {
    const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
    assert.deepEqual(await server.next(undefined), { type: 'challenge', data: Buffer.alloc(0) });
    const client = mechanism('SCRAM-SHA-256').startClient(clientContext());
    assert.equal((await converse(client, server)).type, 'done');
  });

  it('a wrong password fails at the proof', async () => {
    const client = mechanism('SCRAM-SHA-256').startClient(clientContext({ password: 'pen' }));
    const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
    assertFailed(await converse(client, server), 'wrong-credentials');
    assert.equal(client.complete, false);
  });

  it('an unknown login fails at the proof, even one that fits its verifier', async () => {
    const client = clientContext({ login: 'nobody', password: '' });
    const end = converse(
      mechanism('SCRAM-SHA-256').startClient(client),
      mechanism('SCRAM-SHA-256').startServer(serverContext()),
    );
    assertFailed(await end, 'wrong-credentials');
  });

  it('a closed account learns why, but only with the right password', async () => {
    const scram = mechanism('SCRAM-SHA-256');
    const right = clientContext({ login: 'closed' });
    const wrong = clientContext({ login: 'closed', password: 'pen' });
    assert.deepEqual(await converse(scram.startClient(right), scram.startServer(serverContext())), {
      type: 'failed',
      failure: { type: 'forbidden', reason: 'Call us.' },
    });
    const end = await converse(scram.startClient(wrong), scram.startServer(serverContext()));
    assertFailed(end, 'wrong-credentials');
  });
});

describe('a password from before SCRAM-SHA-1 was there', () => {
  it('is refused plainly by that, and lets in by the other', async () => {
    const known = { user: { accountId: 7, password: 'pencil' } };
    const logins = fakeLogins(known, { old: new Set(['user']) });
    const end = async (name: string): Promise<ServerStep> =>
      converse(
        mechanism(name).startClient(clientContext()),
        mechanism(name).startServer(serverContext({ logins })),
      );
    assertFailed(await end('SCRAM-SHA-1'), 'no-secret');
    assert.equal((await end('SCRAM-SHA-256')).type, 'done');
  });
});

describe('channel binding', () => {
  it('another binding at the client is noticed', async () => {
    const plus = mechanism('SCRAM-SHA-256-PLUS');
    const data = Buffer.from('what binds another channel');
    const tls: TlsFacts = { ...TLS, channelBinding: { type: 'tls-exporter', data } };
    const client = plus.startClient(clientContext({ tls }));
    assertFailed(await converse(client, plus.startServer(serverContext())), 'wrong-binding');
  });

  it('another type of binding is refused', async () => {
    const server = mechanism('SCRAM-SHA-256-PLUS').startServer(serverContext());
    assertFailed(await say(server, 'p=tls-unique,,n=user,r=abc'), 'wrong-binding');
  });

  it('PLUS without TLS is refused at once', async () => {
    const server = mechanism('SCRAM-SHA-256-PLUS').startServer(serverContext({ tls: undefined }));
    assertFailed(await server.next(undefined), 'needs-tls');
  });

  it('35: a client that was not shown PLUS is being deceived', async () => {
    const scram = mechanism('SCRAM-SHA-256');
    const client = scram.startClient(clientContext({ offered: ['SCRAM-SHA-256'] }));
    assert.match(client.initial?.toString() ?? '', /^y,,/);
    assertFailed(await converse(client, scram.startServer(serverContext())), 'wrong-binding');
  });

  it('the flag must go with the mechanism', async () => {
    const bare = mechanism('SCRAM-SHA-256').startServer(serverContext());
    assertFailed(await say(bare, 'p=tls-exporter,,n=user,r=abc'), 'bad-exchange');
    const plus = mechanism('SCRAM-SHA-256-PLUS').startServer(serverContext());
    assertFailed(await say(plus, 'n,,n=user,r=abc'), 'bad-exchange');
  });

  it('a changed flag in the final message is noticed', async () => {
    const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
    const nonce = /^r=([^,]+)/.exec(textOf(await say(server, 'n,,n=user,r=abc')))?.[1];
    const proof = Buffer.alloc(32).toString('base64');
    // eSws is `y,,`.
    assertFailed(await say(server, `c=eSws,r=${nonce},p=${proof}`), 'wrong-binding');
  });
});

describe('what a server does not take', () => {
  for (const text of [
    '',
    'n',
    'x,,n=user,r=abc',
    'n,,r=abc,n=user',
    'n,,n=user',
    'n,,n=user,r=',
    'n,,n=user,r=a b',
    'n,,n=,r=abc',
    'n,,n=us=er,r=abc',
    'n,,n=us=2cer,r=abc',
    'n,b=user,n=user,r=abc',
    'n,,m=more,n=user,r=abc',
    'n,,n=us\0er,r=abc',
  ]) {
    it(`first message ${JSON.stringify(text)}`, async () => {
      const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
      assertFailed(await say(server, text), 'bad-exchange');
    });
  }

  it('a first message that is not UTF-8', async () => {
    const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
    assertFailed(await server.next(Buffer.from('n,,n=\u00fc,r=abc', 'latin1')), 'bad-exchange');
  });

  it('another authorization identity', async () => {
    const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
    assertFailed(await say(server, 'n,a=other,n=user,r=abc'), 'not-authorized');
    const same = mechanism('SCRAM-SHA-256').startServer(serverContext());
    assert.equal((await say(same, 'n,a=user,n=user,r=abc')).type, 'challenge');
  });

  const proof = Buffer.alloc(32).toString('base64');
  for (const final of [
    '',
    `r=NONCE,c=biws,p=${proof}`,
    `c=biws,r=NONCE`,
    `c=biws,r=NONCEx,p=${proof}`,
    `c=biws,r=abc,p=${proof}`,
    `c=biws,r=NONCE,p=${proof},x=1`,
    `c=bi*s,r=NONCE,p=${proof}`,
    'c=biws,r=NONCE,p=AAAA',
    'c=biws,r=NONCE,p=%%%%',
  ]) {
    it(`final message ${JSON.stringify(final)}`, async () => {
      const server = mechanism('SCRAM-SHA-256').startServer(serverContext());
      const nonce = /^r=([^,]+)/.exec(textOf(await say(server, 'n,,n=user,r=abc')))?.[1] ?? '';
      assertFailed(await say(server, final.replace('NONCE', nonce)), 'bad-exchange');
    });
  }

  it('more after the end', async () => {
    const scram = mechanism('SCRAM-SHA-256');
    const client = scram.startClient(clientContext());
    const server = scram.startServer(serverContext());
    const first = textOf(await say(server, client.initial?.toString() ?? ''));
    const final = textOf(await client.next(Buffer.from(first)));
    assert.match(textOf(await say(server, final)), /^v=/);
    assertFailed(await say(server, 'more'), 'bad-exchange');
  });
});

describe('what a client does not take', () => {
  const start = (): ClientExchange => mechanism('SCRAM-SHA-256').startClient(clientContext());
  const nonceOf = (client: ClientExchange): string =>
    /r=(.*)$/.exec(client.initial?.toString() ?? '')?.[1] ?? '';

  for (const text of [
    '',
    'r=somebody-elses,s=AAAA,i=4096',
    'r=NONCE,s=AAAA,i=4096',
    'r=NONCEmore,s=,i=4096',
    'r=NONCEmore,s=AAAA,i=4095',
    'r=NONCEmore,s=AAAA,i=100000000',
    'r=NONCEmore,s=AAAA,i=4096.5',
    'm=1,r=NONCEmore,s=AAAA,i=4096',
  ]) {
    it(`challenge ${JSON.stringify(text)}`, async () => {
      const client = start();
      const step = await client.next(Buffer.from(text.replace('NONCE', nonceOf(client))));
      assert.equal(step.type === 'failed' ? step.failure.type : step.type, 'bad-exchange');
      assert.equal(client.complete, false);
    });
  }

  it('a server that does not know the password', async () => {
    const client = start();
    await client.next(Buffer.from(`r=${nonceOf(client)}more,s=AAAA,i=4096`));
    const step = await client.next(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`));
    assert.deepEqual(step, { type: 'failed', failure: { type: 'server-not-genuine' } });
    assert.equal(client.complete, false);
  });

  it('an error, which it passes on', async () => {
    const client = start();
    await client.next(Buffer.from(`r=${nonceOf(client)}more,s=AAAA,i=4096`));
    const step = await client.next(Buffer.from('e=invalid-proof'));
    const failure = { type: 'refused', word: 'invalid-proof' };
    assert.deepEqual(step, { type: 'failed', failure });
  });
});
