/** Mail from our users: what is added, what is taken out, what goes into the queue. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALICE, queuedBy, smtpWorld, type World } from '../../../support/smtp.ts';
import { handIn, type HandedIn } from '../../../support/submission.ts';
import { Fault } from '#domain/values/fault';

/** From a client that calls itself by its address. */
async function submitted(
  world: World,
  message: string | Buffer,
  recipients?: readonly string[],
  parameters = 'BODY=8BITMIME',
): Promise<HandedIn> {
  const more = recipients === undefined ? {} : { recipients };
  return handIn(world, message, { ...more, parameters, hello: '[10.1.2.3]' });
}

const FROM = 'From: Alice <alice@example.org>\r\n';

test('smtp 91, 98: what is missing is added: trace, Message-ID, Date, type of text', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const { event, text } = await submitted(world, `${FROM}\r\nhi\r\n`);
  const [received = '', ...rest] = text.split(/\r\n(?![ \t])/);
  const unfolded = received.replace(/\s+/g, ' ');
  assert.match(
    unfolded,
    /^Received: from mail\.example\.org \(submission\) by mail\.example\.org via tcp with ESMTPSA /,
  );
  assert.match(unfolded, / for <x@other\.example>; Thu, 1 Jan 2026 00:00:00 \+0000$/);
  assert.deepEqual(rest.shift()?.split(/\s+/), [
    'Authentication-Results:',
    'mail.example.org;',
    'auth=pass',
    'smtp.mailfrom=alice@example.org',
  ]);
  assert.match(rest.shift() ?? '', /^Message-ID: <\S+@mail\.example\.org>$/);
  assert.deepEqual(rest, [
    'Date: Thu, 1 Jan 2026 00:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    'From: Alice <alice@example.org>',
    '',
    'hi',
    '',
  ]);
  assert.ok(!text.includes('10.1.2.3') && !text.includes('192.0.2.1'));
  assert.equal(event.headerId, /Message-ID: (\S+)/.exec(text)?.[1]);
  assert.equal(event.sizeBytes, text.length);
  assert.equal(event.eightBit, false);
  assert.equal(event.mailFrom, 'alice@example.org');
});

test('what is there stays', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const date = 'Date: Wed, 31 Dec 2025 23:00:00 +0000\r\n';
  const header = `${FROM}Message-Id: <1@x.example>\r\n${date}Content-Type: text/html\r\n`;
  const { event, text } = await submitted(world, `${header}\r\nhi\r\n`);
  assert.equal(text.replace(/^Received:[^]*?smtp\.mailfrom=\S+\r\n/, ''), `${header}\r\nhi\r\n`);
  assert.equal(event.headerId, '<1@x.example>');
});

test('eight bits are told and named', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const { event, text } = await submitted(world, `${FROM}\r\nhü\r\n`);
  assert.equal(event.eightBit, true);
  assert.match(
    text,
    /Content-Type: text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n/,
  );
});

test('smtp 98, smtp 99: one step for all recipients, who do not learn of each other', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const recipients = ['x@other.example', 'bob@example.org', '"a b"@other.example'];
  const { event, text } = await submitted(world, `${FROM}\r\nhi\r\n`, recipients);
  assert.deepEqual(
    event.items.map(({ recipient }) => recipient),
    recipients,
  );
  assert.ok(!text.includes('other.example'));
  assert.equal(queuedBy(world, ALICE).length, 1);
  assert.equal(world.bodies.staged.size, 0);
});

test('smtp 97: Bcc is taken out where somebody else is shown', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const bcc = 'Bcc: hidden@x.example,\r\n other@x.example\r\n';
  const shown = await submitted(
    world,
    `${FROM}${bcc}To: x@other.example\r\nBCC: y@z.example\r\n\r\nBcc: hi\r\n`,
  );
  assert.ok(shown.text.endsWith(`${FROM}To: x@other.example\r\n\r\nBcc: hi\r\n`));
  const alone = await submitted(world, `${FROM}${bcc}\r\nhi\r\n`);
  assert.ok(alone.text.endsWith(`${FROM}${bcc}\r\nhi\r\n`));
});

test('a header in many pieces is one header', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const fields = `X: ${'y'.repeat(500)}\r\n`.repeat(400);
  const { text } = await submitted(world, `${FROM}${fields}\r\n${'z\r\n'.repeat(50_000)}`);
  assert.ok(text.includes(`${FROM}${fields}\r\nz\r\n`));
  assert.equal(text.match(/^z\r$/gm)?.length, 50_000);
});

