/**
 * APPEND of the client: literals, asked for or not, to our own server and to others.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gathered, mailAbout, openAlice, PlayedServer } from '../../../support/imap-client.ts';
import { openTestServer } from '../../../support/server.ts';
import { sectionOf } from '#protocols/imap/client-parser-fetch';
import { STAR, type FetchItem } from '#protocols/imap/words';

const WHOLE: FetchItem = { type: 'SECTION', peek: true, section: { part: [] } };
const EVERYTHING = { uids: [[1, STAR]] } as const;

describe('APPEND', () => {
  it('brings a message with flags and date, and tells its UID', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const { uidValidity } = await client.select('INBOX');
    const receivedAt = { at: Date.UTC(2022, 0, 1, 9, 10), zoneMinutes: 60 };
    const flags = ['\\Seen', '$Forwarded'];
    const appended = await client.append('INBOX', { octets: mailAbout('new'), flags, receivedAt });
    assert.deepEqual(appended, { uidValidity, uid: 1 });
    const items = [{ type: 'FLAGS' }, { type: 'INTERNALDATE' }, WHOLE] as const;
    const [message] = await gathered(client.fetch({ uids: [[1, 1]] }, items));
    assert.deepEqual(message?.flags, flags);
    assert.deepEqual(message?.internalDate, receivedAt);
    assert.ok(message && sectionOf(message, WHOLE)?.equals(mailAbout('new')));
  });

  it('streams', async () => {
    await using server = await openTestServer();
    await using client = await openAlice(server);
    const parts = [mailAbout('streamed'), Buffer.alloc(300_000, 'line of text\r\n')];
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

describe('a literal', () => {
  const octets = Buffer.from('12345');

  it('waits for the server that does not say that it need not', async () => {
    const server = new PlayedServer();
    const client = await server.greet({}, 'IMAP4rev1');
    const appending = client.append('box', { octets, flags: ['\\Seen'] });
    const tag = await server.expect('APPEND box (\\Seen) {5}');
    assert.equal(server.unheard, '');
    server.say('+ go on');
    assert.equal(await server.hear(), '12345');
    server.say(`${tag} OK [APPENDUID 7 12] done`);
    assert.deepEqual(await appending, { uidValidity: 7, uid: 12 });
  });

  it('is not sent when the server says no instead', async () => {
    const server = new PlayedServer();
    const client = await server.greet({}, 'IMAP4rev1');
    const refused = assert.rejects(client.append('box', { octets }), { reason: 'OVERQUOTA' });
    server.say(`${await server.expect('APPEND box {5}')} NO [OVERQUOTA] no room`);
    await refused;
    const noop = client.noop();
    server.say(`${await server.expect('NOOP')} OK done`);
    await noop;
  });

  it('does not wait for a server with LITERAL+, nor a short one with LITERAL-', async () => {
    for (const [capability, bytes, mark] of [
      ['LITERAL+', 5000, '{5000+}'],
      ['LITERAL-', 4096, '{4096+}'],
      ['LITERAL-', 4097, '{4097}'],
      ['LITERAL+ APPENDLIMIT=100', 101, '{101}'],
    ] as const) {
      const server = new PlayedServer();
      const client = await server.greet({}, `IMAP4rev1 ${capability}`);
      const appending = client.append('box', { octets: Buffer.alloc(bytes, 'x') });
      const tag = await server.expect(`APPEND box ${mark}`);
      if (!mark.includes('+')) server.say('+');
      assert.equal((await server.hear()).length, bytes);
      server.say(`${tag} OK done`);
      assert.equal(await appending, undefined);
    }
  });

  it('is sent to its end even when the server has refused it', async () => {
    const server = new PlayedServer();
    const client = await server.greet();
    const rest = Promise.withResolvers<void>();
    const source = (async function* () {
      yield Buffer.alloc(100_000, 'x');
      await rest.promise;
      yield Buffer.from('the end');
    })();
    const appending = client.append('box', { octets: { bytes: 100_007, source } });
    const refused = assert.rejects(appending, { code: 'No' });
    server.say(`${await server.expect('APPEND box {100007+}')} NO not here`);
    await refused;
    const noop = client.noop();
    rest.resolve();
    assert.match(await server.hear(), /^x+the end$/);
    server.say(`${await server.expect('NOOP')} OK done`);
    await noop;
  });

  it('of another length than announced ends the connection', async () => {
    for (const bytes of [4, 6]) {
      const client = await new PlayedServer().greet();
      const source = streamOf([octets]);
      const appending = client.append('box', { octets: { bytes, source } });
      await assert.rejects(appending, { code: 'BadArgument' });
      assert.equal((await client.ended).code, 'BadArgument');
    }
  });

  it('that its source fails to give ends the connection', async () => {
    const client = await new PlayedServer().greet();
    const source = (async function* (): AsyncGenerator<Buffer> {
      yield octets;
      throw new Error('the disk is gone');
    })();
    const appending = client.append('box', { octets: { bytes: 10, source } });
    await assert.rejects(appending, { code: 'CallerFailed' });
  });

  it('is binary where the server can take that', async () => {
    const server = new PlayedServer();
    const message = { octets: Buffer.from('a\0b'), binary: true };
    const plain = await server.greet();
    await assert.rejects(plain.append('box', message), { code: 'NotOffered' });
    const able = new PlayedServer();
    const client = await able.greet({}, 'IMAP4rev1 LITERAL+ BINARY');
    const appending = client.append('box', message);
    const tag = await able.expect('APPEND box ~{3+}');
    assert.equal(await able.hear(), 'a\0b');
    able.say(`${tag} OK done`);
    await appending;
  });
});
