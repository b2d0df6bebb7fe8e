/**
 * SEARCH of the client, in both forms.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillInbox, gathered, openAlice, PlayedServer } from '../../../support/imap-client.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import type { ImapClient } from '#protocols/imap/client-session';
import { STAR } from '#protocols/imap/words';

describe('SEARCH', () => {
  async function searching(server: TestServer): Promise<ImapClient> {
    await fillInbox(server, 5);
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
    const messages = await gathered(client.fetch({ uids: '$' }, [{ type: 'UID' }]));
    assert.deepEqual(
      messages.map(({ uid }) => uid),
      [2, 3],
    );
  });
});

describe('a server without ESEARCH', () => {
  it('gives the same result in the old form', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const returns = ['MIN', 'MAX', 'COUNT', 'ALL'] as const;
    const searching = client.search({ type: 'FROM', text: 'bob' }, { returns });
    const tag = await server.expect('UID SEARCH FROM bob');
    server.say('* SEARCH 9 2 3', '* SEARCH 7 (MODSEQ 90)', '* SEARCH ', `${tag} OK done`);
    const all = [
      [2, 3],
      [7, 7],
      [9, 9],
    ];
    assert.deepEqual(await searching, { all, min: 2, max: 9, count: 4, modSeq: 90 });
    const saving = client.search({ type: 'ALL' }, { returns: ['SAVE'] });
    await assert.rejects(saving, { code: 'NotOffered' });
  });

  it('gets texts in UTF-8 as literals', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const searching = client.search({ type: 'SUBJECT', text: 'Grüße' });
    const tag = await server.expect('UID SEARCH CHARSET UTF-8 SUBJECT {7+}');
    assert.equal(Buffer.from(await server.hear(), 'latin1').toString(), 'Grüße');
    server.say('* SEARCH', `${tag} OK done`);
    assert.deepEqual(await searching, { all: [] });
  });

  it('cannot fill our memory', async () => {
    const server = new PlayedServer();
    const client = await server.greet({ limits: { results: 1000 } });
    const searching = client.search({ type: 'ALL' });
    const failing = assert.rejects(searching, { code: 'TooLarge' });
    await server.expect('UID SEARCH ALL');
    const line = `* SEARCH${' 7'.repeat(300)}`;
    server.say(line, line, line, line);
    await failing;
  });
});
