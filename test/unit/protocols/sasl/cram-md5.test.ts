/**
 * CRAM-MD5: the example of the standard octet for octet, and everything that must not pass.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cramMd5, CramMd5Server } from '#protocols/sasl/cram-md5';
import type { ClientContext, ServerContext, ServerStep } from '#protocols/sasl/mechanism';
import { fakeRandom } from '../../../support/clock.ts';
import { fakeLogins } from '../../../support/logins.ts';

const LOGINS = fakeLogins(
  {
    tim: { accountId: 1, password: 'tanstaaftanstaaf' },
    'a b': { accountId: 2, password: 'space' },
    closed: { accountId: 3, password: 'pencil', forbidden: 'Call us.' },
    old: { accountId: 4, password: 'pencil' },
  },
  { old: new Set(['old']) },
);

const SERVER: ServerContext = {
  logins: LOGINS,
  random: fakeRandom('server'),
  hostName: 'mail.example.org',
  tls: undefined,
  passwordsInClear: false,
};

function clientContext(login: string, password: string): ClientContext {
  return { login, password, random: fakeRandom('client'), tls: undefined, offered: ['CRAM-MD5'] };
}

async function converse(login: string, password: string): Promise<ServerStep> {
  const client = cramMd5.startClient(clientContext(login, password));
  const server = cramMd5.startServer(SERVER);
  const challenge = await server.next(client.initial);
  assert.ok(challenge.type === 'challenge');
  assert.equal(client.complete, false);
  const answer = await client.next(challenge.data);
  assert.ok(answer.type === 'response');
  assert.equal(client.complete, true);
  return server.next(answer.data);
}

function assertFailed(step: ServerStep, type: string): void {
  assert.equal(step.type === 'failed' ? step.failure.type : step.type, type);
}

describe('CRAM-MD5', () => {
  it('RFC 2195 §2, both sides', async () => {
    const challenge = '<1896.697170952@postoffice.reston.mci.net>';
    const response = 'tim b913a602c7eda7a495b4e6e7334d3890';
    const server = new CramMd5Server(SERVER, challenge);
    const asked = await server.next(undefined);
    assert.deepEqual(asked, { type: 'challenge', data: Buffer.from(challenge) });
    const client = cramMd5.startClient(clientContext('tim', 'tanstaaftanstaaf'));
    const answer = await client.next(Buffer.from(challenge));
    assert.deepEqual(answer, { type: 'response', data: Buffer.from(response) });
    const end = await server.next(Buffer.from(response));
    assert.deepEqual(end, { type: 'done', accountId: 1, login: 'tim' });
  });

  it('asks with another challenge each time, in the name of the host', async () => {
    const first = await cramMd5.startServer(SERVER).next(undefined);
    const second = await cramMd5.startServer(SERVER).next(undefined);
    assert.ok(first.type === 'challenge' && second.type === 'challenge');
    assert.match(first.data.toString(), /^<\d+\.\d+@mail\.example\.org>$/);
    assert.notDeepEqual(first.data, second.data);
  });

  it('lets our client in, also as a login with a space', async () => {
    assert.deepEqual(await converse('a b', 'space'), { type: 'done', accountId: 2, login: 'a b' });
  });

  it('37: does not tell an unknown login from a wrong digest', async () => {
    assert.deepEqual(await converse('tim', 'wrong'), await converse('nobody', 'wrong'));
    assertFailed(await converse('tim', 'wrong'), 'wrong-credentials');
    // Even where the digest fits what is made up for it.
    assertFailed(await converse('nobody', ''), 'wrong-credentials');
  });

  it('tells a closed account why, but only with the right digest', async () => {
    assertFailed(await converse('closed', 'pencil'), 'forbidden');
    assertFailed(await converse('closed', 'pen'), 'wrong-credentials');
  });

  it('refuses plainly a password from before it was there', async () => {
    assertFailed(await converse('old', 'pencil'), 'no-secret');
  });

  for (const response of [
    '',
    'tim',
    'b913a602c7eda7a495b4e6e7334d3890',
    ' b913a602c7eda7a495b4e6e7334d3890',
    'tim b913a602c7eda7a495b4e6e7334d389',
    'tim b913a602c7eda7a495b4e6e7334d38900',
    'tim g913a602c7eda7a495b4e6e7334d3890',
    'tim b913a602c7eda7a495b4e6e7334d3890 ',
    'ti\0m b913a602c7eda7a495b4e6e7334d3890',
  ]) {
    it(`37: refuses the form ${JSON.stringify(response)}`, async () => {
      const server = cramMd5.startServer(SERVER);
      await server.next(undefined);
      assertFailed(await server.next(Buffer.from(response)), 'malformed');
    });
  }

  it('refuses what is not UTF-8, and a response before the challenge', async () => {
    const server = cramMd5.startServer(SERVER);
    await server.next(undefined);
    const latin1 = Buffer.from(`j\u00f6 ${'0'.repeat(32)}`, 'latin1');
    assertFailed(await server.next(latin1), 'malformed');
    const early = cramMd5.startServer(SERVER);
    assertFailed(await early.next(Buffer.from(`tim ${'0'.repeat(32)}`)), 'malformed');
  });

  it('our client answers once', async () => {
    const client = cramMd5.startClient(clientContext('tim', 'x'));
    await client.next(Buffer.from('<1@x>'));
    assert.equal((await client.next(Buffer.from('<2@x>'))).type, 'failed');
  });
});
