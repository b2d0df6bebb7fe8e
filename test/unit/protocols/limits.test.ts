/**
 * What a client may do, how often and how slowly: time moves only when the test moves it.
 */

import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { LineClient } from '../../support/line-client.ts';
import { openTestServer, type TestServer } from '../../support/server.ts';
import { ALICE, PASSWORD } from '../../support/world.ts';
import { IMAP_WRITE_MS_BEFORE_LOGIN } from '#protocols/limits';

const WRONG = 'LOGIN alice@example.org wrong';
const RIGHT = `LOGIN alice@example.org ${PASSWORD}`;

/** The first line of a connection that comes and goes. */
async function greeting(server: TestServer, ip = '192.0.2.1'): Promise<string> {
  const client = new LineClient(server.connect({ ip }));
  const line = await client.line();
  client.send('a LOGOUT\r\n');
  while ((await client.line()) !== undefined);
  return line ?? '';
}

/** Lets others work. */
async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Wrong passwords, at most two on a connection, before it becomes slow. */
async function fail(server: TestServer, times: number, ip = '192.0.2.1'): Promise<void> {
  for (let left = times; left > 0; left -= 2) {
    const client = new LineClient(server.connect({ ip }));
    await client.line();
    for (let i = 0; i < Math.min(left, 2); i++) await client.command(`a ${WRONG}`);
    client.destroy();
    await rounds(5);
  }
}

describe('connections', () => {
  it('of one address are 30 at once, of its network 90 (item 20)', async () => {
    await using server = await openTestServer();
    for (let host = 1; host <= 3; host++) {
      for (let i = 0; i < 30; i++) {
        const line = await new LineClient(server.connect({ ip: `192.0.2.${host}` })).line();
        assert.match(line ?? '', /^\* OK /);
      }
    }
    assert.match(await greeting(server, '192.0.2.1'), /^\* BYE /);
    assert.match(await greeting(server, '192.0.2.4'), /^\* BYE /);
    assert.match(await greeting(server, '192.0.2.64'), /^\* OK /);
  });

  it('of one address are 300 a minute (item 20)', async () => {
    await using server = await openTestServer();
    for (let i = 0; i < 300; i++) assert.match(await greeting(server), /^\* OK /);
    assert.match(await greeting(server), /^\* BYE /);
    server.world.clock.advance(60_000);
    assert.match(await greeting(server), /^\* OK /);
  });
});

describe('failed logins', () => {
  it('of one address are 10 a minute, for all connections (item 38)', async () => {
    await using server = await openTestServer();
    const open = new LineClient(server.connect());
    await open.line();
    await fail(server, 10);
    assert.match(await greeting(server), /^\* BYE /);
    assert.match((await open.command(`a ${RIGHT}`)).at(-1) ?? '', /^a NO \[LIMIT\]/);
    assert.match((await open.line()) ?? '', /^\* BYE /);
    assert.match(await greeting(server, '192.0.2.2'), /^\* OK /);
    server.world.clock.advance(60_000);
    assert.match(await greeting(server), /^\* OK /);
  });

  it('are forgotten with a success (item 38)', async () => {
    await using server = await openTestServer();
    await fail(server, 9);
    const client = new LineClient(server.connect());
    await client.line();
    await client.command(`a ${RIGHT}`);
    await fail(server, 9);
    assert.match(await greeting(server), /^\* OK /);
  });

  it('are 50 a day (item 38)', async () => {
    await using server = await openTestServer();
    for (let minute = 0; minute < 10; minute++) {
      assert.match(await greeting(server), /^\* OK /);
      await fail(server, 5);
      server.world.clock.advance(60_000);
    }
    assert.match(await greeting(server), /^\* BYE /);
    server.world.clock.advance(24 * 60 * 60_000);
    assert.match(await greeting(server), /^\* OK /);
  });
});

describe('the third failed login of a connection', () => {
  /** Octets that arrive while time moves on by so many seconds, one by one. */
  async function octetsIn(server: TestServer, stream: Duplex, seconds: number): Promise<number[]> {
    let octets = 0;
    const count = (chunk: Buffer): void => void (octets += chunk.length);
    stream.on('data', count);
    const each: number[] = [];
    for (let second = 0; second < seconds; second++) {
      server.world.clock.advance(1000);
      await rounds(5);
      each.push(octets);
      octets = 0;
    }
    stream.off('data', count);
    return each;
  }

  async function failedThrice(server: TestServer): Promise<{ client: LineClient; stream: Duplex }> {
    const stream = server.connect();
    const client = new LineClient(stream);
    await client.line();
    for (let i = 0; i < 3; i++) await client.command(`a ${WRONG}`);
    return { client, stream };
  }

  it('makes it read after a second, and answer an octet a second (item 39)', async () => {
    await using server = await openTestServer();
    const { client, stream } = await failedThrice(server);
    client.send('b NOOP\r\n');
    await rounds(5);
    const each = await octetsIn(server, stream, 8);
    assert.ok((each[0] ?? 0) <= 1, 'it was read at once');
    assert.deepEqual(each.slice(1), [1, 1, 1, 1, 1, 1, 1]);
  });

  it('makes it answer later with every further one (item 39)', async () => {
    await using server = await openTestServer();
    const { client, stream } = await failedThrice(server);
    client.send(`b ${WRONG}\r\n`);
    await rounds(5);
    // One second before it is read, one before it is answered.
    assert.deepEqual(await octetsIn(server, stream, 1), [0]);
    const [second, third] = await octetsIn(server, stream, 2);
    assert.deepEqual([second, third], [1, 1]);
  });

  it('makes exchanges of AUTHENTICATE slow too (item 39)', async () => {
    await using server = await openTestServer();
    const { client, stream } = await failedThrice(server);
    client.send('b AUTHENTICATE PLAIN\r\n');
    // `+ ` and its line end, then a second before the response is read.
    await octetsIn(server, stream, 5);
    client.send(`${Buffer.from('\0alice@example.org\0wrong').toString('base64')}\r\n`);
    await rounds(5);
    assert.ok(server.world.clock.waiting > 0);
    const each = await octetsIn(server, stream, 4);
    assert.equal(each[0], 0);
    assert.ok((each.at(-1) ?? 0) > 0);
  });
});

describe('a client that takes nothing', () => {
  it('has half a minute before login', async () => {
    await using server = await openTestServer();
    const stream = server.connect();
    // Nobody reads what it is told.
    for (let i = 0; i < 200; i++) stream.write(`a${i} CAPABILITY\r\n`);
    await rounds(500);
    assert.equal(stream.destroyed, false);
    server.world.clock.advance(IMAP_WRITE_MS_BEFORE_LOGIN + 1);
    await rounds(20);
    assert.equal(stream.destroyed, true);
  });

  it('is let go when more happened than may wait for it', async () => {
    await using server = await openTestServer();
    const stream = server.connect();
    const client = new LineClient(stream);
    await client.line();
    await client.command(`a ${RIGHT}`);
    for (let i = 0; i <= 10_000; i += 500) {
      const names = Array.from({ length: 500 }, (_, n) =>
        server.world.execute(ALICE, {
          type: n % 2 === 0 ? 'SubscribeMailbox' : 'UnsubscribeMailbox',
          name: 'ghost',
        }),
      );
      await Promise.all(names);
    }
    assert.match((await client.line()) ?? '', /^\* BYE /);
  });
});
