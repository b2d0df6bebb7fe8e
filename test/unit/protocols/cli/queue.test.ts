/** `daybook queue …`, from the words on the command line to the events of the accounts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALICE, BOB, queueDesk, type QueueDesk } from '../../../support/queue-desk.ts';
import type { QueueId } from '#domain/values/ids';

const HOUR = 3_600_000;

/** Two of alice, one of bob, a minute apart. */
async function threeItems(desk: QueueDesk): Promise<readonly [QueueId, QueueId, QueueId]> {
  const [first = 0] = await desk.submit(ALICE, ['You@held.example'], {
    mailFrom: 'alice+a@localhost',
  });
  desk.clock.advance(60_000);
  const [second = 0] = await desk.submit(ALICE, ['x@other.example']);
  desk.clock.advance(60_000);
  const [third = 0] = await desk.submit(BOB, ['y@held.example'], { mailFrom: 'bob@localhost' });
  return [first, second, third];
}

async function idsOf(desk: QueueDesk, ...args: readonly string[]): Promise<readonly unknown[]> {
  return (await desk.records('list', '--asc', ...args)).map(({ ID }) => ID);
}

describe('queue list', () => {
  it('prints a line for each message', async () => {
    await using desk = await queueDesk();
    assert.deepEqual(await desk.run('list'), { code: 0, out: ['(none)'], err: [] });
    const [, second] = await threeItems(desk);
    await desk.attempt(second, 451);
    const { out } = await desk.run('list', '--account', 'Alice');
    assert.deepEqual(
      out.map((line) => line.split('\t')),
      [
        [
          String(second),
          '2026-01-01T00:01:00.000Z',
          'alice',
          'alice@localhost',
          'x@other.example',
          '1',
          '2026-01-01T00:09:30.000Z',
          '2026-01-01T00:02:00.000Z',
          'said 451',
          '',
          '',
        ],
        [
          String(second - 1),
          '2026-01-01T00:00:00.000Z',
          'alice',
          'alice+a@localhost',
          'You@held.example',
          '0',
          '2026-01-01T00:00:00.000Z',
          '',
          '',
          '',
          '',
        ],
      ],
    );
  });

  it('in JSON has all that is known of a message (queue 4)', async () => {
    await using desk = await queueDesk();
    const [id = 0] = await desk.submit(ALICE, ['a@[192.0.2.1]', 'b@xn--bcher-kva.example'], {
      options: { requireTls: true, futureRelease: 'for;60', extra: { order: '17' } },
    });
    await desk.attempt(id, 451);
    const [one, two] = await desk.records('list', '--sort', 'queued', '--asc');
    assert.deepEqual(one, {
      ID: id,
      BaseID: id,
      Queued: '2026-01-01T00:00:00.000Z',
      SenderAccount: 'alice',
      SenderLocalpart: 'alice',
      SenderDomainStr: 'localhost',
      FromID: '',
      RecipientLocalpart: 'a',
      RecipientDomain: { IP: '192.0.2.1', Domain: { ASCII: '', Unicode: '' } },
      RecipientDomainStr: '[192.0.2.1]',
      Attempts: 1,
      MaxAttempts: 0,
      DialedIPs: null,
      LastAttempt: '2026-01-01T00:00:00.000Z',
      Results: [
        {
          Start: '2026-01-01T00:00:00.000Z',
          Duration: 0,
          Success: false,
          Code: 451,
          Secode: '1.0',
          Error: 'said 451',
          Remote: null,
          Actor: '',
        },
      ],
      Has8bit: false,
      SMTPUTF8: false,
      IsDMARCReport: false,
      IsTLSReport: false,
      Size: 100,
      MessageID: '<1@localhost>',
      Subject: '',
      Transport: '',
      RequireTLS: true,
      FutureReleaseRequest: 'for;60',
      Extra: { order: '17' },
      Hold: false,
      SenderDomain: { IP: '', Domain: { ASCII: 'localhost', Unicode: '' } },
      NextAttempt: '2026-01-01T00:07:30.000Z',
    });
    assert.partialDeepStrictEqual(two, {
      RecipientDomainStr: 'bücher.example',
      RecipientDomain: { Domain: { ASCII: 'xn--bcher-kva.example', Unicode: 'bücher.example' } },
    });
  });

  it('keeps what meets all conditions (queue 27, operations 42)', async () => {
    await using desk = await queueDesk('smart');
    const [first, second, third] = await threeItems(desk);
    assert.deepEqual(await idsOf(desk), [first, second, third]);
    assert.deepEqual(await idsOf(desk, '--from', 'alice+', '--to', 'held.example'), [first]);
    assert.deepEqual(await idsOf(desk, '--to', '@HELD.example'), [first, third]);
    assert.deepEqual(await idsOf(desk, '--submitted', '<-90s'), [first]);
    assert.deepEqual(await idsOf(desk, '--submitted', '>-90s'), [second, third]);
    await desk.run('schedule', '--ids', String(second), '2h');
    assert.deepEqual(await idsOf(desk, '--nextattempt', '>1h'), [second]);
    assert.deepEqual(await idsOf(desk, '--nextattempt', '<1h'), [first, third]);
    assert.deepEqual(await idsOf(desk, '--ids', '999'), []);
    await desk.run('transport', 'smart', '--ids', `${first},${second}`);
    assert.deepEqual(await idsOf(desk, '--transport', ''), [third]);
    assert.deepEqual(await idsOf(desk, '--transport', 'smart', '-n', '1'), [first]);
    await desk.run('hold', '--ids', String(third));
    assert.deepEqual(await idsOf(desk, '--hold', 'true'), [third]);
    assert.deepEqual(await idsOf(desk, '--hold', 'false', '--sort', 'queued'), [first, second]);
    const wrong = await desk.run('list', '--account', 'nobody');
    assert.deepEqual(wrong.err, ['daybook: The account does not exist: nobody']);
  });

  it('takes no bound that is none (queue 27, operations 47)', async () => {
    await using desk = await queueDesk();
    for (const bound of ['now', '<bad', '1h', '>']) {
      const { code, err } = await desk.run('list', '--submitted', bound);
      assert.equal(code, 2, bound);
      assert.match(err[0] ?? '', /--submitted/);
    }
    assert.equal((await desk.run('list', '--sort', 'Bogus')).code, 2);
  });

  it('goes on behind a message, in pages that have each once (queue 28)', async () => {
    await using desk = await queueDesk();
    const ids = await desk.submit(
      ALICE,
      Array.from({ length: 1100 }, (_, i) => `r${i}@example.org`),
    );
    assert.deepEqual(await idsOf(desk), ids);
    assert.deepEqual(
      (await desk.records('list')).map(({ ID }) => ID),
      ids.toReversed(),
    );
    const last = '2026-01-01T00:00:00.000Z';
    const behind = ['--last-id', String(ids[99]), '--last', last, '-n', '100'];
    assert.deepEqual(await idsOf(desk, ...behind), ids.slice(100, 200));
    const { code, err } = await desk.run('list', '--last-id', '5');
    assert.equal(code, 1);
    assert.match(err[0] ?? '', /last must be a time/);
  });
});

