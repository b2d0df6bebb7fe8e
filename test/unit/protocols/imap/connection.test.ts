/**
 * Conversations that do not go as they should, and those that are too long for a transcript.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { LineClient } from '../../../support/line-client.ts';
import { FAKE_TLS } from '../../../support/pipes.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';
import { fakeRandom } from '../../../support/clock.ts';
import { IMAP_PENDING_CHANGES_MAX, IMAP_WRITE_MS_AFTER_LOGIN } from '#protocols/limits';
import { findMechanism } from '#protocols/sasl/catalog';

async function greeted(server: TestServer): Promise<LineClient> {
  const client = new LineClient(server.connect());
  await client.line();
  return client;
}

async function loggedIn(server: TestServer): Promise<LineClient> {
  const client = await greeted(server);
  await client.command(`l LOGIN alice@example.org ${PASSWORD}`);
  return client;
}

async function fill(server: TestServer, count: number, octets = 100): Promise<void> {
  const message = {
    body: 'ab'.repeat(32),
    prefix: '',
    sizeBytes: octets,
    flags: [],
    receivedAt: 0,
    zoneMinutes: 0,
  };
  const messages = Array.from({ length: count }, () => message);
  await server.world.execute(ALICE, { type: 'AppendMessages', mailbox: 'Inbox', messages });
}

describe('a conversation', () => {
  it('ends with a line that is too long (item 8)', async () => {
    await using server = await openTestServer();
    const client = await greeted(server);
    client.send(`a LOGIN ${'x'.repeat(17_000)}`);
    assert.match((await client.line()) ?? '', /^\* BYE /);
    assert.equal(await client.line(), undefined);
  });

  it('does not take a client for idle that waits for us', async () => {
    await using server = await openTestServer();
    const { views, clock } = server.world;
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const account = views.account.bind(views);
    // Views that have to be made anew.
    views.account = (id) => opened.then(() => account(id));
    const client = await greeted(server);
    client.send(`a LOGIN alice@example.org ${PASSWORD}\r\n`);
    await setImmediate();
    clock.advance(10 * 60_000);
    open();
    assert.match((await client.line()) ?? '', /^a OK /);
    await setImmediate();
    clock.advance(31 * 60_000);
    assert.match((await client.line()) ?? '', /^\* BYE inactive/);
  });

  it('takes a long line with a set of UIDs (item 8)', async () => {
    await using server = await openTestServer();
    const client = await loggedIn(server);
    await client.command('a SELECT Inbox');
    const set = Array.from({ length: 2700 }, (_, i) => 10_000 + 2 * i).join(',');
    assert.ok(set.length > 15_900);
    assert.match((await client.command(`b UID FETCH ${set} FLAGS`)).at(-1) ?? '', /^b OK/);
  });

  it('refuses a thousand and one literals (item 13)', async () => {
    await using server = await openTestServer();
    const client = await loggedIn(server);
    await client.command('a SELECT Inbox');
    client.send('b SEARCH');
    for (let i = 0; i < 1001; i++) client.send(' SUBJECT {1}\r\nx');
    const lines = await client.until('b ');
    assert.match(lines.at(-1) ?? '', /^b BAD \[TOOBIG\]/);
    assert.equal(lines.filter((line) => line.startsWith('+')).length, 1000);
  });

  it('answers a tag that is none (item 16)', async () => {
    await using server = await openTestServer();
    const client = await greeted(server);
    client.send('a+b NOOP\r\n');
    assert.match((await client.line()) ?? '', /^\* (BAD|BYE) /);
  });

  it('answers commands that come together in their order', async () => {
    await using server = await openTestServer();
    const client = await loggedIn(server);
    client.send('a NOOP\r\nb SELECT Inbox\r\nc FETCH 1 FLAGS\r\nd LOGOUT\r\n');
    const tagged = (await client.until('d ')).filter((line) => /^[abc] /.test(line));
    assert.deepEqual(
      tagged.map((line) => line.slice(0, 4)),
      ['a OK', 'b OK', 'c BA'],
    );
  });

  it('sends a large message piece by piece, and any part of it', async () => {
    await using server = await openTestServer({ messageBytesMax: 8 * 1024 * 1024 });
    const client = await loggedIn(server);
    const body = Buffer.alloc(
      3_000_000,
      'a line of seventy characters or so, which is repeated\r\n',
    );
    client.send(`a APPEND Inbox {${body.length}+}\r\n`);
    client.send(body);
    client.send('\r\n');
    await client.until('a OK');
    await client.command('b SELECT Inbox');
    const lines = await client.command('c FETCH 1 (BODY.PEEK[])');
    const text = lines.slice(1, -1).join('\r\n');
    assert.equal(lines[0], `* 1 FETCH (BODY[] {${body.length}}`);
    assert.equal(text, `${body.toString()})`);
    const [head, part] = await client.command('d FETCH 1 (BODY.PEEK[]<2999990.100>)');
    assert.equal(head, '* 1 FETCH (BODY[]<2999990> {10}');
    assert.equal(part, `${body.subarray(2_999_990).toString()})`);
  });

  it('splits long answers of SEARCH and VANISHED (items 155, 207)', async () => {
    await using server = await openTestServer();
    for (let i = 0; i < 4; i++) await fill(server, 500);
    const client = await loggedIn(server);
    await client.command('a ENABLE QRESYNC');
    const selected = await client.command('b SELECT Inbox');
    const [, validity] = /UIDVALIDITY (\d+)/.exec(selected.join('')) ?? [];
    const found = await client.command('c SEARCH 1:250');
    assert.equal(found.length, 4);
    assert.equal(found[0]?.split(' ').length, 102);
    const odd = Array.from({ length: 1000 }, (_, i) => 2 * i + 1);
    for (const part of [odd.slice(0, 500), odd.slice(500)]) {
      await client.command(`d UID STORE ${part.join(',')} +FLAGS.SILENT (\\Deleted)`);
    }
    const vanished = await client.command('e EXPUNGE');
    assert.ok(vanished.length > 1);
    const resynced = await client.command(`f SELECT Inbox (QRESYNC (${validity} 1))`);
    const earlier = resynced.filter((line) => line.startsWith('* VANISHED (EARLIER)'));
    assert.ok(earlier.length > 1);
    assert.ok([...vanished, ...earlier].every((line) => line.length < 8192));
  });

  it('ends when the client lags too far behind', async () => {
    await using server = await openTestServer();
    await fill(server, 2);
    const client = await loggedIn(server);
    await client.command('a SELECT Inbox');
    for (let i = 0; i <= IMAP_PENDING_CHANGES_MAX; i += 500) {
      const changes = Array.from({ length: 500 }, (_, n) =>
        server.world.execute(ALICE, {
          type: 'ChangeFlags',
          mailboxId: 1,
          uids: [[1, 1]],
          op: n % 2 === 0 ? 'add' : 'remove',
          flags: ['\\Seen'],
        }),
      );
      await Promise.all(changes);
    }
    assert.match((await client.line()) ?? '', /^\* BYE /);
    assert.equal(await client.line(), undefined);
  });

  it('ends when the client does not take what it asked for', async () => {
    await using server = await openTestServer();
    for (let i = 0; i < 8; i++) await fill(server, 500);
    const stream = server.connect();
    stream.write(`a LOGIN alice@example.org ${PASSWORD}\r\nb SELECT Inbox\r\n`);
    stream.write('c FETCH 1:* (UID FLAGS MODSEQ INTERNALDATE)\r\n');
    const heard = new Promise((resolve) => stream.once('readable', resolve));
    await heard;
    await untilTrue(() => server.world.clock.waiting > 1);
    server.world.clock.advance(IMAP_WRITE_MS_AFTER_LOGIN + 1);
    await untilTrue(() => stream.destroyed);
  });
});

/** Lets others work until something holds. */
async function untilTrue(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => void setImmediate(resolve));
}