test('an endless header is refused', async () => {
  await using world = smtpWorld({ role: 'submission' });
  await assert.rejects(
    submitted(world, `${FROM}${`X: ${'y'.repeat(900)}\r\n`.repeat(1400)}\r\nhi\r\n`),
    /554 5\.6\.0/,
  );
});

test('smtp 117: who asks for SMTPUTF8 gets it only where the message needs it', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const needs = async (message: string, recipient = 'x@other.example'): Promise<boolean> => {
    const { event } = await submitted(world, message, [recipient], 'SMTPUTF8 BODY=8BITMIME');
    return event.smtpUtf8;
  };
  const parts = (part: string): string =>
    `${FROM}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${part}\r\n--b--\r\n`;
  assert.equal(await needs(`${FROM}Subject: hi\r\n\r\nhi\r\n`), false);
  assert.equal(await needs(`${FROM}Subject: hi\r\n\r\nh\u00fc\r\n`), false, '8-bit text only');
  assert.equal(await needs(parts('Content-Id: <i>\r\n\r\nhi')), false);
  assert.equal(await needs(`${FROM}Subject: h\u00fc\r\n\r\nhi\r\n`), true);
  assert.equal(await needs(parts('Content-Description: h\u00fc\r\n\r\nhi')), true);
  // Those that know of it are asked for that when the recipient is named.
  assert.equal(await needs(`${FROM}\r\nhi\r\n`, 'h\u00fc@other.example'), false);
});

test('a clock that is put back delays no new mail', async () => {
  await using world = smtpWorld({ role: 'submission' });
  await submitted(world, `${FROM}\r\nhi\r\n`);
  world.clock.advance(-3_600_000);
  const { event } = await submitted(world, `${FROM}\r\nhi\r\n`);
  assert.equal(event.nextAttemptAt, world.clock.now());
});

test('no two messages have the same envelope id', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const first = await submitted(world, `${FROM}\r\nhi\r\n`);
  const second = await submitted(world, `${FROM}\r\nhi\r\n`);
  assert.match(first.event.envelopeId ?? '', /^[\w-]{22}$/);
  assert.notEqual(first.event.envelopeId, second.event.envelopeId);
  assert.ok(!first.text.includes(first.event.envelopeId ?? ''), 'recipients do not see it');
});

test('smtp 96: each recipient has a reverse-path of its own', async () => {
  await using world = smtpWorld({ role: 'submission' });
  world.settings.set(ALICE, { fromIdLogins: ['alice@example.org'] });
  const recipients = ['x@other.example', 'bob@example.org'];
  const { event } = await submitted(world, `${FROM}\r\nhi\r\n`, recipients);
  const paths = event.items.map(({ fromId }) => fromId?.mailFrom ?? '');
  for (const path of paths) assert.match(path, /^alice\+[a-z2-7]{26}@example\.org$/);
  assert.equal(new Set(paths).size, 2);
  assert.equal(event.baseId, undefined, 'they cannot go in one transaction');
});

test('smtp 94: who has sent enough today is asked to go on tomorrow', async () => {
  await using world = smtpWorld({ role: 'submission' });
  world.settings.set(ALICE, { recipientsPerDayMax: 3 });
  await submitted(world, `${FROM}\r\nhi\r\n`, ['x@other.example', 'y@other.example']);
  const two = ['x@other.example', 'bob@example.org'];
  await assert.rejects(submitted(world, `${FROM}\r\nhi\r\n`, two), /451 4\.7\.1/);
  assert.equal(queuedBy(world, ALICE).length, 1);
});

test('smtp 101: on a full disk nothing is queued, for nobody', async () => {
  await using world = smtpWorld({ role: 'submission' });
  const two = ['x@other.example', 'bob@example.org'];
  world.bodies.fault = new Fault('DiskFull', 'full');
  await assert.rejects(submitted(world, `${FROM}\r\nhi\r\n`, two), /451 4\.3\.1 /);
  world.bodies.fault = undefined;
  world.faults.push(new Fault('DiskFull', 'full'));
  await assert.rejects(submitted(world, `${FROM}\r\nhi\r\n`, two), /451 4\.3\.1 /);
  world.bodies.hasRoom = false;
  await assert.rejects(submitted(world, `${FROM}\r\nhi\r\n`, two), /451 4\.3\.1 /);
  assert.deepEqual(queuedBy(world, ALICE), []);
  assert.equal(world.bodies.staged.size, 0);
});
