/** Who wrote to an alias: aliases that only their members may write to, and whom senders are. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { ALICE, BOB, deliveredTo, smtpWorld, type World } from '../../../support/smtp.ts';
import { handIn } from '../../../support/submission.ts';
import { signMessage } from '#protocols/trust/dkim';

const KEY = { name: 's1', key: generateKeyPairSync('ed25519').privateKey };
const STRANGERS = { name: 's1', key: generateKeyPairSync('ed25519').privateKey };

function unsigned(from: string): string {
  return `From: ${from}\r\nSubject: x\r\n\r\n`;
}

/** As it was handed in here: the domain signs what its users send. */
async function signed(from: string, key: typeof KEY = KEY): Promise<string> {
  const header = unsigned(from);
  const body = 'hello\r\n';
  const bodyOctets = (async function* () {
    yield Buffer.from(body);
  })();
  const request = { selectors: [key], domain: 'example.org', header, bodyOctets, at: 0 };
  return (await signMessage(request)) + header + body;
}

function givenWorld(): World {
  const world = smtpWorld();
  world.signingKeys.set('example.org', [KEY]);
  return world;
}

/** As it leaves the queue. */
async function handedIn(message: string): Promise<string> {
  await using world = smtpWorld({ role: 'submission' });
  world.signingKeys.set('example.org', [KEY]);
  return (await handIn(world, message, { recipients: ['closed@example.org'] })).text;
}

/** What is answered to a message to an alias. */
async function answer(
  world: World,
  message: string,
  { alias = 'closed', mailFrom = 'a@remote.example' } = {},
): Promise<string> {
  const talk = world.connect();
  await talk.line();
  await talk.expect(
    ['EHLO client.example', '250-'],
    [`MAIL FROM:<${mailFrom}>`, '250 '],
    [`RCPT TO:<${alias}@example.org>`, '250 '],
    ['DATA', '354 '],
  );
  talk.write(`${message}.\r\n`);
  return (await talk.line()).slice(0, 9);
}

describe('a closed alias', () => {
  it('smtp 87: is open to members whose mail was handed in here', async () => {
    await using world = givenWorld();
    assert.equal(await answer(world, await signed('alice@example.org')), '250 2.0.0');
    assert.equal(deliveredTo(world, ALICE).length, 0);
    assert.equal(deliveredTo(world, BOB).length, 1);
    assert.equal(await answer(world, await signed('"A" <Alice2+x@example.org>')), '250 2.0.0');
    assert.equal(deliveredTo(world, BOB).length, 2);
  });

  it('smtp 87, 90: believes what was handed in, as whom it may be', async () => {
    await using world = givenWorld();
    const bodies = ['hello\r\n', '', '\r\n', '..two dots  \r\n\r\n', `${'x'.repeat(900)}\r\n`];
    for (const from of ['alice@example.org', '"Team" <Team@example.org>']) {
      for (const body of bodies) {
        const message = await handedIn(`From: ${from}\r\nBcc: x@y.example\r\n\r\n${body}`);
        const stuffed = message.replaceAll('\r\n.', '\r\n..');
        assert.equal(await answer(world, stuffed), '250 2.0.0', JSON.stringify(body));
      }
    }
    assert.equal(deliveredTo(world, BOB).length, 2 * bodies.length);
    assert.equal(deliveredTo(world, ALICE).length, bodies.length);
  });

  it('is open to mail that was signed with a key of before, and is on its way', async () => {
    await using world = givenWorld();
    const { signing } = world.ports;
    const [key] = signing.provingKeys('example.org');
    assert.ok(key);
    signing.provingKeys = () => [{ ...key, signs: false }];
    assert.equal(await answer(world, await signed('alice@example.org')), '250 2.0.0');
    assert.equal(deliveredTo(world, BOB).length, 1);
  });

  it('is open to mail with forged results, which are taken out', async () => {
    await using world = givenWorld();
    const forged = 'Authentication-Results: mail.example.org; dkim=pass\r\n';
    assert.equal(await answer(world, forged + (await signed('bob@example.org'))), '250 2.0.0');
  });

  it('smtp 87: is closed to whoever is no member, or cannot prove it', async () => {
    await using world = givenWorld();
    const carol = 3;
    world.directory.add(
      { type: 'AccountAdded', accountId: carol, name: 'carol' },
      { type: 'AddressAdded', localpart: 'carol', domain: 'example.org', accountId: carol },
    );
    const right = await signed('alice@example.org');
    for (const [name, message] of Object.entries({
      'another account': await signed('carol@example.org'),
      'nobody of ours': await signed('nobody@example.org'),
      'no signature': 'From: alice@example.org\r\n\r\nhello\r\n',
      'a signature of others': await signed('alice@example.org', STRANGERS),
      'another body': right.replace('hello', 'hallo'),
      'two senders': await signed('alice@example.org, bob@example.org'),
      'no header': 'hello\r\n',
    })) {
      assert.equal(await answer(world, message), '550 5.7.2', name);
    }
    assert.equal(deliveredTo(world, BOB).length, 0);
    world.signingKeys.clear();
    assert.equal(await answer(world, right), '550 5.7.2');
  });

  it('is open to an alias of members, and closed to one that others send as too', async () => {
    await using world = givenWorld();
    const few = {
      type: 'AliasAdded',
      localpart: 'few',
      domain: 'example.org',
      members: ['bob@example.org'],
      postPublic: false,
      listMembers: false,
      allowMsgFrom: true,
    } as const;
    world.directory.add(few);
    const message = await signed('team@example.org');
    assert.equal(await answer(world, message), '250 2.0.0');
    assert.equal(deliveredTo(world, ALICE).length, 1, 'who of them has sent it nobody knows');
    assert.equal(await answer(world, message, { alias: 'few' }), '550 5.7.2');
    // Bob alone is behind it, and gets no copy of his own.
    const own = await signed('few@example.org');
    assert.equal(await answer(world, own, { alias: 'few' }), '250 2.0.0');
    assert.equal(deliveredTo(world, BOB).length, 1);
  });
});