describe('SCRAM', () => {
  const exchange = async (
    server: TestServer,
    mechanism: string,
    as: { login: string; password: string; offered?: readonly string[]; bound?: boolean },
  ): Promise<string> => {
    const client = await greeted(server);
    const binding = { type: 'tls-exporter' as const, data: Buffer.alloc(32, 8) };
    const { offered = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] } = as;
    const proof = findMechanism(mechanism)?.startClient({
      login: as.login,
      password: as.password,
      random: fakeRandom(mechanism),
      tls: as.bound === false ? { ...FAKE_TLS, channelBinding: binding } : FAKE_TLS,
      offered,
    });
    assert.ok(proof !== undefined);
    client.send(`a AUTHENTICATE ${mechanism} ${proof.initial?.toString('base64')}\r\n`);
    for (let line = await client.line(); line !== undefined; line = await client.line()) {
      if (!line.startsWith('+ ')) return line;
      const step = await proof.next(Buffer.from(line.slice(2), 'base64'));
      client.send(`${step.type === 'response' ? step.data.toString('base64') : '*'}\r\n`);
    }
    return '';
  };
  const ALICES = { login: 'alice@example.org', password: PASSWORD };

  it('logs in, bound to the connection or not', async () => {
    await using server = await openTestServer();
    assert.match(await exchange(server, 'SCRAM-SHA-256', ALICES), /^a OK \[CAPABILITY /);
    assert.match(await exchange(server, 'SCRAM-SHA-256-PLUS', ALICES), /^a OK \[CAPABILITY /);
  });

  it('refuses a client that was not shown all that we offer', async () => {
    await using server = await openTestServer();
    const answer = await exchange(server, 'SCRAM-SHA-256', {
      ...ALICES,
      offered: ['SCRAM-SHA-256'],
    });
    assert.match(answer, /^a (NO|BAD) /);
  });

  it('refuses a wrong password, an unknown user, and another connection alike', async () => {
    await using server = await openTestServer();
    const answers = [
      await exchange(server, 'SCRAM-SHA-256', { ...ALICES, password: 'wrong' }),
      await exchange(server, 'SCRAM-SHA-256', { ...ALICES, login: 'nobody@example.org' }),
      await exchange(server, 'SCRAM-SHA-256-PLUS', { ...ALICES, bound: false }),
    ];
    for (const answer of answers) assert.match(answer, /^a NO \[AUTHENTICATIONFAILED\] /);
  });
});
