/** AUTH over the conversation: what the mechanisms say is carried and told rightly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeRandom } from '../../../support/clock.ts';
import { ALICE, PASSWORD, smtpWorld, type World } from '../../../support/smtp.ts';
import { TLS, type Talk } from '../../../support/smtp-talk.ts';
import { Live } from '#infra/live';
import type { TlsFacts } from '#protocols/ports';
import { findMechanism } from '#protocols/sasl/catalog';

async function begin(world: World): Promise<Talk> {
  const talk = world.connect({ tls: true });
  await talk.line();
  await talk.expect(['EHLO client.example', '250-']);
  return talk;
}

async function authenticate(
  talk: Talk,
  name: string,
  password: string,
  tls: TlsFacts = TLS,
): Promise<string> {
  const client = findMechanism(name)?.startClient({
    login: 'alice@example.org',
    password,
    random: fakeRandom('client'),
    tls,
    offered: [`${name}-PLUS`],
  });
  assert.ok(client);
  const initial = client.initial === undefined ? '' : ` ${client.initial.toString('base64')}`;
  let reply = await talk.ask(`AUTH ${name}${initial}`);
  while (reply.startsWith('334 ')) {
    const step = await client.next(Buffer.from(reply.slice(4), 'base64'));
    reply = await talk.ask(step.type === 'response' ? step.data.toString('base64') || '' : '*');
  }
  if (reply.startsWith('235')) assert.ok(client.complete, 'the server proved itself');
  return reply;
}

for (const name of [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'CRAM-MD5',
  'PLAIN',
]) {
  test(`22: ${name} with the right password, a wrong one, another connection`, async () => {
    await using world = smtpWorld({ role: 'submission' });
    assert.match(await authenticate(await begin(world), name, PASSWORD), /^235 2\.7\.0 /);
    assert.match(await authenticate(await begin(world), name, 'wrong'), /^535 5\.7\.8 /);
    if (!name.endsWith('-PLUS')) return;
    const elsewhere = { ...TLS, channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32) } };
    const other = elsewhere as TlsFacts;
    assert.match(await authenticate(await begin(world), name, PASSWORD, other), /^535 5\.7\.7 /);
  });
}

test('CRAM-MD5 takes a login and a digest behind its challenge, nothing else', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const talk = await begin(world);
  await talk.expect(
    ['AUTH CRAM-MD5', '334 PD'],
    ['YWxpY2U=', '501 5.5.4 '],
    ['AUTH CRAM-MD5 YWxpY2U=', '501 5.5.4 '],
  );
  assert.equal(world.rates.failures, 0);
});

test('an account with an older password is sent away, and that does not count', async () => {
  await using world = smtpWorld({ role: 'submission' });
  world.old.add('alice@example.org');
  const talk = await begin(world);
  for (const name of ['CRAM-MD5', 'SCRAM-SHA-1']) {
    assert.match(await authenticate(talk, name, PASSWORD), /^454 4\.3\.0 /);
  }
  assert.equal(world.rates.failures, 0);
  assert.match(await authenticate(talk, 'SCRAM-SHA-256', PASSWORD), /^235 /);
});

test('EXTERNAL needs TLS, and a certificate', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const bare = world.connect();
  await bare.line();
  await bare.expect(['EHLO client.example', '250-'], ['AUTH EXTERNAL =', '538 5.7.11 ']);
  const talk = await begin(world);
  await talk.expect(['AUTH EXTERNAL =', '535 5.7.8 ']);
});

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

test('every attempt is recorded with its result and the name in EHLO', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const first = await begin(world);
  const elsewhere = { ...TLS, channelBinding: { type: 'tls-exporter', data: Buffer.alloc(32) } };
  await authenticate(first, 'SCRAM-SHA-256-PLUS', PASSWORD, elsewhere as TlsFacts);
  await authenticate(first, 'CRAM-MD5', 'wrong');
  const talk = await begin(world);
  await authenticate(talk, 'PLAIN', 'wrong');
  await talk.expect(
    ['AUTH HUNTER2', '504 '],
    ['AUTH PLAIN', '334 '],
    ['*', '501 '],
    ['AUTH PLAIN %%', '501 '],
  );
  await authenticate(talk, 'PLAIN', PASSWORD);
  const bare = world.connect();
  await bare.line();
  await bare.expect(['EHLO other.example', '250-'], ['AUTH PLAIN', '538 ']);
  const alice = 'alice@example.org';
  assert.deepEqual(
    world.attempts.noted.map(({ protocol, mechanism, login, result, userAgent }) =>
      [protocol, mechanism, login, result, userAgent].join(' '),
    ),
    [
      `submission scram-sha-256-plus ${alice} badchanbind client.example`,
      `submission cram-md5 ${alice} badcreds client.example`,
      `submission plain ${alice} badpassword client.example`,
      'submission unknown  badprotocol client.example',
      'submission plain  aborted client.example',
      'submission plain  badprotocol client.example',
      `submission plain ${alice} ok client.example`,
      'submission plain  badprotocol other.example',
    ],
  );
});

test('a client that is let in by its key is recorded when it says its name', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const talk = world.connect({ tls: true, key: { fingerprint: 'alices', resumed: false } });
  await talk.line();
  assert.deepEqual(world.attempts.noted, []);
  await talk.expect(['EHLO client.example', '250-']);
  const gone = world.connect({ tls: true, key: { fingerprint: 'gone', resumed: true } });
  assert.match(await gone.line(), /^421 /);
  assert.deepEqual(
    world.attempts.noted.map(({ mechanism, login, result, fingerprint, userAgent }) =>
      [mechanism, login, result, fingerprint, userAgent].join(' '),
    ),
    ['tlsclientauth alice@example.org ok alices client.example', 'tlsclientauth  badcreds gone '],
  );
});

test('queue 35: who is logged in as an account that is removed is told so, and goes', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const { changes } = world.ports;
  assert.ok(changes instanceof Live);
  const talk = await begin(world);
  assert.match(await authenticate(talk, 'PLAIN', PASSWORD), /^235 /);
  changes.end(ALICE);
  assert.match(await talk.line(), /^421 4\.7\.0 Your account was removed\./);
});