describe('changes of what waits', () => {
  it('need a filter, or a word that all is meant (operations 44)', async () => {
    await using desk = await queueDesk();
    await threeItems(desk);
    const commands = [['hold'], ['unhold'], ['schedule', '1h'], ['fail'], ['drop']];
    for (const command of [...commands, ['transport', ''], ['requiretls', 'no'], ['drop', '-n1']]) {
      const { code, err } = await desk.run(...command);
      assert.equal(code, 1);
      assert.match(err[0] ?? '', /There is no filter/);
    }
    assert.deepEqual((await desk.run('hold', '--all')).out, ['3 messages changed']);
    assert.deepEqual((await desk.run('hold', '--all', '--json')).out, ['{"affected":0}']);
    assert.deepEqual((await desk.run('unhold', '--account', 'bob')).out, ['1 messages changed']);
  });

  it('move the next attempt (queue 23, operations 43)', async () => {
    await using desk = await queueDesk();
    const [first, second] = await threeItems(desk);
    const next = async (): Promise<readonly number[]> =>
      (await desk.records('list', '--account', 'alice', '--sort', 'queued', '--asc')).map(
        ({ NextAttempt }) => Date.parse(String(NextAttempt)) - desk.clock.now(),
      );
    assert.deepEqual(await next(), [-120_000, -60_000]);
    const run = await desk.run('schedule', '1h', '--account', 'alice');
    assert.deepEqual(run, { code: 0, out: ['2 message(s) rescheduled'], err: [] });
    assert.deepEqual(await next(), [HOUR - 120_000, HOUR - 60_000]);
    await desk.run('schedule', '-1h30m', '--ids', String(first));
    assert.deepEqual(await next(), [-HOUR / 2 - 120_000, HOUR - 60_000]);
    await desk.run('schedule', '--now', '0s', '--ids', `${first},${second}`);
    assert.deepEqual(await next(), [0, 0]);
    assert.deepEqual(desk.books.due('other.example', desk.clock.now(), 9), [
      { accountId: ALICE, queueId: second },
    ]);
    for (const time of ['1x', 'soon', '']) {
      assert.equal((await desk.run('schedule', time, '--all')).code, 2, time);
    }
  });

  it('leave what is held where it is (queue 23)', async () => {
    await using desk = await queueDesk();
    const [first] = await threeItems(desk);
    await desk.run('hold', '--ids', String(first));
    await desk.run('schedule', '--now', '0', '--ids', String(first));
    assert.equal(desk.books.dueDestinations(desk.clock.now(), 9).includes('held.example'), true);
    assert.deepEqual(
      desk.books.due('held.example', desk.clock.now(), 9).map(({ accountId }) => accountId),
      [BOB],
    );
  });

  it('know the transports that there are (queue 16, operations 45)', async () => {
    await using desk = await queueDesk('smart');
    const nosuch = await desk.run('transport', 'nosuch', '--all');
    assert.deepEqual(
      [nosuch.code, nosuch.err],
      [1, ['daybook: No transport has this name: nosuch']],
    );
    await threeItems(desk);
    assert.deepEqual((await desk.run('transport', 'smart', '--all')).out, ['3 messages changed']);
    assert.deepEqual((await desk.run('transport', '', '--to', 'held')).out, ['2 messages changed']);
  });

  it('set what is required of TLS', async () => {
    await using desk = await queueDesk();
    const [first] = await threeItems(desk);
    const value = async (): Promise<unknown> =>
      (await desk.records('list', '--ids', String(first)))[0]?.['RequireTLS'];
    for (const [word, wanted] of [
      ['yes', true],
      ['no', false],
      ['default', null],
    ] as const) {
      await desk.run('requiretls', word, '--ids', String(first));
      assert.equal(await value(), wanted);
    }
    assert.equal((await desk.run('requiretls', 'maybe', '--all')).code, 2);
  });

  it('take the lowest ids when only so many are meant', async () => {
    await using desk = await queueDesk();
    const [first] = await threeItems(desk);
    await desk.run('drop', '--to', 'held', '-n', '1');
    assert.equal((await idsOf(desk)).includes(first), false);
    assert.equal((await idsOf(desk)).length, 2);
  });
});

