/**
 * News that come by themselves: in order, complete, and read once for all who hear them.
 */

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { stored } from '../../../support/given.ts';
import { LineClient } from '../../../support/line-client.ts';
import { mail } from '../../../support/mail.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';
import { IMAP_DELAYED_CHANGES_MAX } from '#protocols/limits';

/** A session with Inbox open, from an address of its own. */
async function opened(server: TestServer, n: number, asked?: string): Promise<LineClient> {
  const client = new LineClient(server.connect({ ip: `192.0.${n >> 8}.${n & 255}` }));
  await client.line();
  await client.command(`l LOGIN alice@example.org ${PASSWORD}`);
  await client.command('s SELECT Inbox');
  if (asked !== undefined) await client.command(`n NOTIFY SET ${asked}`);
  return client;
}

async function appendMany(server: TestServer, count: number): Promise<void> {
  const messages = [stored()];
  const commands = Array.from({ length: count }, () =>
    server.world.execute(ALICE, { type: 'AppendMessages', mailbox: 'Inbox', messages }),
  );
  await Promise.all(commands);
}

describe('one new message', () => {
  it('is read once, however many sessions it is told to', async () => {
    await using server = await openTestServer();
    const asked = '(selected (MessageNew (UID ENVELOPE BODY.PEEK[]) MessageExpunge FlagChange))';
    const sessions = await Promise.all(
      Array.from({ length: 100 }, (_, n) => opened(server, n, asked)),
    );
    const views = await server.world.views.account(ALICE);
    const rows = mock.method(views, 'rows');
    const wire = mock.method(views, 'wire');
    const summaries = mock.method(views, 'mailbox');
    const bodies = mock.method(server.world.bodies, 'read');
    await server.world.append(ALICE, 'Inbox', { octets: mail('Subject: hello', '', 'text') });
    const told = await Promise.all(sessions.map((session) => session.until(')')));
    assert.equal(new Set(told.map((lines) => lines.join('\n'))).size, 1);
    assert.equal(told[0]?.[0], '* 1 EXISTS');
    assert.match(told[0]?.[1] ?? '', /^\* 1 FETCH \(UID 1 ENVELOPE \(NIL "hello" .*BODY\[\] \{/);
    for (const reading of [rows, wire, bodies]) assert.equal(reading.mock.callCount(), 1);
    assert.ok(summaries.mock.callCount() <= 1);
  });

  it('is sent to each by itself when it is large', async () => {
    await using server = await openTestServer();
    const asked = '(selected (MessageNew (BODY.PEEK[]) MessageExpunge))';
    const sessions = await Promise.all([1, 2].map((n) => opened(server, n, asked)));
    const octets = Buffer.alloc(2_000_000, 'a line of some length\r\n');
    await server.world.append(ALICE, 'Inbox', { octets });
    for (const session of sessions) {
      assert.equal(await session.line(), '* 1 EXISTS');
      assert.equal(await session.line(), `* 1 FETCH (BODY[] {${octets.length}}`);
    }
  });
});

describe('a thousand deliveries', () => {
  it('reach two sessions without gaps and in the same order (item 223)', async () => {
    await using server = await openTestServer();
    const told = [
      await opened(server, 1, '(selected (MessageNew (UID) MessageExpunge))'),
      await opened(server, 2, '(selected (MessageNew (UID) MessageExpunge))'),
    ];
    const idle = await opened(server, 3);
    idle.send('i IDLE\r\n');
    await idle.line();
    for (let i = 0; i < 40; i++) await appendMany(server, 25);
    const heard = await Promise.all(told.map((session) => session.until('* 1000 FETCH')));
    for (const lines of heard) {
      const uids = lines.flatMap((line) => /^\* (\d+) FETCH \(UID (\d+)\)$/.exec(line) ?? []);
      const expected = Array.from({ length: 1000 }, (_, i) => String(i + 1));
      assert.deepEqual(
        uids.filter((_, i) => i % 3 === 1),
        expected,
      );
      assert.deepEqual(
        uids.filter((_, i) => i % 3 === 2),
        expected,
      );
      rises(lines);
    }
    rises(await idle.until('* 1000 EXISTS'));
  });
});

/** The numbers of EXISTS ascend. */
function rises(lines: readonly string[]): void {
  let before = 0;
  for (const line of lines) {
    const exists = Number(/^\* (\d+) EXISTS$/.exec(line)?.[1] ?? Infinity);
    assert.ok(exists > before);
    if (exists !== Infinity) before = exists;
  }
}

describe('too many news', () => {
  it('end the telling, not the session (item 222)', async () => {
    await using server = await openTestServer();
    const asked = '(selected-delayed (MessageNew MessageExpunge FlagChange))';
    const session = await opened(server, 1, asked);
    for (let i = 0; i <= IMAP_DELAYED_CHANGES_MAX; i += 100) await appendMany(server, 100);
    assert.match((await session.line()) ?? '', /^\* OK \[NOTIFICATIONOVERFLOW\] /);
    assert.deepEqual((await session.command('a NOOP')).length, 1);
    const lines = await session.command(
      'b NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))',
    );
    assert.match(lines[0] ?? '', /^\* 11\d\d EXISTS$/);
  });
});
