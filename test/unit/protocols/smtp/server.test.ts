/** Who is let in, how everything ends. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled, smtpWorld, type World } from '../../../support/smtp.ts';
import type { Talk } from '../../../support/smtp-talk.ts';

/** A stranger who may begin with the message itself. */
async function inMessage(world: World): Promise<Talk> {
  const talk = world.connect();
  await talk.line();
  await talk.expect(
    ['EHLO client.example', '250-'],
    ['MAIL FROM:<>', '250 '],
    ['RCPT TO:<alice@example.org>', '250 '],
    ['DATA', '354 '],
  );
  return talk;
}

test('who has too many connections hears 421 and nothing else', async () => {
  await using world = smtpWorld();
  world.rates.admits = false;
  const talk = world.connect();
  assert.match(await talk.line(), /^421 4\.7\.0 .* \(\S+\)$/);
  await talk.closed();
  assert.equal(world.rates.open, 0);
});

test('failed logins do not keep mail from strangers out', async () => {
  await using world = smtpWorld();
  world.rates.mayLogin = false;
  assert.match(await world.connect().line(), /^220 /);
});

test('every admitted connection is released once, however it ends', async () => {
  await using world = smtpWorld();
  const quit = world.connect();
  await quit.line();
  await quit.expect(['QUIT', '221 ']);
  const lost = world.connect();
  await lost.line();
  lost.hangUp();
  const silent = world.connect();
  await silent.line();
  await settled();
  world.clock.advance(31_000);
  assert.match(await silent.line(), /^421 4\.4\.2 /);
  await settled();
  assert.equal(world.rates.open, 0);
});

test('a peer that does not close in time is closed, and no timer is left', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await talk.line();
  await talk.expect(['QUIT', '221 ']);
  await settled();
  world.clock.advance(6_000);
  await settled();
  assert.equal(world.clock.waiting, 0);
});

test('stopping tells those who wait, and lets a message in the middle end', async () => {
  const world = smtpWorld();
  const idle = world.connect();
  await idle.line();
  const busy = await inMessage(world);
  busy.write('x: y\r\n');
  await settled();
  const closing = world.server.close();
  assert.match(await idle.line(), /^421 4\.3\.2 /);
  busy.write('\r\n.\r\n');
  assert.match(await busy.line(), /^250 2\.0\.0 /);
  assert.match(await busy.line(), /^421 4\.3\.2 /);
  await closing;
  const late = world.connect();
  assert.match(await late.line(), /^421 4\.3\.2 /);
});

test('stopping does not wait long for a message in the middle', async () => {
  const world = smtpWorld();
  const talk = await inMessage(world);
  await settled();
  const closing = world.server.close();
  await settled();
  world.clock.advance(4_000);
  assert.match(await talk.line(), /^421 4\.3\.2 /);
  await closing;
});

test('a bug ends its own connection only', async () => {
  await using world = smtpWorld();
  const other = world.connect();
  await other.line();
  world.bodies.stage = () => Promise.reject(new TypeError('a bug'));
  const talk = await inMessage(world);
  talk.send('.');
  await talk.closed();
  assert.ok(world.logged.includes('error smtp connection dropped by a bug'));
  await other.expect(['NOOP', '250 ']);
});

test('a client that does not read its replies is not read from', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await talk.line();
  talk.deaf = true;
  for (let i = 0; i < 200; i++) talk.write('HELP\r\n'.repeat(1000));
  await settled();
  world.clock.advance(31_000);
  await settled();
  assert.equal(world.rates.open, 0);
});

test('everything pipelined is answered, also when the client says no more', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  talk.writeLast(
    'EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n.\r\nQUIT\r\n',
  );
  const replies: string[] = [];
  for (let i = 0; i < 7; i++) replies.push((await talk.reply()).slice(0, 3));
  assert.deepEqual(replies, ['220', '250', '250', '250', '354', '250', '221']);
});
