/**
 * EXTERNAL: whoever has shown a key says as whom it logs in.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TlsFacts } from '#protocols/ports';
import { external } from '#protocols/sasl/external';
import type { ServerContext, ServerStep } from '#protocols/sasl/mechanism';
import { fakeRandom } from '../../../support/clock.ts';
import { fakeLogins } from '../../../support/logins.ts';

const PASSWORD = 'test-pass-123';
const LOGINS = fakeLogins(
  {
    'alice@example.org': { accountId: 1, password: PASSWORD },
    'alice2@example.org': { accountId: 1, password: PASSWORD },
    'bob@example.org': { accountId: 2, password: PASSWORD },
    'closed@example.org': { accountId: 3, password: PASSWORD, forbidden: 'Call us.' },
  },
  {
    keys: new Map([
      ['alice', { accountId: 1, login: 'alice@example.org', imapPreauth: true }],
      ['closed', { accountId: 3, login: 'closed@example.org', imapPreauth: true }],
    ]),
  },
);

function tlsWith(fingerprint: string | undefined): TlsFacts {
  const facts: TlsFacts = {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32) },
  };
  return fingerprint === undefined ? facts : { ...facts, peerKey: { fingerprint, resumed: false } };
}

function context(tls: TlsFacts | undefined): ServerContext {
  return {
    logins: LOGINS,
    random: fakeRandom(),
    hostName: 'mail.example.org',
    tls,
    passwordsInClear: true,
  };
}

async function say(text: string, fingerprint: string | undefined = 'alice'): Promise<ServerStep> {
  return external.startServer(context(tlsWith(fingerprint))).next(Buffer.from(text));
}

function assertFailed(step: ServerStep, type: string): void {
  assert.equal(step.type === 'failed' ? step.failure.type : step.type, type);
}

describe('EXTERNAL', () => {
  it('44: without a name is the address that stands with the key', async () => {
    assert.deepEqual(await say(''), { type: 'done', accountId: 1, login: 'alice@example.org' });
  });

  it('45: with a name is that address, if it is of the same account', async () => {
    const second = { type: 'done', accountId: 1, login: 'alice2@example.org' };
    assert.deepEqual(await say('alice2@example.org'), second);
    assertFailed(await say('bob@example.org'), 'wrong-credentials');
    assertFailed(await say('nobody@example.org'), 'wrong-credentials');
  });

  it('50: is nothing without a key, and nothing with one that is not known', async () => {
    const server = external.startServer(context(tlsWith(undefined)));
    assertFailed(await server.next(Buffer.alloc(0)), 'wrong-credentials');
    assertFailed(await say('', 'other'), 'wrong-credentials');
  });

  it('needs TLS, whatever the administrator allows', async () => {
    assertFailed(await external.startServer(context(undefined)).next(undefined), 'needs-tls');
  });

  it('tells a closed account why', async () => {
    assertFailed(await say('', 'closed'), 'forbidden');
  });

  it('asks for the name when there was none', async () => {
    const server = external.startServer(context(tlsWith('alice')));
    assert.deepEqual(await server.next(undefined), { type: 'challenge', data: Buffer.alloc(0) });
    assert.equal((await server.next(Buffer.from('alice2@example.org'))).type, 'done');
    assert.equal(server.claimedLogin, 'alice2@example.org');
  });

  it('refuses what cannot be a name', async () => {
    assertFailed(await say('alice\0@example.org'), 'malformed');
    const server = external.startServer(context(tlsWith('alice')));
    assertFailed(await server.next(Buffer.from('j\u00f6@x', 'latin1')), 'malformed');
  });

  it('is spoken by our client', async () => {
    for (const login of ['', 'alice2@example.org']) {
      const random = fakeRandom('client');
      const client = external.startClient({
        login,
        password: '',
        random,
        tls: undefined,
        offered: [],
      });
      assert.equal(
        (await external.startServer(context(tlsWith('alice'))).next(client.initial)).type,
        'done',
      );
      assert.equal(client.complete, true);
      assert.equal((await client.next(Buffer.from('more?'))).type, 'failed');
    }
  });
});
