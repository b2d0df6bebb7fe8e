/**
 * PLAIN and LOGIN, on both sides.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServerContext, ServerStep } from '#protocols/sasl/mechanism';
import { login, plain } from '#protocols/sasl/simple';
import { fakeRandom } from '../../../support/clock.ts';
import { fakeLogins } from '../../../support/logins.ts';

const LOGINS = fakeLogins({
  'alice@example.org': { accountId: 1, password: 'test-pass-123' },
  'closed@example.org': { accountId: 2, password: 'test-pass-123', forbidden: 'Call us.' },
});

function context(changes: Partial<ServerContext> = {}): ServerContext {
  const random = fakeRandom();
  const hostName = 'mail.example.org';
  return { logins: LOGINS, random, hostName, tls: undefined, passwordsInClear: true, ...changes };
}

function assertFailed(step: ServerStep, type: string): void {
  assert.equal(step.type === 'failed' ? step.failure.type : step.type, type);
}

const DONE = { type: 'done', accountId: 1, login: 'alice@example.org' };

async function tryPlain(text: string): Promise<ServerStep> {
  return plain.startServer(context()).next(Buffer.from(text));
}

describe('PLAIN', () => {
  it('takes a login and a password, with the command or after it', async () => {
    assert.deepEqual(await tryPlain('\0alice@example.org\0test-pass-123'), DONE);
    const server = plain.startServer(context());
    assert.deepEqual(await server.next(undefined), { type: 'challenge', data: Buffer.alloc(0) });
    const response = Buffer.from('\0alice@example.org\0test-pass-123');
    assert.deepEqual(await server.next(response), DONE);
    assert.equal(server.claimedLogin, 'alice@example.org');
  });

  it('does not tell an unknown login from a wrong password', async () => {
    assert.deepEqual(
      await tryPlain('\0alice@example.org\0wrong'),
      await tryPlain('\0nobody\0wrong'),
    );
    assertFailed(await tryPlain('\0nobody\0wrong'), 'wrong-credentials');
  });

  it('lets nobody act as somebody else', async () => {
    assert.deepEqual(await tryPlain('alice@example.org\0alice@example.org\0test-pass-123'), DONE);
    const asBob = 'bob@example.org\0alice@example.org\0test-pass-123';
    assertFailed(await tryPlain(asBob), 'not-authorized');
    assertFailed(await tryPlain('alice@example.org\0\0test-pass-123'), 'not-authorized');
  });

  it('tells a closed account why', async () => {
    const step = await tryPlain('\0closed@example.org\0test-pass-123');
    const failure = { type: 'forbidden', reason: 'Call us.' };
    assert.deepEqual(step, { type: 'failed', failure });
  });

  for (const text of ['', 'alice', '\0alice@example.org', '\0alice\0', '\0a\0b\0c']) {
    it(`refuses the form ${JSON.stringify(text)}`, async () => {
      assertFailed(await tryPlain(text), 'malformed');
    });
  }

  it('refuses what is not UTF-8', async () => {
    const step = await plain.startServer(context()).next(Buffer.from('\0j\u00f6\0pw', 'latin1'));
    assertFailed(step, 'malformed');
  });

  it('needs TLS before it looks at anything', async () => {
    const server = plain.startServer(context({ passwordsInClear: false }));
    assertFailed(await server.next(Buffer.from('\0alice@example.org\0test-pass-123')), 'needs-tls');
    assert.equal(server.claimedLogin, undefined);
  });
});

describe('LOGIN', () => {
  it('asks for both', async () => {
    const server = login.startServer(context());
    assert.deepEqual(await server.next(undefined), challenge('Username:'));
    assert.deepEqual(await server.next(Buffer.from('alice@example.org')), challenge('Password:'));
    assert.deepEqual(await server.next(Buffer.from('test-pass-123')), DONE);
  });

  it('takes the login with the command', async () => {
    const server = login.startServer(context());
    assert.deepEqual(await server.next(Buffer.from('alice@example.org')), challenge('Password:'));
    assertFailed(await server.next(Buffer.from('wrong')), 'wrong-credentials');
  });

  it('refuses empty answers and bare connections', async () => {
    const server = login.startServer(context());
    await server.next(undefined);
    assertFailed(await server.next(Buffer.alloc(0)), 'malformed');
    const bare = login.startServer(context({ passwordsInClear: false }));
    assertFailed(await bare.next(undefined), 'needs-tls');
  });
});

describe('our client', () => {
  const credentials = {
    login: 'alice@example.org',
    password: 'test-pass-123',
    random: fakeRandom(),
    tls: undefined,
    offered: ['PLAIN', 'LOGIN'],
  };

  it('logs in by PLAIN', async () => {
    const client = plain.startClient(credentials);
    assert.deepEqual(await plain.startServer(context()).next(client.initial), DONE);
    assert.equal(client.complete, true);
    assert.equal((await client.next(Buffer.from('more?'))).type, 'failed');
  });

  it('logs in by LOGIN', async () => {
    const client = login.startClient(credentials);
    const server = login.startServer(context());
    let step = await server.next(client.initial);
    while (step.type === 'challenge') {
      assert.equal(client.complete, false);
      const answer = await client.next(step.data);
      assert.equal(answer.type, 'response');
      step = await server.next(answer.type === 'response' ? answer.data : undefined);
    }
    assert.deepEqual(step, DONE);
    assert.equal(client.complete, true);
    assert.equal((await client.next(Buffer.from('more?'))).type, 'failed');
  });
});

function challenge(text: string): ServerStep {
  return { type: 'challenge', data: Buffer.from(text) };
}
