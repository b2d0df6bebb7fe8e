/** AUTH over the conversation: what the mechanisms say is carried and told rightly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeRandom } from '../../../support/clock.ts';
import { PASSWORD, smtpWorld, type World } from '../../../support/smtp.ts';
import { TLS, type Talk } from '../../../support/smtp-talk.ts';
import type { TlsFacts } from '#protocols/ports';
import { findMechanism } from '#protocols/sasl/catalog';

async function begin(world: World): Promise<Talk> {
  const talk = world.connect({ tls: true });
  await talk.line();
  await talk.expect(['EHLO client.example', '250-']);
  return talk;
}

async function scram(talk: Talk, name: string, password: string, tls: TlsFacts): Promise<string> {
  const client = findMechanism(name)?.startClient({
    login: 'alice@example.org',
    password,
    random: fakeRandom('client'),
    tls,
    offered: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'],
  });
  assert.ok(client);
  let reply = await talk.ask(`AUTH ${name} ${client.initial?.toString('base64')}`);
  while (reply.startsWith('334 ')) {
    const step = await client.next(Buffer.from(reply.slice(4), 'base64'));
    reply = await talk.ask(step.type === 'response' ? step.data.toString('base64') || '' : '*');
  }
  if (reply.startsWith('235')) assert.ok(client.complete, 'the server proved itself');
  return reply;
}

for (const name of ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']) {
  test(`${name} with the right password, a wrong one, another connection`, async () => {
    await using world = smtpWorld({ role: 'submission' });
    assert.match(await scram(await begin(world), name, PASSWORD, TLS), /^235 2\.7\.0 /);
    assert.match(await scram(await begin(world), name, 'wrong', TLS), /^535 5\.7\.8 /);
    if (!name.endsWith('-PLUS')) return;
    const elsewhere = { ...TLS, channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32) } };
    const other = elsewhere as TlsFacts;
    assert.match(await scram(await begin(world), name, PASSWORD, other), /^535 5\.7\.7 /);
  });
}

test('failures are counted where they come from, success forgets them', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const talk = await begin(world);
  const plain = (password: string): string =>
    `AUTH PLAIN ${Buffer.from(`\0alice@example.org\0${password}`).toString('base64')}`;
  await talk.expect([plain('wrong'), '535 '], ['AUTH PLAIN %%', '501 '], [plain('worse'), '535 ']);
  assert.equal(world.rates.failures, 2);
  await talk.expect([plain(PASSWORD), '235 ']);
  assert.equal(world.rates.failures, 0);
});

test('who failed too often is sent away, before and after the greeting', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const talk = await begin(world);
  world.rates.mayLogin = false;
  await talk.expect(['AUTH LOGIN', '421 4.7.0 ']);
  await talk.closed();
  const next = world.connect({ tls: true });
  assert.match(await next.line(), /^421 4\.7\.0 /);
  await next.closed();
});
