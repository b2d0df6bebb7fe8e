/** Mail from strangers: what is stored, and what the sender hears when something fails. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALICE, BOB, deliveredTo, settled, smtpWorld, wholeText } from '../../../support/smtp.ts';
import type { Talk } from '../../../support/smtp-talk.ts';
import { addressOf } from '#domain/directory/address-key';
import { ALIAS_MEMBERS_MAX } from '#domain/directory/aliases';
import { Fault } from '#domain/values/fault';
import { SMTP_COPIES_AT_ONCE, SMTP_COPIES_MAX } from '#protocols/limits';

async function begin(talk: Talk, ...recipients: readonly string[]): Promise<void> {
  await talk.line();
  await talk.expect(['EHLO client.example', '250-'], ['MAIL FROM:<a@remote.example>', '250 ']);
  for (const recipient of recipients) await talk.expect([`RCPT TO:<${recipient}>`, '250 ']);
  await talk.expect(['DATA', '354 ']);
}

test('the trace stands above the message, the message below as it came', async () => {
  await using world = smtpWorld();
  const talk = world.connect({ tls: true });
  await begin(talk, 'Alice+shop@Example.org');
  talk.write('Subject: x\r\n\r\n..dots\r\nbare\nline\r\n.\r\n');
  assert.match(await talk.line(), /^250 2\.0\.0 /);
  const [event] = deliveredTo(world, ALICE);
  assert.ok(event);
  const text = wholeText(world, ALICE, event.message);
  assert.match(
    text,
    new RegExp(
      [
        '^Delivered-To: Alice\\+shop@example\\.org\r\n',
        'Return-Path: <a@remote\\.example>\r\n',
        'Received: from client\\.example \\(\\[192\\.0\\.2\\.1\\]\\) by mail\\.example\\.org',
        '\\s+\\(\\[198\\.51\\.100\\.1\\]\\) via tcp with ESMTPS id \\S+ ',
        '\\(TLS1\\.3\\s+TLS_AES_128_GCM_SHA256\\) for\\s+<Alice\\+shop@example\\.org>; [^<]+\r\n',
        'Subject: x\r\n\r\n\\.dots\r\nbare\r\nline\r\n$',
      ]
        .join('')
        .replaceAll(' ', '\\s+'),
    ),
  );
  assert.equal(event.message.sizeBytes, text.length);
  assert.partialDeepStrictEqual(event.arrival, {
    mailFrom: 'a@remote.example',
    rcptTo: 'Alice+shop@example.org',
    helo: 'client.example',
    ip: '192.0.2.1',
    tls: 'TLSv1.3',
  });
  assert.match(text, new RegExp(`id\\s+${event.arrival.receipt}`));
});

test('how the mail came is told apart', async () => {
  const cases = [
    ['HELO client.example', '', 'SMTP'],
    ['EHLO client.example', '', 'ESMTP'],
    ['EHLO client.example', ' SMTPUTF8', 'UTF8SMTP'],
  ] as const;
  for (const [hello, parameter, protocol] of cases) {
    await using world = smtpWorld();
    const talk = world.connect();
    await talk.line();
    await talk.expect(
      [hello, '250'],
      [`MAIL FROM:<>${parameter}`, '250 '],
      ['RCPT TO:<alice@example.org>', '250 '],
      ['DATA', '354 '],
      ['.', '250 '],
    );
    const [event] = deliveredTo(world, ALICE);
    assert.match(event?.message.prefix ?? '', new RegExp(`Return-Path: <>\r\n[^]* ${protocol}\\s`));
  }
});

test('a message for several accounts is stored once and linked into each', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await begin(talk, 'alice@example.org', 'bob@example.org');
  talk.write('x: y\r\n\r\nz\r\n.\r\n');
  assert.match(await talk.line(), /^250 /);
  assert.equal(world.bodies.staged.size, 0);
  assert.equal(world.bodies.linked.size, 2);
  assert.match(deliveredTo(world, ALICE)[0]?.message.prefix ?? '', /for\s+<alice@/);
  assert.match(deliveredTo(world, BOB)[0]?.message.prefix ?? '', /for\s+<bob@/);
});

test('mail is refused while hardly any room is left, and the conversation goes on', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  world.bodies.hasRoom = false;
  await begin(talk, 'alice@example.org');
  talk.write('x: y\r\n\r\nNOOP\r\n.\r\n');
  assert.match(await talk.line(), /^452 4\.3\.1 /);
  world.bodies.hasRoom = true;
  await talk.expect(
    ['MAIL FROM:<a@remote.example>', '250 '],
    ['RCPT TO:<alice@example.org>', '250 '],
    ['DATA', '354 '],
    ['.', '250 '],
  );
});

test('faults are temporary, leave nothing staged, and the conversation goes on', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await begin(talk, 'alice@example.org');
  world.bodies.fault = new Fault('DiskFull', 'full');
  talk.write('x: y\r\n\r\nz\r\n.\r\n');
  assert.match(await talk.line(), /^452 4\.3\.1 .* \(\S+\)$/);
  world.bodies.fault = undefined;
  world.faults.push(new Fault('LogUnavailable', 'gone'));
  await talk.expect(
    ['MAIL FROM:<a@remote.example>', '250 '],
    ['RCPT TO:<alice@example.org>', '250 '],
    ['DATA', '354 '],
    ['.', '451 4.3.0 '],
    ['NOOP', '250 '],
  );
  assert.equal(world.bodies.staged.size, 0);
  assert.equal(deliveredTo(world, ALICE).length, 0);
});

test('when one of several deliveries fails the sender is asked to repeat', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await begin(talk, 'alice@example.org', 'bob@example.org');
  world.faults.push(new Fault('LogUnavailable', 'gone'));
  talk.write('x: y\r\n\r\nz\r\n.\r\n');
  assert.match(await talk.line(), /^451 4\.3\.0 /);
  assert.equal(deliveredTo(world, ALICE).length + deliveredTo(world, BOB).length, 1);
});

test('nobody is read ahead of the store: a slow disk slows the sender', async () => {
  await using world = smtpWorld();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const stage = world.bodies.stage.bind(world.bodies);
  let taken = 0;
  world.bodies.stage = (body, limit) =>
    stage(
      (async function* () {
        asked.resolve();
        await gate.promise;
        for await (const chunk of body) {
          taken += chunk.length;
          yield chunk;
        }
      })(),
      limit,
    );
  const talk = world.connect();
  await begin(talk, 'alice@example.org');
  const line = `${'x'.repeat(998)}\r\n`;
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 1000; i++) {
      await talk.writeAll(Buffer.from(i === 0 ? `a: b\r\n\r\n${line}` : line));
      written++;
    }
  })();
  await asked.promise;
  await settled();
  assert.ok(written < 500, `${written} lines taken although nobody stores them`);
  gate.resolve();
  await writing;
  talk.write('.\r\n');
  assert.match(await talk.line(), /^250 /);
  assert.equal(taken, 1000 * line.length + 8);
});

test('the thousand and first recipient is one too many', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await talk.line();
  await talk.expect(['EHLO client.example', '250-'], ['MAIL FROM:<a@remote.example>', '250 ']);
  for (let i = 0; i < 1000; i++) await talk.expect([`RCPT TO:<alice+${i}@example.org>`, '250 ']);
  await talk.expect(
    ['RCPT TO:<bob@example.org>', '452 4.5.3 '],
    ['RCPT TO:<alice+1@example.org>', '250 '],
    ['DATA', '354 '],
    ['.', '250 '],
  );
  assert.equal(deliveredTo(world, ALICE).length, 1000);
});

test('smtp 84: over quota is a reason to come again', async () => {
  await using world = smtpWorld();
  world.settings.set(ALICE, { quotaBytes: 100 });
  const talk = world.connect();
  await begin(talk, 'alice@example.org');
  await talk.expect(['Subject: x\r\n\r\nhello\r\n.', '452 4.2.2 ']);
  assert.equal(deliveredTo(world, ALICE).length, 0);
});

test('smtp 7: results that others tell in our name are taken out', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await begin(talk, 'alice@example.org');
  const forged = 'Authentication-Results: mail.example.org; dkim=pass\r\n';
  await talk.expect([`From: a@b\r\n${forged}Subject: x\r\n\r\nhello\r\n.`, '250 ']);
  const [event] = deliveredTo(world, ALICE);
  assert.ok(event);
  const text = world.bodies.read(ALICE, event.message.body)?.toString('latin1');
  assert.equal(text, 'From: a@b\r\nSubject: x\r\n\r\nhello\r\n');
});

test('mail to an alias tells the address that it was for', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await begin(talk, 'Team+x@example.org');
  await talk.expect(['Subject: x\r\n\r\nhello\r\n.', '250 ']);
  for (const accountId of [ALICE, BOB]) {
    const [event] = deliveredTo(world, accountId);
    assert.ok(event);
    assert.equal(event.arrival.rcptTo, 'Team+x@example.org');
    assert.match(
      event.message.prefix,
      /^Delivered-To: Team\+x@example\.org\r\n[^]* for\s+<Team\+x@example\.org>;/,
    );
  }
});

test('smtp 87: members of an alias who are over quota are passed over', async () => {
  await using world = smtpWorld();
  world.settings.set(BOB, { quotaBytes: 100 });
  const talk = world.connect();
  await begin(talk, 'team@example.org');
  await talk.expect(['Subject: x\r\n\r\nhello\r\n.', '250 ']);
  assert.equal(deliveredTo(world, ALICE).length, 1);
  assert.equal(deliveredTo(world, BOB).length, 0);
  world.settings.set(ALICE, { quotaBytes: 100 });
  await talk.expect(
    ['MAIL FROM:<a@remote.example>', '250 '],
    ['RCPT TO:<team@example.org>', '250 '],
    ['DATA', '354 '],
    ['Subject: x\r\n\r\nhello\r\n.', '452 4.2.2 '],
  );
});

test('mail to an alias with many members opens few accounts at a time', async () => {
  await using world = smtpWorld();
  const many = Array.from({ length: 300 }, (_, i) => 10 + i);
  const domain = 'example.org';
  for (const accountId of many) {
    world.directory.add(
      { type: 'AccountAdded', accountId, name: `m${accountId}` },
      { type: 'AddressAdded', localpart: `m${accountId}`, domain, accountId },
    );
  }
  const members = many.map((accountId) => `m${accountId}@${domain}`);
  world.directory.add({ type: 'AliasMembersAdded', localpart: 'team', domain, members });
  const { commands } = world.ports;
  const execute = commands.execute.bind(commands);
  let running = 0;
  let most = 0;
  commands.execute = async (...command) => {
    running++;
    most = Math.max(most, running);
    const done = await execute(...command);
    running--;
    return done;
  };
  const talk = world.connect();
  await begin(talk, 'team@example.org');
  await talk.expect(['Subject: x\r\n\r\nhello\r\n.', '250 ']);
  for (const accountId of many) assert.equal(deliveredTo(world, accountId).length, 1);
  assert.ok(most <= SMTP_COPIES_AT_ONCE, `${most} at once`);
});

test('several aliases with many members are asked for one after the other', async () => {
  await using world = smtpWorld();
  const domain = 'example.org';
  const members = Array.from({ length: ALIAS_MEMBERS_MAX - 2 }, (_, i) => `m${i}@${domain}`);
  for (const [i, member] of members.entries()) {
    const localpart = addressOf(member).localpart;
    world.directory.add({ type: 'AddressAdded', localpart, domain, accountId: 10 + i });
  }
  world.directory.add({ type: 'AliasMembersAdded', localpart: 'team', domain, members });
  const talk = world.connect();
  await talk.line();
  await talk.expect(['EHLO client.example', '250-'], ['MAIL FROM:<a@remote.example>', '250 ']);
  for (let i = 0; i < SMTP_COPIES_MAX / ALIAS_MEMBERS_MAX; i++) {
    await talk.expect([`RCPT TO:<team+${i}@${domain}>`, '250 ']);
  }
  await talk.expect([`RCPT TO:<alice@${domain}>`, '452 4.5.3 ']);
});

test('accounts that go while the message comes get no copy of it', async () => {
  await using world = smtpWorld();
  const talk = world.connect();
  await begin(talk, 'team@example.org');
  world.directory.add({ type: 'AccountClosed', accountId: BOB });
  await talk.expect(
    ['Subject: x\r\n\r\nhello\r\n.', '250 '],
    ['MAIL FROM:<a@remote.example>', '250 '],
    ['RCPT TO:<alice2@example.org>', '250 '],
    ['DATA', '354 '],
  );
  const taken = { localpart: 'alice2', domain: 'example.org', accountId: ALICE };
  world.directory.add({ type: 'AddressRemoved', ...taken });
  await talk.expect(['Subject: x\r\n\r\nhello\r\n.', '550 5.1.1 ']);
  assert.deepEqual([deliveredTo(world, ALICE).length, deliveredTo(world, BOB).length], [1, 0]);
  assert.ok([...world.bodies.linked.keys()].every((file) => file.startsWith(`${ALICE}/`)));
  assert.equal(world.bodies.staged.size, 0);
});

test('smtp 87: mail to an alias of which the sender is the only member is taken', async () => {
  await using world = smtpWorld();
  const team = { localpart: 'team', domain: 'example.org' };
  world.directory.add(
    { type: 'AliasMembersAdded', ...team, members: ['alice2@example.org'] },
    { type: 'AliasMembersRemoved', ...team, members: ['bob@example.org'] },
  );
  const talk = world.connect();
  await begin(talk, 'team@example.org');
  await talk.expect(['From: alice2@example.org\r\n\r\nhello\r\n.', '250 ']);
  assert.equal(deliveredTo(world, ALICE).length, 0);
  assert.equal(world.bodies.staged.size, 0);
  assert.equal(world.bodies.linked.size, 0);
});