describe('ending what waits', () => {
  it('fail tells the sender, and history tells who did it (queue 24, operations 46)', async () => {
    await using desk = await queueDesk();
    await desk.set(ALICE, { keepRetiredMs: HOUR });
    const [first] = await threeItems(desk);
    const run = await desk.run('fail', '--ids', String(first));
    assert.deepEqual(run.out, ['1 message(s) marked as failed']);
    const again = await desk.run('fail', '--ids', String(first));
    assert.deepEqual([again.code, again.out], [0, ['0 message(s) marked as failed']]);
    const account = await desk.lanes.account(ALICE);
    assert.equal(account.mailboxNamed('Inbox')?.exists, 1);
    assert.deepEqual(account.suppressions(), []);
    const [notice] = [...desk.bodies.linked.values()].map((body) => body.toString());
    assert.match(notice ?? '', /Status: 5\.0\.0 \(delivery canceled by admin\)/);
    const [record] = await desk.records('retired', 'list');
    assert.partialDeepStrictEqual(record, {
      Success: false,
      Outcome: 'canceled',
      LastAttempt: '2026-01-01T00:02:00.000Z',
      Results: [{ Code: 0, Error: 'delivery canceled by admin', Actor: 'control:administrator' }],
    });
  });

  it('drop tells nobody (queue 24, operations 46)', async () => {
    await using desk = await queueDesk();
    const [first] = await threeItems(desk);
    assert.deepEqual((await desk.run('drop', '--ids', String(first))).out, [
      '1 message(s) dropped',
    ]);
    assert.equal((await desk.lanes.account(ALICE)).mailboxNamed('Inbox')?.exists, 0);
    assert.equal((await desk.run('drop', '--ids', '999')).out[0], '0 message(s) dropped');
  });

  it('takes long queues in portions, over all accounts', async () => {
    await using desk = await queueDesk();
    const many = (n: number): readonly string[] =>
      Array.from({ length: n }, (_, i) => `r${i}@example.org`);
    await desk.submit(ALICE, many(450));
    await desk.submit(BOB, many(250));
    assert.deepEqual((await desk.run('drop', '--all')).out, ['700 message(s) dropped']);
    assert.deepEqual(await idsOf(desk), []);
  });

  it('waits for an attempt that runs (queue 25)', async () => {
    await using desk = await queueDesk();
    const [first] = await threeItems(desk);
    const start = { type: 'StartAttempt', queueIds: [first], nextAttemptAt: 9e12 } as const;
    await desk.lanes.execute(ALICE, { ...start, transport: '' }, { actor: 'test' });
    assert.deepEqual((await desk.run('drop', '--ids', String(first))).out, [
      '1 message(s) dropped',
    ]);
    assert.equal((await idsOf(desk, '--ids', String(first))).length, 1);
    await desk.attempt(first, 451);
    assert.deepEqual(await idsOf(desk, '--ids', String(first)), []);
  });
});

