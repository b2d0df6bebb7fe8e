/**
 * IDLE of the client: news as they come, anew in time, and an end when it is wanted.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillInbox, openAlice, PlayedServer } from '../../../support/imap-client.ts';
import { openTestServer } from '../../../support/server.ts';
import type { ImapClient } from '#protocols/imap/client-session';
import type { ServerNews } from '#protocols/imap/client-words';

describe('IDLE', () => {
  it('tells what others do', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    await client.select('INBOX');
    const idle = client.idle();
    const heard: ServerNews[] = [];
    void fillInbox(server, 1);
    for await (const news of idle) {
      heard.push(news);
      if (news.type === 'exists') break;
    }
    assert.deepEqual(heard.at(-1), { type: 'exists', count: 1 });
    await client.noop();
  });
});

async function idling(): Promise<{ server: PlayedServer; client: ImapClient }> {
  const server = new PlayedServer();
  const client = await server.greet({}, 'IMAP4rev1 IDLE');
  return { server, client };
}

describe('IDLE with a server that is played', () => {
  it('ends when told, and what comes late goes where news go', async () => {
    const { server, client } = await idling();
    const idle = client.idle();
    const tag = await server.expect('IDLE');
    server.say('+ idling', '* 4 EXISTS');
    const heard: ServerNews[] = [];
    for await (const news of idle) {
      heard.push(news);
      const done = idle.done();
      assert.equal(await server.hear(), 'DONE');
      server.say('* 5 EXISTS', `${tag} OK done`);
      await done;
    }
    assert.deepEqual(heard, [{ type: 'exists', count: 4 }]);
    assert.deepEqual(server.news, [{ type: 'exists', count: 5 }]);
  });

  it('is given anew before the server thinks that we have gone', async () => {
    const { server, client } = await idling();
    const idle = client.idle();
    const tag = await server.expect('IDLE');
    server.say('+ idling');
    await new Promise((resolve) => setImmediate(resolve));
    server.clock.advance(28 * 60_000);
    assert.equal(await server.hear(), 'DONE');
    server.say('* 1 EXISTS', `${tag} OK done`);
    const again = await server.expect('IDLE');
    server.say('+ idling');
    const first = idle[Symbol.asyncIterator]();
    assert.deepEqual((await first.next()).value, { type: 'exists', count: 1 });
    const done = idle.done();
    assert.equal(await server.hear(), 'DONE');
    server.say(`${again} OK done`);
    await done;
  });

  it('may be silent for long, but not once it has been told to end', async () => {
    const { server, client } = await idling();
    const idle = client.idle();
    await server.expect('IDLE');
    server.say('+ idling');
    await new Promise((resolve) => setImmediate(resolve));
    server.clock.advance(20 * 60_000);
    const done = idle.done();
    assert.equal(await server.hear(), 'DONE');
    server.clock.advance(3 * 60_000);
    await done;
    assert.equal((await client.ended).code, 'Timeout');
  });

  it('ends by a signal, before and after it began', async () => {
    const { server, client } = await idling();
    const gone = client.idle(AbortSignal.abort());
    for await (const _ of gone) assert.fail('there is no news');
    const control = new AbortController();
    const idle = client.idle(control.signal);
    const tag = await server.expect('IDLE');
    control.abort();
    server.say('+ idling');
    assert.equal(await server.hear(), 'DONE');
    server.say(`${tag} OK done`);
    await idle.done();
    const noop = client.noop();
    server.say(`${await server.expect('NOOP')} OK done`);
    await noop;
  });

  it('fails where the server fails', async () => {
    const { server, client } = await idling();
    const refused = client.idle();
    server.say(`${await server.expect('IDLE')} NO not now`);
    await assert.rejects(refused[Symbol.asyncIterator]().next(), { code: 'No' });
    const lost = client.idle();
    await server.expect('IDLE');
    server.say('+ idling');
    server.hangUp();
    await assert.rejects(lost[Symbol.asyncIterator]().next(), { code: 'ConnectionLost' });
  });

  it('goes on when the server ends it by itself', async () => {
    const { server, client } = await idling();
    const idle = client.idle();
    const tag = await server.expect('IDLE');
    server.say('+ idling', `${tag} OK enough`);
    const again = await server.expect('IDLE');
    const done = idle.done();
    server.say('+ idling');
    assert.equal(await server.hear(), 'DONE');
    server.say(`${again} OK done`);
    await done;
  });

  it('is not for servers that do not offer it', async () => {
    const client = await new PlayedServer().greet();
    assert.throws(() => client.idle(), { code: 'NotOffered' });
  });
});
