/**
 * Many conversations at once, and the end of all.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineClient } from '../../../support/line-client.ts';
import { openTestServer, type TestServer } from '../../../support/server.ts';
import { ALICE, PASSWORD } from '../../../support/world.ts';
import { modSeqAt } from '#domain/log/streams';
import { Fault } from '#domain/values/fault';
import { flagNames } from '#domain/values/flags';

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

  it('queue 35: says BYE to whoever is logged in as an account that is removed', async () => {
    await using server = await openTestServer();
    const idle = await opened(server, 'SELECT Inbox');
    idle.send('i IDLE\r\n');
    await idle.line();
    const quiet = await opened(server);
    const stranger = new LineClient(server.connect());
    await stranger.line();
    server.world.changes.end(ALICE);
    for (const client of [idle, quiet]) {
      assert.equal(await client.line(), '* BYE [ALERT] your account was removed');
      assert.equal(await client.line(), undefined);
    }
    stranger.send(`l LOGIN alice@example.org ${PASSWORD}\r\n`);
    assert.match((await stranger.line()) ?? '', /^\* BYE /);
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

  it('moves all messages or none, before everybody’s eyes (item 120)', async () => {
    await using server = await openTestServer();
    for (let i = 0; i < 6; i++) await arrive(server);
    const [mover, other] = await Promise.all([opened(server, 'SELECT Inbox'), opened(server)]);
    const counts = new Set<string>();
    const look = async (): Promise<void> => {
      const lines = await other.command('s LIST "" (Inbox Archive) RETURN (STATUS (MESSAGES))');
      const found = lines.flatMap((line) => /STATUS (\w+) \(MESSAGES (\d+)\)/.exec(line) ?? []);
      counts.add(`${found[1]} ${found[2]} ${found[4]} ${found[5]}`);
    };
    const { eventLog } = server.world;
    const append = eventLog.append.bind(eventLog);
    eventLog.append = async () => {
      await look();
      throw new Fault('DiskFull', 'There is no room.');
    };
    const failed = await mover.command('f MOVE 1:6 Archive');
    assert.match(failed.at(-1) ?? '', /^f NO \[/);
    assert.deepEqual(failed.slice(0, -1), []);
    await look();
    eventLog.append = async (...given) => {
      await look();
      const appended = await append(...given);
      await look();
      return appended;
    };
    const moved = await mover.command('m MOVE 2:5 Archive');
    assert.match(moved.at(-1) ?? '', /^m OK/);
    await look();
    assert.deepEqual([...counts].toSorted(), ['Inbox 2 Archive 4', 'Inbox 6 Archive 0']);
  });

  it('takes no mail while hardly any room is left, and the conversation goes on', async (t) => {
    await using server = await openTestServer();
    const client = await opened(server);
    t.mock.method(server.world.bodies, 'requireRoom').mock.mockImplementationOnce(async () => {
      throw new Fault('DiskFull', 'almost full');
    });
    const message = 'Subject: x\r\n\r\nz NOOP\r\n';
    const append = `APPEND Inbox {${message.length}+}\r\n${message}`;
    assert.match((await client.command(`a ${append}`)).at(-1) ?? '', /^a NO \[OVERQUOTA\] /);
    assert.match((await client.command(`b ${append}`)).at(-1) ?? '', /^b OK \[APPENDUID /);
  });

  it('asks for no message while hardly any room is left', async (t) => {
    await using server = await openTestServer();
    const client = await opened(server);
    t.mock.method(server.world.bodies, 'requireRoom').mock.mockImplementationOnce(async () => {
      throw new Fault('DiskFull', 'almost full');
    });
    assert.match(
      (await client.command('a APPEND Inbox {10}')).at(-1) ?? '',
      /^a NO \[OVERQUOTA\] /,
    );
    assert.match((await client.command('b NOOP')).at(-1) ?? '', /^b OK/);
  });

  it('changes one message from two front ends at once (item 227)', async () => {
    await using server = await openTestServer();
    await arrive(server);
    const client = await opened(server, 'SELECT Inbox (CONDSTORE)');
    const views = await server.world.views.account(ALICE);
    const { mailboxId } = views.mailboxNamed('Inbox') ?? assert.fail();
    const modSeqs: (number | undefined)[] = [];
    for (let round = 0; round < 10; round++) {
      const before = views.revision;
      const edit = { op: 'add', flags: [`web${round}`] } as const;
      const [lines, outcome] = await Promise.all([
        client.command(`a${round} STORE 1 +FLAGS.SILENT (imap${round})`),
        server.world.execute(ALICE, {
          type: 'ChangeFlags',
          mailboxId,
          uids: [[1, 1]],
          ...edit,
        }),
      ]);
      assert.match(lines.at(-1) ?? '', /^a\d OK/);
      assert.equal(views.revision, before + 2);
      modSeqs.push(outcome.modSeq);
      const [mark] = views.marks(mailboxId, [[1, 1]]);
      const told = await client.command(`f${round} FETCH 1 (FLAGS MODSEQ)`);
      const flags = mark === undefined ? [] : flagNames(mark);
      assert.ok(flags.includes(`web${round}`) && flags.includes(`imap${round}`), flags.join(' '));
      // RFC 7162 §3.1: the later of the two in the log has given the modseq.
      assert.equal(mark?.modSeq, modSeqAt(before + 2, 0));
      const line = `* 1 FETCH (FLAGS (${flags.join(' ')}) MODSEQ (${mark?.modSeq}))`;
      assert.ok(told.includes(line), told.join('\n'));
    }
    assert.equal(new Set(modSeqs).size, 10);
  });

  it('notes once that a client is ahead of the mailbox (item 195)', async () => {
    await using server = await openTestServer();
    const client = await opened(server, 'ENABLE QRESYNC');
    const status = await client.command('s STATUS Inbox (UIDVALIDITY)');
    const [, validity] = /UIDVALIDITY (\d+)/.exec(status.join('')) ?? [];
    const lines = await client.command(`a SELECT Inbox (QRESYNC (${validity} 99999))`);
    assert.ok(!lines.some((line) => /VANISHED|FETCH/.test(line)));
    const warnings = server.world.said.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ phrase }) => phrase),
      ['client is ahead of us'],
    );
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