describe('queue dump', () => {
  it('prints what goes to the next hop (queue 26)', async () => {
    await using desk = await queueDesk();
    const octets = Buffer.from('Subject: \xe9\r\n\r\nhello\r\n', 'latin1');
    const staged = await desk.bodies.stage(
      (async function* () {
        yield octets;
      })(),
      1000,
    );
    await desk.bodies.link(staged, ALICE);
    const [id = 0] = await desk.submit(ALICE, ['a@example.org'], { body: staged.hash });
    const expected = `Received: by localhost\r\n${octets.toString('latin1')}`;
    assert.deepEqual((await desk.run('dump', String(id))).out, [expected]);
    for (const unknown of [id + 1, 999, 9 * 2 ** 32]) {
      const { code, err } = await desk.run('dump', String(unknown));
      assert.equal(code, 1);
      assert.deepEqual(err, [`daybook: The message is not in the queue: ${unknown}`]);
    }
    assert.equal((await desk.run('dump', 'x')).code, 2);
  });
});

describe('queue retired', () => {
  async function retired(desk: QueueDesk): Promise<readonly [QueueId, QueueId, QueueId]> {
    await desk.set(ALICE, { keepRetiredMs: 72 * HOUR });
    await desk.set(BOB, { keepRetiredMs: 72 * HOUR });
    const [first, second, third] = await threeItems(desk);
    await desk.attempt(first, 250);
    await desk.attempt(second, 554);
    desk.clock.advance(2 * HOUR);
    await desk.attempt(third, 554);
    return [first, second, third];
  }
  const listed = async (desk: QueueDesk, ...args: readonly string[]): Promise<unknown[]> =>
    (await desk.records('retired', 'list', '--asc', ...args)).map(({ ID }) => ID);

  it('list keeps what meets all conditions, with the true sender (queue 29)', async () => {
    await using desk = await queueDesk();
    const [first, second, third] = await retired(desk);
    assert.deepEqual(await listed(desk), [first, second, third]);
    assert.deepEqual(await listed(desk, '--result', 'success'), [first]);
    const before = ['--result', 'failure', '--lastactivity', '<-1h'];
    assert.deepEqual(await listed(desk, ...before), [second]);
    assert.deepEqual(await listed(desk, ...before, '--from', 'bob'), []);
    assert.deepEqual(await listed(desk, '--from', 'bob@localhost'), [third]);
    assert.deepEqual(await listed(desk, '--sort', 'queued', '-n', '2'), [first, second]);
    const { out } = await desk.run('retired', 'list', '--result', 'success');
    assert.deepEqual(out[0]?.split('\t').slice(2, 7), [
      'alice',
      'alice+a@localhost',
      'You@held.example',
      '1',
      'delivered',
    ]);
    assert.deepEqual((await desk.run('retired', 'list', '--ids', '1')).out, ['(none)']);
  });

  it('print has all that is known, or says that nothing is (queue 5, operations 49)', async () => {
    await using desk = await queueDesk();
    const [first] = await retired(desk);
    const { out } = await desk.run('retired', 'print', String(first));
    assert.partialDeepStrictEqual(JSON.parse(out.join('')), {
      ID: first,
      Success: true,
      Results: [{ Success: true, Code: 250, Secode: '1.0', Error: '' }],
      RecipientAddress: 'You@held.example',
      LastActivity: '2026-01-01T00:02:00.000Z',
      KeepUntil: '2026-01-04T00:02:00.000Z',
    });
    const unknown = await desk.run('retired', 'print', '999');
    assert.deepEqual(
      [unknown.code, unknown.err],
      [1, ['daybook: No such message is remembered: 999']],
    );
  });
});

