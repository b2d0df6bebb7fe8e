/**
 * FETCH of the client: every item, in any number, as fast as the reader reads.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  fillInbox,
  gathered,
  mailAbout,
  openAlice,
  PlayedServer,
} from '../../../support/imap-client.ts';
import { openTestServer } from '../../../support/server.ts';
import { ALICE } from '../../../support/world.ts';
import { sectionOf } from '#protocols/imap/client-parser-fetch';
import { STAR, type FetchItem } from '#protocols/imap/words';

const UID: FetchItem = { type: 'UID' };
const FLAGS: FetchItem = { type: 'FLAGS' };
const WHOLE: FetchItem = { type: 'SECTION', peek: true, section: { part: [] } };
const EVERYTHING = { uids: [[1, STAR]] } as const;

describe('FETCH', () => {
  it('gives every item', async () => {
    await using server = await openTestServer();
    const more = 'Message-ID: <1@example.org>\r\nDate: Sat, 01 Jan 2022 10:10:00 +0100\r\n';
    await server.world.append(ALICE, 'Inbox', { octets: mailAbout('ünï', more), flags: ['$junk'] });
    await using client = await openAlice(server);
    await client.select('INBOX');
    const fields: FetchItem = {
      type: 'SECTION',
      peek: true,
      section: { part: [], text: 'HEADER.FIELDS', fields: ['subject', 'To'] },
      partial: { start: 4, length: 10 },
    };
    const binary: FetchItem = { type: 'BINARY', peek: true, part: [1] };
    const [message] = await gathered(
      client.fetch({ seqs: [[1, 1]] }, [
        UID,
        FLAGS,
        { type: 'MODSEQ' },
        { type: 'INTERNALDATE' },
        { type: 'RFC822.SIZE' },
        { type: 'ENVELOPE' },
        { type: 'BODYSTRUCTURE' },
        { type: 'SAVEDATE' },
        fields,
        binary,
        { type: 'BINARY.SIZE', part: [1] },
      ]),
    );
    assert.ok(message);
    assert.equal(message.uid, 1);
    assert.equal(message.flags?.length, 1);
    assert.ok((message.modSeq ?? 0) > 0);
    assert.equal(message.internalDate?.at, server.world.clock.now());
    assert.equal(message.sizeBytes, mailAbout('ünï', more).length);
    assert.equal(message.envelope?.subject, 'ünï');
    assert.equal(message.envelope?.headerId, '<1@example.org>');
    const bob = { name: 'Bob', localpart: 'bob', domain: 'example.org' };
    assert.deepEqual(message.envelope?.from, [bob]);
    assert.ok(message.structure?.type === 'part');
    assert.equal(message.structure.mediaType, 'text/plain');
    assert.equal(message.saveDate?.at, server.world.clock.now());
    assert.equal(sectionOf(message, fields)?.toString(), 'alice@exam');
    assert.equal(sectionOf(message, binary)?.toString(), 'body of ünï\r\n');
    assert.deepEqual([...message.binarySizes], [['BINARY.SIZE[1]', 15]]);
    assert.equal(sectionOf(message, WHOLE), undefined);
  });

  it('gives what has changed and what has vanished', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 4);
    await using client = await openAlice(server);
    await client.enable(['QRESYNC']);
    const { highestModSeq: changedSince = 0 } = await client.select('INBOX');
    await client.store({ uids: [[1, 2]] }, { op: 'add', flags: ['\\Deleted'], silent: true });
    await client.expunge([[2, 2]]);
    const options = { changedSince, vanished: true };
    const changes = client.fetch(EVERYTHING, [FLAGS], options);
    const uids = (await gathered(changes)).map(({ uid }) => uid);
    assert.deepEqual([uids, changes.vanished], [[1], [[2, 2]]]);
  });

  it('asks in several commands for more UIDs than fit into one', async () => {
    await using server = await openTestServer();
    await fillInbox(server, 9);
    await using client = await openAlice(server);
    await client.select('INBOX');
    const odd = Array.from({ length: 3000 }, (_, i) => [2 * i + 1, 2 * i + 1] as const);
    const messages = await gathered(client.fetch({ uids: odd }, [UID]));
    assert.deepEqual(
      messages.map(({ uid }) => uid),
      [1, 3, 5, 7, 9],
    );
    assert.throws(() => client.fetch({ seqs: odd }, [UID]), { code: 'BadArgument' });
    assert.deepEqual(await gathered(client.fetch({ uids: [] }, [UID])), []);
  });
});

describe('an answer to FETCH', () => {
  it('is told apart from news', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const fetching = gathered(client.fetch({ seqs: [[1, 9]] }, [UID, { type: 'ENVELOPE' }]));
    const tag = await server.expect('FETCH 1:9 (UID ENVELOPE)');
    const nobody = 'NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL';
    server.say('* 3 FETCH (FLAGS (\\Seen))', `* 2 FETCH (UID 5 ENVELOPE (${nobody}))`);
    server.say('* 10 EXISTS', `${tag} OK done`);
    const messages = await fetching;
    assert.deepEqual(
      messages.map(({ seq, uid }) => [seq, uid]),
      [[2, 5]],
    );
    assert.deepEqual(
      server.news.map(({ type }) => type),
      ['fetch', 'exists'],
    );
  });

  it('that nobody reads makes the server wait', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const messages = client.fetch({ seqs: [[1, 100]] }, [WHOLE])[Symbol.asyncIterator]();
    const first = messages.next();
    const tag = await server.expect('FETCH 1:100 (BODY.PEEK[])');
    const body = 'x'.repeat(400_000);
    for (let i = 1; i <= 100; i++) server.say(`* ${i} FETCH (BODY[] {400000}\r\n${body})`);
    server.say(`${tag} OK done`);
    assert.equal((await first).value?.seq, 1);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(server.unsent > 30_000_000, `${server.unsent} octets wait`);
    // Being slow is our right: it is no silence of the server.
    server.clock.advance(10 * 60_000);
    let count = 1;
    while ((await messages.next()).done !== true) count++;
    assert.equal(count, 100);
  });

  it('passes by when its reader has left', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const reading = (async () => {
      for await (const { seq } of client.fetch({ seqs: [[1, 9]] }, [FLAGS])) return seq;
      return 0;
    })();
    const tag = await server.expect('FETCH 1:9 (FLAGS)');
    server.say('* 1 FETCH (FLAGS ())');
    assert.equal(await reading, 1);
    const again = gathered(client.fetch({ seqs: [[5, 5]] }, [FLAGS]));
    server.say('* 2 FETCH (FLAGS ())', `${tag} OK done`);
    const next = await server.expect('FETCH 5 (FLAGS)');
    server.say('* 5 FETCH (FLAGS (\\Seen))', `${next} OK done`);
    const [message] = await again;
    assert.deepEqual([message?.seq, message?.flags], [5, ['\\Seen']]);
  });

  it('breaks off with the connection, after what has come', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const seqs: number[] = [];
    const reading = (async () => {
      for await (const { seq } of client.fetch({ seqs: [[1, 2]] }, [FLAGS])) seqs.push(seq);
    })();
    const failing = assert.rejects(reading, { code: 'ConnectionLost' });
    await server.hear();
    server.say('* 1 FETCH (FLAGS ())');
    server.hangUp();
    await failing;
    assert.deepEqual(seqs, [1]);
  });
});

describe('a request', () => {
  it('that makes no sense is not sent', async () => {
    const client = await new PlayedServer().greet();
    const uids = [[1, 2]] as const;
    for (const [messages, items, options] of [
      [{ uids }, [], {}],
      [{ uids }, [FLAGS], { vanished: true }],
      [{ seqs: uids }, [FLAGS], { vanished: true, changedSince: 5 }],
      [{ uids: [[0, 2]] }, [FLAGS], {}],
      [{ uids: [[3, 2]] }, [FLAGS], {}],
      [{ uids: [[1.5, 2]] }, [FLAGS], {}],
    ] as const) {
      assert.throws(() => client.fetch(messages, items, options), { code: 'BadArgument' });
    }
    const section = { part: [], text: 'HEADER.FIELDS', fields: ['a\r\nb'] } as const;
    const evil: FetchItem = { type: 'SECTION', peek: true, section };
    await assert.rejects(gathered(client.fetch({ uids }, [evil])), { code: 'BadArgument' });
  });
});
