/**
 * Commands at once, news in between, cancelling, and the many ways in which a server can go.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gathered, PlayedServer } from '../../../support/imap-client.ts';
import type { ImapClient } from '#protocols/imap/client-session';
import type { FetchItem } from '#protocols/imap/words';

const FLAGS: FetchItem[] = [{ type: 'FLAGS' }];

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Answers the next command. */
async function answer(server: PlayedServer, text: string): Promise<void> {
  server.say(`${await server.expect(text)} OK done`);
}

describe('commands given at once', () => {
  it('are sent together where their answers can be told apart', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const fetching = gathered(client.fetch({ uids: [[1, 1]] }, FLAGS));
    const status = client.status('box', ['MESSAGES']);
    const copied = client.copy({ uids: [[2, 2]] }, 'box');
    const tags = [
      await server.expect('UID FETCH 1 (FLAGS)'),
      await server.expect('STATUS box (MESSAGES)'),
      await server.expect('UID COPY 2 box'),
    ];
    server.say(`${tags[2]} OK [COPYUID 7 2 12] done`);
    server.say('* STATUS box (MESSAGES 3)', '* 4 FETCH (UID 1 FLAGS ())');
    server.say(`${tags[1]} OK done`, `${tags[0]} OK done`);
    assert.equal((await fetching)[0]?.uid, 1);
    assert.deepEqual(await status, { MESSAGES: 3 });
    assert.deepEqual((await copied)?.target, [[12, 12]]);
  });

  it('wait for those that take the same answers', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const both = Promise.all([
      client.status('one', ['MESSAGES']),
      client.status('two', ['MESSAGES']),
    ]);
    const tag = await server.expect('STATUS one (MESSAGES)');
    await turn();
    assert.equal(server.unheard, '');
    server.say('* STATUS one (MESSAGES 1)', `${tag} OK done`);
    const next = await server.expect('STATUS two (MESSAGES)');
    server.say('* STATUS two (MESSAGES 2)', `${next} OK done`);
    assert.deepEqual(await both, [{ MESSAGES: 1 }, { MESSAGES: 2 }]);
  });

  it('wait with sequence numbers while others may shift them', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const noop = client.noop();
    const storing = client.store({ seqs: [[3, 3]] }, { op: 'add', flags: ['x'] });
    const tag = await server.expect('NOOP');
    await turn();
    assert.equal(server.unheard, '');
    server.say('* 1 EXPUNGE', `${tag} OK done`);
    await noop;
    await answer(server, 'STORE 3 +FLAGS (x)');
    assert.deepEqual(await storing, { modified: [], messages: [] });
    const fetching = gathered(client.fetch({ seqs: [[1, 1]] }, FLAGS));
    const searching = client.search({ type: 'ALL' }, { bySeq: true });
    await server.expect('FETCH 1 (FLAGS)');
    await server.expect('SEARCH ALL');
    client.close();
    await Promise.allSettled([fetching, searching]);
  });

  it('wait for those that run alone', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const all = [client.noop(), client.select('box'), client.noop()];
    const tag = await server.expect('NOOP');
    await turn();
    assert.equal(server.unheard, '');
    server.say(`${tag} OK done`);
    const next = await server.expect('SELECT box');
    await turn();
    assert.equal(server.unheard, '');
    server.say(`${next} OK done`);
    await answer(server, 'NOOP');
    await Promise.all(all);
  });

  it('fail alone', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const bad = assert.rejects(client.delete('box'), {
      code: 'No',
      reason: 'HASCHILDREN',
      message: 'The server answered NO to DELETE: it has children',
    });
    const good = client.noop();
    const tag = await server.expect('DELETE box');
    server.say(`${tag} NO [HASCHILDREN] it has children`);
    await answer(server, 'NOOP');
    await Promise.all([bad, good]);
  });
});

describe('news', () => {
  it('are told in order, whatever they are', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    server.say('* 5 EXISTS', '* OK [ALERT] the disk is nearly full {12}', '* X-NEW {3}', 'abc def');
    server.say('* VANISHED 1:3,7', '* CAPABILITY IMAP4rev1 X-MORE');
    const noop = client.noop();
    await answer(server, 'NOOP');
    await noop;
    assert.deepEqual(server.news, [
      { type: 'exists', count: 5 },
      {
        type: 'status',
        status: 'OK',
        code: { type: 'WORD', word: 'ALERT', text: '' },
        text: 'the disk is nearly full {12}',
      },
      { type: 'other', name: 'X-NEW', text: '' },
      {
        type: 'vanished',
        earlier: false,
        uids: [
          [1, 3],
          [7, 7],
        ],
      },
      { type: 'capability', capabilities: ['IMAP4REV1', 'X-MORE'] },
    ]);
    assert.ok(client.capabilities.has('X-MORE'));
  });

  it('end the conversation when their listener fails', async () => {
    const server = new PlayedServer();
    const cause = new Error('oops');
    const onNews = (): never => {
      throw cause;
    };
    const client = await server.greet({ onNews });
    server.say('* 5 EXISTS');
    const reason = await client.ended;
    assert.deepEqual([reason.code, reason.cause], ['CallerFailed', cause]);
  });
});