describe('queue holdrules', () => {
  it('add holds what waits and what comes, in all accounts (queue 8, operations 50)', async () => {
    await using desk = await queueDesk();
    const [first, second, third] = await threeItems(desk);
    const added = await desk.run('holdrules', 'add', '--recipientdom', 'Held.example');
    assert.deepEqual(added.out, ['hold rule 1, 2 messages changed']);
    assert.deepEqual(await idsOf(desk, '--hold', 'true'), [first, third]);
    const [fourth, fifth] = await desk.submit(BOB, ['z@held.example', 'z@other.example']);
    assert.deepEqual(await idsOf(desk, '--hold', 'true'), [first, third, fourth]);
    assert.deepEqual(await idsOf(desk, '--hold', 'false'), [second, fifth]);
    assert.deepEqual((await desk.run('holdrules', 'list')).out, ['1\t\t\theld.example']);
    assert.deepEqual(await desk.records('holdrules', 'list'), [
      { ID: 1, Account: '', Sender: '', Recipient: 'held.example' },
    ]);
  });

  it('remove leaves what is held where it is (queue 8, 9)', async () => {
    await using desk = await queueDesk();
    await threeItems(desk);
    const { out } = await desk.run('holdrules', 'add');
    assert.deepEqual(out, ['hold rule 1, 3 messages changed']);
    assert.deepEqual(desk.books.dueDestinations(desk.clock.now(), 9), []);
    assert.deepEqual(await desk.run('holdrules', 'remove', '1'), { code: 0, out: [], err: [] });
    assert.equal((await idsOf(desk, '--hold', 'true')).length, 3);
    assert.deepEqual((await desk.run('holdrules', 'list')).out, ['(none)']);
    await desk.run('unhold', '--all');
    assert.deepEqual(desk.books.dueDestinations(desk.clock.now(), 9).toSorted(), [
      'held.example',
      'other.example',
    ]);
    const unknown = await desk.run('holdrules', 'remove', '99');
    assert.deepEqual(
      [unknown.code, unknown.err],
      [1, ['daybook: No hold rule has this number: 99']],
    );
  });

  it('are for accounts, addresses and domains; others are wrong (queue 9)', async () => {
    await using desk = await queueDesk();
    const [, second] = await threeItems(desk);
    await desk.run('holdrules', 'add', '--account', 'alice', '--senderdom', 'alice@localhost');
    assert.deepEqual(await idsOf(desk, '--hold', 'true'), [second]);
    const wrong = await desk.run('holdrules', 'add', '--senderdom', 'bad domain');
    assert.equal(wrong.code, 1);
    assert.match(wrong.err[0] ?? '', /sender must be a domain or an address/);
    assert.equal((await desk.run('holdrules', 'add', '--account', 'nobody')).code, 1);
  });

  it('also hold what is being queued without them', async () => {
    await using desk = await queueDesk();
    const submitted = desk.submit(ALICE, ['a@example.org']);
    const added = desk.run('holdrules', 'add');
    const [id] = await submitted;
    await added;
    assert.deepEqual(await idsOf(desk, '--hold', 'true'), [id]);
  });
});

