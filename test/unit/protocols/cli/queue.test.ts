/** `daybook queue …`, from the words on the command line to the events of the accounts. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import {
  ALICE,
  BOB,
  idsOf,
  manyItems,
  queueDesk,
  threeItems,
  type QueueDesk,
} from '../../../support/queue-desk.ts';

const HOUR = 3_600_000;

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
      MsgPrefix: Buffer.from('Received: by localhost\r\n').toString('base64'),
      DSNUTF8: null,
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
    const ids = await manyItems(desk, ALICE, 1100, Date.UTC(2026, 5, 1));
    assert.deepEqual(await idsOf(desk), ids);
    assert.deepEqual(
      (await desk.records('list')).map(({ ID }) => ID),
      ids.toReversed(),
    );
    const last = '2026-06-01T00:00:00.000Z';
    const behind = ['--last-id', String(ids[99]), '--last', last, '-n', '100'];
    assert.deepEqual(await idsOf(desk, ...behind), ids.slice(100, 200));
    const { code, err } = await desk.run('list', '--last-id', '5');
    assert.equal(code, 1);
    assert.match(err[0] ?? '', /last must be a time/);
    for (const list of [['list'], ['retired', 'list']]) {
      const alone = await desk.run(...list, '--last', last);
      assert.equal(alone.code, 1);
      assert.match(alone.err[0] ?? '', /lastId must be the id of a record, to go with last/);
      assert.deepEqual(alone.out, []);
    }
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
    assert.equal((await desk.run('drop', '--all', '-n', '0')).code, 2, 'not all');
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
    await manyItems(desk, ALICE, 450, 0);
    await manyItems(desk, BOB, 250, 0);
    assert.deepEqual((await desk.run('drop', '--all')).out, ['700 message(s) dropped']);
    assert.deepEqual(await idsOf(desk), []);
  });

  it('waits for an attempt that runs, and tells who wanted it (queue 25)', async () => {
    await using desk = await queueDesk();
    await desk.set(ALICE, { keepRetiredMs: HOUR });
    const [first] = await threeItems(desk);
    const start = { type: 'StartAttempt', queueIds: [first], nextAttemptAt: 9e12 } as const;
    await desk.lanes.execute(ALICE, { ...start, transport: '' }, { actor: 'test' });
    assert.deepEqual((await desk.run('drop', '--ids', String(first))).out, [
      '1 message(s) dropped',
    ]);
    assert.deepEqual((await desk.run('drop', '--ids', String(first))).out, [
      '0 message(s) dropped',
    ]);
    assert.equal((await idsOf(desk, '--ids', String(first))).length, 1);
    await desk.attempt(first, 451);
    assert.deepEqual(await idsOf(desk, '--ids', String(first)), []);
    const [record] = await desk.records('retired', 'list');
    assert.partialDeepStrictEqual(record, {
      Results: [
        { Code: 451, Actor: '' },
        { Code: 0, Error: 'delivery canceled by admin', Actor: 'control:administrator' },
      ],
    });
  });
});

describe('the subject', () => {
  it('is told as it was written, as long as the message is there (queue 4)', async () => {
    await using desk = await queueDesk();
    const body = await linked(
      desk,
      'X: y\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an\r\n ALLE\r\n\r\n',
    );
    await desk.submit(ALICE, ['a@example.org'], { body });
    assert.partialDeepStrictEqual(await desk.records('list'), [{ Subject: 'Grüße an ALLE' }]);
    desk.bodies.linked.clear();
    assert.partialDeepStrictEqual(await desk.records('list'), [{ Subject: '' }]);
  });
});

/** A body of alice. */
async function linked(desk: QueueDesk, text: string): Promise<string> {
  const octets = Buffer.from(text, 'latin1');
  const staged = await desk.bodies.stage(Readable.from([octets]), octets.length);
  await desk.bodies.link(staged, ALICE);
  return staged.hash;
}

describe('queue dump', () => {
  it('prints what goes to the next hop (queue 26)', async () => {
    await using desk = await queueDesk();
    const text = 'Subject: \xe9\r\n\r\nhello\r\n';
    const body = await linked(desk, text);
    const [id = 0] = await desk.submit(ALICE, ['a@example.org'], { body });
    const expected = `Received: by localhost\r\n${text}`;
    assert.deepEqual((await desk.run('dump', String(id))).out, [expected]);
    for (const unknown of [id + 1, 999, 9 * 2 ** 32]) {
      const { code, err } = await desk.run('dump', String(unknown));
      assert.equal(code, 1);
      assert.deepEqual(err, [`daybook: The message is not in the queue: ${unknown}`]);
    }
    assert.equal((await desk.run('dump', 'x')).code, 2);
  });

  it('takes a large message in pieces (queue 26)', async () => {
    await using desk = await queueDesk();
    const text = `Subject: large\r\n\r\n${'\xe9 hello\r\n'.repeat(200_000)}`;
    const body = await linked(desk, text);
    const [id = 0] = await desk.submit(ALICE, ['a@example.org'], { body });
    const { out } = await desk.run('dump', String(id));
    assert.deepEqual([out.length, out.join('')], [3, `Received: by localhost\r\n${text}`]);
    const [json = ''] = (await desk.run('dump', String(id), '--json')).out;
    assert.equal(Buffer.from(JSON.parse(json).base64, 'base64').toString('latin1'), out.join(''));
  });
});

describe('queue pause', () => {
  it('is told with every list until somebody resumes, and is a fact', async () => {
    await using desk = await queueDesk();
    await threeItems(desk);
    const sentence = 'delivery is paused: `daybook queue resume` lets it go';
    assert.deepEqual(await desk.run('pause'), { code: 0, out: [sentence], err: [] });
    assert.deepEqual((await desk.run('list')).err, [sentence]);
    assert.deepEqual((await desk.run('webhook', 'list')).err, [sentence]);
    assert.deepEqual((await desk.run('pause', '--json')).out, ['{"Paused":true,"Reason":"asked"}']);
    assert.equal(desk.directory.isPaused(), true);
    assert.deepEqual((await desk.run('resume')).out, ['delivery goes on']);
    assert.deepEqual((await desk.run('resume', '--json')).out, ['{"Paused":false,"Reason":""}']);
    assert.deepEqual((await desk.run('list')).err, []);
  });

  it('tells that a backup was restored', async () => {
    await using desk = await queueDesk();
    const pause = { type: 'PauseDelivery', reason: 'restored' } as const;
    await desk.directory.execute(pause, { actor: 'test' });
    const { out, err } = await desk.run('list');
    assert.deepEqual(out, ['(none)']);
    assert.deepEqual(err, [
      'delivery is paused, since a backup was restored: `daybook queue resume` lets it go',
    ]);
  });
});