describe('a signal', () => {
  it('takes back what was not sent', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const control = new AbortController();
    const selecting = client.select('box');
    const waiting = assert.rejects(client.noop(control.signal), { code: 'Cancelled' });
    const tag = await server.expect('SELECT box');
    control.abort();
    await waiting;
    await assert.rejects(client.noop(control.signal), { code: 'Cancelled' });
    server.say(`${tag} OK done`);
    await selecting;
    assert.equal(server.unheard, '');
  });

  it('lets the answer to what was sent pass by', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const control = new AbortController();
    const gone = client.status('one', ['MESSAGES'], control.signal);
    const failing = assert.rejects(gone, { code: 'Cancelled' });
    const tag = await server.expect('STATUS one (MESSAGES)');
    await turn();
    control.abort();
    await failing;
    const status = client.status('two', ['MESSAGES']);
    server.say('* STATUS one (MESSAGES 1)', '* 7 EXISTS', `${tag} OK done`);
    const next = await server.expect('STATUS two (MESSAGES)');
    server.say('* STATUS two (MESSAGES 2)', `${next} OK done`);
    assert.deepEqual(await status, { MESSAGES: 2 });
    assert.deepEqual(server.news, [{ type: 'exists', count: 7 }]);
  });

  it('ends the connection when a command was sent in part', async () => {
    const server = new PlayedServer();
    const client = await server.greet({}, 'IMAP4rev1');
    const control = new AbortController();
    const octets = Buffer.from('12345');
    const appending = client.append('box', { octets }, control.signal);
    const failing = assert.rejects(appending, { code: 'Cancelled' });
    await server.expect('APPEND box {5}');
    control.abort();
    await failing;
    assert.equal((await client.ended).code, 'Cancelled');
  });
});

describe('a conversation', () => {
  async function running(): Promise<{
    server: PlayedServer;
    client: ImapClient;
    all: Promise<PromiseSettledResult<unknown>[]>;
  }> {
    const server = new PlayedServer();
    const client = await server.greet({ limits: { lineBytes: 1000, literalBytes: 1000 } });
    const all = Promise.allSettled([client.noop(), client.select('box'), client.noop()]);
    await server.expect('NOOP');
    return { server, client, all };
  }

  for (const [what, code, octets] of [
    ['hangs up', 'ConnectionLost', ''],
    ['hangs up inside an answer', 'ConnectionLost', '* 5 FETCH (BODY[] {100}\r\nabc'],
    ['says goodbye', 'Bye', '* BYE see you\r\n'],
    ['is no IMAP server', 'BadResponse', 'HTTP/1.1 400 Bad Request\r\n'],
    ['answers what nobody asked', 'BadResponse', 'zz9 OK done\r\n'],
    ['goes on where nobody waits', 'BadResponse', '+ go on\r\n+ go on\r\n'],
    ['sends a broken answer', 'BadResponse', '* 5 FETCH (BODY[ oops)\r\n'],
    ['sends a lone LF', 'BadResponse', '* 5 EXISTS\n'],
    ['sends a line without end', 'TooLarge', `* OK ${'x'.repeat(2000)}`],
    ['sends too many lines', 'TooLarge', `* LIST () NIL {1}\r\na${'x'.repeat(2000)}`],
    ['announces a huge literal', 'TooLarge', '* 5 FETCH (BODY[] {99999999999}\r\n'],
    ['sends too many literals', 'TooLarge', `* X${' {600}\r\n'.padEnd(608, 'x').repeat(2)}`],
  ] as const) {
    it(`ends for all commands when the server ${what}`, async () => {
      const { server, client, all } = await running();
      if (octets !== '') server.sayRaw(octets);
      if (code === 'ConnectionLost') server.hangUp();
      for (const result of await all) {
        assert.ok(result.status === 'rejected');
        assert.equal(result.reason.name, 'ImapClientError');
        assert.equal(result.reason.code, code);
      }
      assert.equal((await client.ended).code, code);
      assert.equal(server.clock.waiting, 0);
      await assert.rejects(client.noop(), { code });
    });
  }

  it('ends when the server is silent while commands run, and not before', async () => {
    const { server, client, all } = await running();
    server.clock.advance(100_000);
    server.say('* OK still here');
    await turn();
    server.clock.advance(100_000);
    await turn();
    await Promise.race([client.ended.then(() => assert.fail('too early')), turn()]);
    server.clock.advance(30_000);
    await all;
    assert.equal((await client.ended).code, 'Timeout');
  });

  it('may be silent while no command runs', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    server.clock.advance(24 * 60 * 60_000);
    const noop = client.noop();
    await answer(server, 'NOOP');
    await noop;
    assert.equal(server.clock.waiting, 0);
  });

  it('ends when we close it', async () => {
    const { client, all } = await running();
    client.close();
    client.close();
    for (const result of await all) {
      assert.ok(result.status === 'rejected');
      assert.equal(result.reason.code, 'Closed');
    }
  });

  it('ends well with LOGOUT, also where the server only hangs up', async () => {
    for (const isPolite of [true, false]) {
      const server = new PlayedServer();
      const client = await server.greet();
      const leaving = client.logout();
      const tag = await server.expect('LOGOUT');
      server.say('* BYE see you');
      if (isPolite) server.say(`${tag} OK done`);
      else server.hangUp();
      await leaving;
      assert.deepEqual(server.news, []);
    }
  });
});
