/**
 * Every command of the client against our own server.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAlice, openStranger } from '../../../support/imap-client.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE } from '../../../support/world.ts';
import { sectionOf } from '#protocols/imap/client-parser-fetch';
import type { ImapClient } from '#protocols/imap/client-session';
import type { FetchedMessage, ServerNews } from '#protocols/imap/client-words';
import { STAR, type FetchItem } from '#protocols/imap/words';

function mail(subject: string, more = ''): Buffer {
  const fields = `From: Bob <bob@example.org>\r\nTo: alice@example.org\r\nSubject: ${subject}\r\n`;
  return Buffer.from(`${fields}${more}\r\nbody of ${subject}\r\n`);
}

async function fill(server: TestServer, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await server.world.append(ALICE, 'Inbox', { octets: mail(`number ${i}`) });
  }
}

async function gathered(messages: AsyncIterable<FetchedMessage>): Promise<FetchedMessage[]> {
  const all: FetchedMessage[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

const UID: FetchItem = { type: 'UID' };
const FLAGS: FetchItem = { type: 'FLAGS' };
const WHOLE: FetchItem = { type: 'SECTION', peek: true, section: { part: [] } };
const EVERYTHING = { uids: [[1, STAR]] } as const;

describe('commands of the connection', () => {
  it('ENABLE turns on what is offered', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const enabled = await client.enable(['qresync', 'X-UNHEARD-OF']);
    assert.deepEqual([...enabled], ['QRESYNC']);
  });

  it('ID exchanges names', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const fields = await client.id({ name: 'a "client"', version: '1' });
    assert.equal(fields.get('name'), 'Daybook');
    assert.equal((await client.id()).get('name'), 'Daybook');
  });

  it('CAPABILITY, NOOP and LOGOUT', async () => {
    await using server = await openTestServer();
    const client = await openAlice(server);
    assert.ok((await client.capability()).has('IDLE'));
    await client.noop();
    await client.logout();
    assert.equal((await client.ended).code, 'Closed');
    await assert.rejects(client.noop(), { code: 'Closed' });
  });
});

describe('SELECT', () => {
  it('tells all about the mailbox', async () => {
    await using server = await openTestServer();
    await fill(server, 3);
    await using client = await openAlice(server);
    const box = await client.select('INBOX');
    assert.equal(box.name, 'Inbox');
    assert.equal(box.readOnly, false);
    assert.equal(box.exists, 3);
    assert.equal(box.uidNext, 4);
    assert.ok(box.uidValidity > 0);
    assert.ok((box.highestModSeq ?? 0) > 1);
    assert.ok(box.flags.includes('\\Seen'));
    assert.ok(box.permanentFlags.includes('\\*'));
    assert.match(box.mailboxId ?? '', /^F/);
    assert.equal((await client.examine('INBOX')).readOnly, true);
  });

  it('fails with the code of the server, and the client goes on', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const error = { name: 'ImapClientError', code: 'No', reason: 'NONEXISTENT' };
    await assert.rejects(client.select('No such'), error);
    await client.select('INBOX');
  });

  it('with QRESYNC tells what has changed since', async () => {
    await using server = await openTestServer();
    await fill(server, 5);
    await using first = await openAlice(server);
    const before = await first.select('INBOX');
    const change = { op: 'add', flags: ['\\Flagged'] } as const;
    await first.store({ uids: [[2, 2]] }, change);
    await first.store({ uids: [[3, 4]] }, { ...change, flags: ['\\Deleted'] });
    await first.expunge();
    await first.append('INBOX', { octets: mail('number 6') });

    await using second = await openAlice(server);
    const { uidValidity, highestModSeq: modSeq = 0 } = before;
    const qresync = { uidValidity, modSeq };
    await assert.rejects(second.select('INBOX', { qresync }), { code: 'NotOffered' });
    await second.enable(['QRESYNC']);
    const box = await second.select('INBOX', { qresync });
    assert.deepEqual(box.vanishedEarlier, [[3, 4]]);
    assert.deepEqual(
      box.changed.map(({ uid, flags }) => [uid, flags]),
      [
        [2, ['\\Flagged']],
        [6, []],
      ],
    );
    const again = { uidValidity, modSeq: box.highestModSeq ?? 0, knownUids: [[1, 6]] } as const;
    const quiet = await second.select('INBOX', { qresync: again });
    assert.deepEqual([quiet.vanishedEarlier, quiet.changed], [[], []]);
  });

  it('forgets what was said of the mailbox before', async () => {
    await using server = await openTestServer();
    await fill(server, 2);
    await using client = await openAlice(server);
    await client.enable(['QRESYNC']);
    await client.select('INBOX');
    await fill(server, 1);
    const box = await client.select('Sent');
    assert.deepEqual([box.name, box.exists], ['Sent', 0]);
  });

  it('leaves a mailbox with and without removing', async () => {
    await using server = await openTestServer();
    await fill(server, 2);
    await using client = await openAlice(server);
    await client.select('INBOX');
    await client.store({ seqs: [[1, 1]] }, { op: 'add', flags: ['\\Deleted'] });
    await client.leave({ expunge: false });
    assert.equal((await client.select('INBOX')).exists, 2);
    await client.leave({ expunge: true });
    assert.equal((await client.status('INBOX', ['MESSAGES'])).MESSAGES, 1);
  });
});

describe('commands about mailboxes', () => {
  it('make, rename, list and remove them, whatever their names', async () => {
    await using server = await openTestServer();
    for (const utf8 of [false, true]) {
      await using client = await openAlice(server);
      if (utf8) await client.enable(['UTF8=ACCEPT']);
      await client.create('Entwürfe & "mehr"');
      await client.rename('Entwürfe & "mehr"', '日本語/草稿');
      const names = (await client.list({ patterns: ['日*'] })).map(({ name }) => name);
      assert.deepEqual(names, ['日本語', '日本語/草稿']);
      await client.delete('日本語/草稿');
      await client.delete('日本語');
      assert.deepEqual(await client.list({ patterns: ['日*'] }), []);
    }
  });

  it('list with status, subscriptions and uses', async () => {
    await using server = await openTestServer();
    await fill(server, 2);
    await using client = await openAlice(server);
    await client.create('Old', { uses: ['\\Archive'] });
    await client.subscribe('Old');
    const [old] = await client.list({
      patterns: ['Old', 'Nothing'],
      returns: ['SUBSCRIBED', 'SPECIAL-USE', 'CHILDREN'],
    });
    assert.equal(old?.separator, '/');
    for (const attribute of ['\\Subscribed', '\\Archive', '\\HasNoChildren']) {
      assert.ok(old?.attributes.includes(attribute), attribute);
    }
    const subscribed = await client.list({ select: ['SUBSCRIBED'] });
    assert.ok(subscribed.some(({ name }) => name === 'Old'));
    await client.unsubscribe('Old');
    const fewer = await client.list({ select: ['SUBSCRIBED'] });
    assert.equal(fewer.length, subscribed.length - 1);
    const [inbox] = await client.list({ patterns: ['INBOX'], status: ['MESSAGES', 'UIDNEXT'] });
    assert.deepEqual(inbox?.status, { MESSAGES: 2, UIDNEXT: 3 });
  });

  it('tell the status', async () => {
    await using server = await openTestServer();
    await fill(server, 2);
    await using client = await openAlice(server);
    const items = ['MESSAGES', 'UNSEEN', 'SIZE', 'HIGHESTMODSEQ', 'MAILBOXID'] as const;
    const values = await client.status('inbox', items);
    assert.equal(values.MESSAGES, 2);
    assert.equal(values.UNSEEN, 2);
    assert.equal(values.SIZE, 2 * mail('number 1').length);
    assert.ok((values.HIGHESTMODSEQ ?? 0) > 0);
    assert.match(values.MAILBOXID ?? '', /^F/);
    await assert.rejects(client.status('No such', items), { code: 'No', reason: 'NONEXISTENT' });
  });
});

describe('APPEND', () => {
  it('brings a message with flags and date, and tells its UID', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const { uidValidity } = await client.select('INBOX');
    const receivedAt = { at: Date.UTC(2022, 0, 1, 9, 10), zoneMinutes: 60 };
    const flags = ['\\Seen', '$Forwarded'];
    const appended = await client.append('INBOX', { octets: mail('new'), flags, receivedAt });
    assert.deepEqual(appended, { uidValidity, uid: 1 });
    const items = [FLAGS, { type: 'INTERNALDATE' }, WHOLE] as const;
    const [message] = await gathered(client.fetch({ uids: [[1, 1]] }, items));
    assert.deepEqual(message?.flags, flags);
    assert.deepEqual(message?.internalDate, receivedAt);
    assert.ok(message && sectionOf(message, WHOLE)?.equals(mail('new')));
  });

  it('streams', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const parts = [mail('streamed'), Buffer.alloc(300_000, 'line of text\r\n')];
    const octets = { bytes: Buffer.concat(parts).length, source: streamOf(parts) };
    await client.append('INBOX', { octets });
    await client.select('INBOX');
    const size: FetchItem = { type: 'RFC822.SIZE' };
    const [message] = await gathered(client.fetch(EVERYTHING, [size]));
    assert.equal(message?.sizeBytes, octets.bytes);
  });

  it('says what the server says of a message that is too large, without sending it', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    let isAsked = false;
    const source = async function* (): AsyncGenerator<Buffer> {
      isAsked = true;
      yield Buffer.alloc(2 * 1024 * 1024);
    };
    const octets = { bytes: 2 * 1024 * 1024, source: source() };
    await assert.rejects(client.append('INBOX', { octets }), { code: 'No', reason: 'TOOBIG' });
    assert.equal(isAsked, false);
    await client.noop();
  });
});

async function* streamOf(parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield part;
}

describe('FETCH', () => {
  it('gives every item', async () => {
    await using server = await openTestServer();
    const more = 'Message-ID: <1@example.org>\r\nDate: Sat, 01 Jan 2022 10:10:00 +0100\r\n';
    await server.world.append(ALICE, 'Inbox', { octets: mail('ünï', more), flags: ['$junk'] });
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
    assert.equal(message.sizeBytes, mail('ünï', more).length);
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
    await fill(server, 4);
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
    await fill(server, 9);
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

describe('STORE', () => {
  it('tells the new flags, and what was left alone', async () => {
    await using server = await openTestServer();
    await fill(server, 3);
    await using client = await openAlice(server);
    const { highestModSeq: unchangedSince = 0 } = await client.select('INBOX');
    const flags = ['\\Seen', 'Later'];
    const told = await client.store({ seqs: [[2, 2]] }, { op: 'add', flags });
    assert.deepEqual(told.modified, []);
    assert.deepEqual(told.messages[0]?.flags, ['\\Seen', 'later']);
    const change = { op: 'replace', flags: ['\\Flagged'], silent: true, unchangedSince } as const;
    const { modified } = await client.store({ uids: [[1, 3]] }, change);
    assert.deepEqual(modified, [[2, 2]]);
    const removed = await client.store({ uids: [[2, 2]] }, { op: 'remove', flags });
    assert.deepEqual(removed.messages[0]?.flags, []);
  });

  it('lets no flag break the line', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    await client.select('INBOX');
    const storing = client.store({ seqs: [[1, 1]] }, { op: 'add', flags: ['a)\r\nx LOGOUT'] });
    await assert.rejects(storing, { code: 'BadArgument' });
  });
});

describe('COPY, MOVE and EXPUNGE', () => {
  it('tell what became of the UIDs', async () => {
    await using server = await openTestServer();
    await fill(server, 5);
    await using client = await openAlice(server);
    await client.select('INBOX');
    const copied = await client.copy({ seqs: [[2, 3]] }, 'Sent');
    assert.deepEqual([copied?.source, copied?.target], [[[2, 3]], [[1, 2]]]);
    const moved = await client.move({ uids: [[5, 5]] }, 'Sent');
    assert.deepEqual([moved?.source, moved?.target], [[[5, 5]], [[3, 3]]]);
    assert.equal(moved?.uidValidity, (await client.status('Sent', ['UIDVALIDITY'])).UIDVALIDITY);
    const nowhere = client.copy({ seqs: [[1, 1]] }, 'No such');
    await assert.rejects(nowhere, { code: 'No', reason: 'TRYCREATE' });
    assert.equal(await client.copy({ uids: [] }, 'Sent'), undefined);
  });

  it('remove messages, by sequence number or by UID', async () => {
    await using server = await openTestServer();
    await fill(server, 5);
    const news: ServerNews[] = [];
    await using client = await openAlice(server, { onNews: (one) => void news.push(one) });
    await client.select('INBOX');
    await client.store({ seqs: [[1, 4]] }, { op: 'add', flags: ['\\Deleted'], silent: true });
    assert.deepEqual(await client.expunge([[1, 1]]), { seqs: [1], uids: [] });
    await client.enable(['QRESYNC']);
    assert.deepEqual(await client.expunge(), { seqs: [], uids: [[2, 4]] });
    const told = news.filter(({ type }) => type === 'expunge' || type === 'vanished');
    assert.deepEqual(told, [
      { type: 'expunge', seq: 1 },
      { type: 'vanished', earlier: false, uids: [[2, 4]] },
    ]);
  });
});

describe('SEARCH', () => {
  async function searching(server: TestServer): Promise<ImapClient> {
    await fill(server, 5);
    const client = await openAlice(server);
    await client.select('INBOX');
    await client.store({ uids: [[2, 3]] }, { op: 'add', flags: ['\\Seen', 'later'], silent: true });
    await client.store({ uids: [[1, 1]] }, { op: 'add', flags: ['\\Deleted'], silent: true });
    await client.expunge();
    return client;
  }

  it('finds by any key', async () => {
    await using server = await openTestServer();
    await using client = await searching(server);
    const found = async (key: Parameters<ImapClient['search']>[0]): Promise<unknown> =>
      (await client.search(key)).all;
    assert.deepEqual(await found({ type: 'ALL' }), [[2, 5]]);
    assert.deepEqual(await found({ type: 'FLAG', flag: '\\Seen' }), [[2, 3]]);
    assert.deepEqual(await found({ type: 'FLAG', flag: 'later' }), [[2, 3]]);
    const unseen = { type: 'NOT', key: { type: 'FLAG', flag: '\\Seen' } } as const;
    assert.deepEqual(await found(unseen), [[4, 5]]);
    const third = { type: 'SUBJECT', text: 'number 3' } as const;
    assert.deepEqual(await found({ type: 'OR', left: unseen, right: third }), [[3, 5]]);
    assert.deepEqual(await found({ type: 'AND', keys: [unseen, third] }), []);
    assert.deepEqual(await found({ type: 'AND', keys: [] }), [[2, 5]]);
    assert.deepEqual(await found({ type: 'HEADER', field: 'To', text: 'ALICE' }), [[2, 5]]);
    assert.deepEqual(await found({ type: 'SINCE', day: 20260101 }), [[2, 5]]);
    assert.deepEqual(await found({ type: 'BEFORE', day: 20260101 }), []);
    assert.deepEqual(await found({ type: 'LARGER', bytes: 10_000 }), []);
    assert.deepEqual(await found({ type: 'YOUNGER', seconds: 60 }), [[2, 5]]);
    const set = { type: 'numbers', ranges: [[2, STAR]] } as const;
    assert.deepEqual(await found({ type: 'SEQUENCE', set }), [[3, 5]]);
    assert.deepEqual(await found({ type: 'UID', set }), [[2, 5]]);
    assert.deepEqual(await found({ type: 'BODY', text: 'ünï "x"' }), []);
  });

  it('tells as much of the result as is asked for', async () => {
    await using server = await openTestServer();
    await using client = await searching(server);
    const returns = ['MIN', 'MAX', 'COUNT'] as const;
    const few = await client.search({ type: 'ALL' }, { returns });
    assert.deepEqual(few, { min: 2, max: 5, count: 4 });
    const bySeq = await client.search({ type: 'ALL' }, { returns, bySeq: true });
    assert.deepEqual(bySeq, { min: 1, max: 4, count: 4 });
    const none = await client.search({ type: 'FROM', text: 'nobody' }, { returns });
    assert.deepEqual(none, { count: 0 });
    const { modSeq } = await client.search({ type: 'MODSEQ', atLeast: 1 });
    assert.ok((modSeq ?? 0) > 1);
  });

  it('saves a result for the next command', async () => {
    await using server = await openTestServer();
    await using client = await searching(server);
    await client.search({ type: 'FLAG', flag: '\\Seen' }, { returns: ['SAVE'] });
    const messages = await gathered(client.fetch({ uids: '$' }, [UID]));
    assert.deepEqual(
      messages.map(({ uid }) => uid),
      [2, 3],
    );
  });
});

describe('IDLE', () => {
  it('tells what others do', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    await client.select('INBOX');
    const idle = client.idle();
    const heard: ServerNews[] = [];
    void fill(server, 1);
    for await (const news of idle) {
      heard.push(news);
      if (news.type === 'exists') break;
    }
    assert.deepEqual(heard.at(-1), { type: 'exists', count: 1 });
    await client.noop();
  });
});

describe('a stranger', () => {
  it('may not do much', async () => {
    await using server = await openTestServer();
    await using client = await openStranger(server);
    await assert.rejects(client.select('INBOX'), { code: 'No' });
  });
});
