/**
 * Many conversations at once, and the end of all.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineClient } from '../../../support/line-client.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';

async function opened(server: TestServer, ...commands: readonly string[]): Promise<LineClient> {
  const client = new LineClient(server.connect());
  await client.line();
  await client.command(`l LOGIN alice@example.org ${PASSWORD}`);
  for (const [i, command] of commands.entries()) await client.command(`o${i} ${command}`);
  return client;
}

function arrive(server: TestServer): Promise<void> {
  return server.world.append(ALICE, 'Inbox', { octets: Buffer.from('Subject: x\r\n\r\nx\r\n') });
}

describe('the server', () => {
  it('says BYE to who is one too many from an address (item 20)', async () => {
    await using server = await openTestServer();
    const lines: (string | undefined)[] = [];
    for (let i = 0; i < 31; i++) lines.push(await new LineClient(server.connect()).line());
    assert.ok(lines.slice(0, 30).every((line) => line?.startsWith('* OK ')));
    assert.match(lines[30] ?? '', /^\* BYE /);
    assert.match((await new LineClient(server.connect({ ip: '203.0.113.9' })).line()) ?? '', /OK/);
  });

  it('says BYE to an address that failed to log in too often (item 38)', async () => {
    await using server = await openTestServer();
    for (let i = 0; i < 5; i++) {
      const client = new LineClient(server.connect());
      await client.line();
      await client.command('a LOGIN alice@example.org wrong');
      await client.command('b LOGIN alice@example.org wrong');
      client.destroy();
    }
    const next = new LineClient(server.connect());
    assert.match((await next.line()) ?? '', /^\* BYE /);
    assert.equal(await next.line(), undefined);
  });

  it('forgets failures of an address that logs in (item 38)', async () => {
    await using server = await openTestServer();
    const { rates } = server.world;
    for (let i = 0; i < 9; i++) rates.failedLogin('192.0.2.1');
    const client = new LineClient(server.connect());
    await client.line();
    await client.command('a LOGIN alice@example.org test-pass-123');
    for (let i = 0; i < 9; i++) rates.failedLogin('192.0.2.1');
    assert.match((await new LineClient(server.connect()).line()) ?? '', /^\* OK /);
    rates.failedLogin('192.0.2.1');
    assert.match((await new LineClient(server.connect()).line()) ?? '', /^\* BYE /);
  });

  it('says BYE to everybody when it stops (item 21)', async () => {
    await using server = await openTestServer();
    const idle = await opened(server, 'SELECT Inbox');
    idle.send('i IDLE\r\n');
    await idle.line();
    const quiet = await opened(server);
    await server.server.close();
    for (const client of [idle, quiet]) {
      assert.match((await client.line()) ?? '', /^\* BYE /);
      assert.equal(await client.line(), undefined);
    }
  });

  it('tells two sessions of every arrival, in one order, without gaps', async () => {
    await using server = await openTestServer();
    const clients = await Promise.all([1, 2].map(() => opened(server, 'SELECT Inbox')));
    for (const client of clients) {
      client.send('i IDLE\r\n');
      await client.line();
    }
    const heard = clients.map((client) => client.until('* 100 EXISTS'));
    for (let i = 0; i < 100; i += 10) {
      await Promise.all(Array.from({ length: 10 }, () => arrive(server)));
    }
    for (const lines of await Promise.all(heard)) {
      const counts = lines.map((line) => Number(/^\* (\d+) EXISTS$/.exec(line)?.[1]));
      assert.deepEqual(
        counts,
        counts.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(counts).size, counts.length);
    }
  });

  it('lets one of two conditional stores succeed (item 184)', async () => {
    await using server = await openTestServer();
    await arrive(server);
    const clients = await Promise.all([1, 2].map(() => opened(server, 'SELECT Inbox (CONDSTORE)')));
    const [first] = clients;
    const status = await first?.command('s STATUS Inbox (HIGHESTMODSEQ)');
    const [, highest] = /HIGHESTMODSEQ (\d+)/.exec(status?.join('') ?? '') ?? [];
    const answers = await Promise.all(
      clients.map((client, i) =>
        client.command(`t STORE 1 (UNCHANGEDSINCE ${highest}) +FLAGS (by${i})`),
      ),
    );
    const modified = answers.filter((lines) => lines.at(-1)?.startsWith('t OK [MODIFIED 1]'));
    assert.equal(modified.length, 1);
  });

  it('goes on with the others when one conversation ends badly', async () => {
    await using server = await openTestServer();
    const client = await opened(server);
    const cut = await opened(server, 'SELECT Inbox');
    cut.send('a APPEND Inbox {1000+}\r\nonly the beg');
    cut.destroy();
    assert.match((await client.command('a NOOP')).at(-1) ?? '', /^a OK/);
    assert.match((await client.command('b STATUS Inbox (MESSAGES)'))[0] ?? '', /MESSAGES 0/);
  });
});