describe('queue suppress', () => {
  it('add, lookup, list and remove by the base address (webapi 24, operations 48)', async () => {
    await using desk = await queueDesk();
    const suppress = async (...args: readonly string[]): Promise<readonly unknown[]> => {
      const { code, out, err } = await desk.run('suppress', ...args);
      return [code, ...out, ...err];
    };
    assert.deepEqual(await suppress('list'), [0, '(none)']);
    assert.deepEqual(await suppress('add', 'alice', 'A.b-c+d@B.Example'), [0]);
    assert.deepEqual(await suppress('add', 'bob', 'ab@b.example'), [0]);
    const at = '2026-01-01T00:00:00.000Z';
    const ofAlice = `alice\tab@b.example\tA.b-c+d@b.example\tmanual\t${at}\tadded by an administrator`;
    const ofBob = `bob\tab@b.example\tab@b.example\tmanual\t${at}\tadded by an administrator`;
    assert.deepEqual(await suppress('list'), [0, ofAlice, ofBob]);
    assert.deepEqual(await suppress('list', '--account', 'alice'), [0, ofAlice]);
    assert.deepEqual(await suppress('lookup', 'AB+zzz@b.example'), [0, ofAlice, ofBob]);
    assert.deepEqual(await suppress('lookup', '--account', 'bob', 'a.b@b.example'), [0, ofBob]);
    assert.deepEqual(await suppress('lookup', 'abx@b.example'), [0, 'not present']);
    assert.match(String(await suppress('add', 'alice', 'aB@b.example')), /on the .* list already/);
    assert.deepEqual(await suppress('remove', 'alice', 'aB@b.example'), [0]);
    assert.match(String(await suppress('remove', 'alice', 'ab@b.example')), /is not on the/);
    assert.match(String(await suppress('add', 'nobody', 'a@b.example')), /account does not exist/);
    assert.deepEqual(await suppress('list'), [0, ofBob]);
  });

  it('takes addresses in domains only, and shows domains in Unicode (webapi 24)', async () => {
    await using desk = await queueDesk();
    for (const address of ['bad', 'x@[1.2.3.4]', 'a@x.example.']) {
      assert.equal((await desk.run('suppress', 'add', 'alice', address)).code, 1, address);
    }
    await desk.run('suppress', 'add', 'alice', 'é@x.example');
    await desk.run('suppress', 'add', 'alice', 'x@xn--bcher-kva.example');
    const found = await desk.records('suppress', 'lookup', 'x@bücher.example');
    assert.partialDeepStrictEqual(found, [
      { BaseAddress: 'x@bücher.example', OriginalAddress: 'x@bücher.example', Manual: true },
    ]);
    assert.equal((await desk.records('suppress', 'list')).length, 2);
  });
});