describe('a closed alias beside other recipients', () => {
  /** One message to all of them, as a server sends it that comes again for those put off. */
  async function sendAll(
    world: World,
    recipients: readonly string[],
    message: string,
  ): Promise<void> {
    let left = recipients;
    while (left.length > 0) {
      const talk = world.connect();
      await talk.line();
      const begun = ['MAIL FROM:<a@remote.example>', '250 '] as const;
      await talk.expect(['EHLO client.example', '250-'], begun);
      const putOff: string[] = [];
      for (const recipient of left) {
        talk.write(`RCPT TO:<${recipient}@example.org>\r\n`);
        if ((await talk.line()).startsWith('452 ')) putOff.push(recipient);
      }
      await talk.expect(['DATA', '354 '], [`${message}.`, '250 ']);
      left = putOff;
    }
  }

  const delivered = (world: World): readonly number[] =>
    [ALICE, BOB].map((accountId) => deliveredTo(world, accountId).length);

  for (const recipients of [
    ['bob', 'closed'],
    ['closed', 'bob'],
    ['team', 'closed'],
    ['closed', 'team', 'bob'],
    ['bob', 'team', 'closed'],
  ]) {
    it(`smtp 87: gives nobody a second copy: ${recipients.join(', ')}`, async () => {
      await using world = givenWorld();
      const message = await signed('alice@example.org');
      await sendAll(world, recipients, message);
      assert.deepEqual(delivered(world), [0, 1]);
      await sendAll(world, recipients, await signed('alice2@example.org'));
      assert.deepEqual(delivered(world), [0, 2], 'another message');
    });
  }

  it('keeps nothing back that others send to somebody once more', async () => {
    await using world = givenWorld();
    world.directory.add(addressOfBob);
    const message = unsigned('a@remote.example');
    for (const _ of [1, 2]) await sendAll(world, ['bob', 'bob2'], message);
    assert.deepEqual(delivered(world), [0, 4]);
    const talk = world.connect();
    await talk.line();
    for (const copies of [5, 6]) {
      await talk.expect(
        ['EHLO client.example', '250-'],
        ['MAIL FROM:<a@remote.example>', '250 '],
        ['RCPT TO:<bob@example.org>', '250 '],
        ['RCPT TO:<closed@example.org>', '452 '],
        ['DATA', '354 '],
        [`${message}.`, '250 '],
      );
      assert.deepEqual(delivered(world), [0, copies]);
    }
  });
});

const addressOfBob = {
  type: 'AddressAdded',
  localpart: 'bob2',
  domain: 'example.org',
  accountId: BOB,
} as const;

describe('a sender', () => {
  const delivered = (world: World): readonly number[] =>
    [ALICE, BOB].map((accountId) => deliveredTo(world, accountId).length);

  it('gets a copy of what others wrote in their name, where the domain signs', async () => {
    await using world = givenWorld();
    const alias = 'team';
    assert.equal(await answer(world, unsigned('alice@example.org'), { alias }), '250 2.0.0');
    assert.deepEqual(delivered(world), [1, 1]);
    const mailFrom = 'bob@example.org';
    assert.equal(await answer(world, unsigned('a@b.example'), { alias, mailFrom }), '250 2.0.0');
    assert.deepEqual(delivered(world), [2, 2]);
  });

  it('smtp 87: gets no copy of what is proven to be theirs', async () => {
    await using world = givenWorld();
    const message = await signed('alice@example.org');
    assert.equal(await answer(world, message, { alias: 'team' }), '250 2.0.0');
    assert.deepEqual(delivered(world), [0, 1]);
    // Sent again by others, with a reverse-path that is meant to leave bob out.
    const mailFrom = 'bob@example.org';
    assert.equal(await answer(world, message, { alias: 'team', mailFrom }), '250 2.0.0');
    assert.deepEqual(delivered(world), [0, 2]);
  });

  it('is told by the reverse-path when it is one of those behind an alias', async () => {
    await using world = givenWorld();
    const message = await signed('team@example.org');
    const mailFrom = 'bob@example.org';
    assert.equal(await answer(world, message, { alias: 'team', mailFrom }), '250 2.0.0');
    assert.deepEqual(delivered(world), [1, 0]);
  });

  it('is believed where the domain does not sign', async () => {
    await using world = givenWorld();
    world.signingKeys.clear();
    const message = unsigned('alice@example.org');
    assert.equal(await answer(world, message, { alias: 'team' }), '250 2.0.0');
    assert.deepEqual(delivered(world), [0, 1]);
  });
});
