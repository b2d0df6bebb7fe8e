/**
 * What a client hears while a command lasts.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineClient } from '../../../support/line-client.ts';
import { mail } from '../../../support/mail.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';

/** Alice with three messages in Inbox, which is open. */
async function opened(server: TestServer): Promise<LineClient> {
  for (let n = 1; n <= 3; n++) {
    await server.world.append(ALICE, 'Inbox', { octets: mail(`Subject: ${n}`, '', 'text') });
  }
  const client = new LineClient(server.connect());
  await client.line();
  await client.command(`g1 LOGIN alice@example.org ${PASSWORD}`);
  await client.command('g2 CREATE other');
  await client.command('g3 SELECT inbox');
  return client;
}

/** Commands are carried out when `release` is called. */
function heldBack({ world }: TestServer): { readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const execute = world.commands.execute.bind(world.commands);
  world.commands.execute = async (...args) => {
    await promise;
    return execute(...args);
  };
  return { release: resolve };
}

const rounds = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a command that lasts', () => {
  for (const [verb, last] of [
    ['STORE 1:3 +FLAGS.SILENT (\\Flagged)', 'a OK STORE done'],
    ['COPY 1:3 other', /^a OK \[COPYUID/],
    ['MOVE 1:3 other', 'a OK MOVE done'],
  ] as const) {
    it(`tells every ten seconds that it is not done: ${verb}`, async () => {
      await using server = await openTestServer();
      const client = await opened(server);
      const { release } = heldBack(server);
      client.send(`a ${verb}\r\n`);
      await rounds(10);
      for (let second = 0; second < 25; second++) server.world.clock.advance(1000);
      release();
      const lines = await client.until('a ');
      assert.deepEqual(
        lines.filter((line) => line.includes('INPROGRESS')),
        Array(2).fill('* OK [INPROGRESS ("a" 0 3)] still at it'),
      );
      assert.match(lines.at(-1) ?? '', typeof last === 'string' ? new RegExp(`^${last}$`) : last);
      // Nothing more comes when it is over.
      server.world.clock.advance(60_000);
      assert.deepEqual(await client.command('b NOOP'), ['b OK NOOP done']);
    });
  }

  it('says nothing of that when it does not last', async () => {
    await using server = await openTestServer();
    const client = await opened(server);
    const waiting = server.world.clock.waiting;
    const lines = await client.command('a UID SORT (REVERSE ARRIVAL) UTF-8 ALL');
    assert.deepEqual(lines, ['* SORT 1 2 3', 'a OK SORT done']);
    assert.equal(server.world.clock.waiting, waiting);
  });
});
