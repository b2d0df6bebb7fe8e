/** `daybook queue webhook …`, from the words on the command line to the events of the accounts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAUSE } from '../../../support/lane-ports.ts';
import { ALICE, BOB, queueDesk, type QueueDesk } from '../../../support/queue-desk.ts';
import { isRefusal } from '#domain/values/decision';
import { serverWideId, type HookId } from '#domain/values/ids';

const URL = 'http://127.0.0.1:8080/out';
const HOUR_MS = 3_600_000;

/** Both accounts are told of everything, and remember it. */
async function hookDesk(): Promise<QueueDesk> {
  const desk = await queueDesk();
  const target = { url: URL, authorization: 'hook-secret' };
  for (const accountId of [ALICE, BOB]) {
    await desk.set(accountId, {
      outgoingWebhook: { ...target, events: [] },
      incomingWebhook: { url: `${URL}/in` },
      keepRetiredMs: 72 * HOUR_MS,
      keepRetiredHooksMs: 72 * HOUR_MS,
    });
  }
  return desk;
}

/** A call that ends so. */
async function call(desk: QueueDesk, hookId: HookId, code: number): Promise<void> {
  const accountId = Math.floor(hookId / 2 ** 32);
  const start = { type: 'StartWebhookAttempt', hookId, draw: 0.5 } as const;
  const started = await desk.lanes.execute(accountId, start, CAUSE);
  assert.ok(!isRefusal(started));
  const { attempt } = started.answer;
  const error = code === 200 ? '' : `http status "${code}", expected 200`;
  const answer = { code, error, response: `resp-${code}`, durationMs: 2 };
  const finish = { type: 'FinishWebhookAttempt', hookId, attempt, answer } as const;
  assert.ok(!isRefusal(await desk.lanes.execute(accountId, finish, CAUSE)));
}

/** Delayed and failed mail of alice, delivered mail of bob, a minute apart. */
async function threeHooks(desk: QueueDesk): Promise<readonly [HookId, HookId, HookId]> {
  const [first = 0, second = 0] = await desk.submit(ALICE, ['a@x.example', 'b@x.example'], {
    options: { extra: { order: '17' } },
  });
  await desk.attempt(first, 451);
  desk.clock.advance(60_000);
  await desk.attempt(second, 550);
  desk.clock.advance(60_000);
  const [third = 0] = await desk.submit(BOB, ['c@x.example']);
  await desk.attempt(third, 250);
  return [serverWideId(ALICE, 1), serverWideId(ALICE, 2), serverWideId(BOB, 1)];
}

/** The earliest first. */
async function idsOf(desk: QueueDesk, ...flags: readonly string[]): Promise<readonly unknown[]> {
  return (await desk.records('webhook', 'list', '--asc', ...flags)).map(({ ID }) => ID);
}

describe('queue webhook list', () => {
  it('prints a line for each, what is due last first', async () => {
    await using desk = await hookDesk();
    assert.deepEqual(await desk.run('webhook', 'list'), { code: 0, out: ['(none)'], err: [] });
    const [first, second, third] = await threeHooks(desk);
    await call(desk, first, 500);
    const { out } = await desk.run('webhook', 'list');
    const [message] = await desk.records('list', '--account', 'alice');
    assert.deepEqual(
      out.map((line) => line.split('\t')),
      [
        [
          String(first),
          '2026-01-01T00:00:00.000Z',
          'alice',
          'delayed',
          String(message?.['ID']),
          '1',
          '2026-01-01T00:03:00.000Z',
          'http status "500", expected 200',
          URL,
        ],
        [
          String(third),
          '2026-01-01T00:02:00.000Z',
          'bob',
          'delivered',
          String(serverWideId(BOB, 1)),
          '0',
          '2026-01-01T00:02:00.000Z',
          '',
          URL,
        ],
        [
          String(second),
          '2026-01-01T00:01:00.000Z',
          'alice',
          'failed',
          String(serverWideId(ALICE, 2)),
          '0',
          '2026-01-01T00:01:00.000Z',
          '',
          URL,
        ],
      ],
    );
  });

  it('in JSON has all that is known, but for the Authorization', async () => {
    await using desk = await hookDesk();
    const [first] = await threeHooks(desk);
    await call(desk, first, 500);
    const [record] = await desk.records('webhook', 'list', '--ids', String(first));
    const expected = {
      ID: first,
      QueueMsgID: serverWideId(ALICE, 1),
      FromID: '',
      MessageID: '<1@localhost>',
      Subject: '',
      Extra: { order: '17' },
      Account: 'alice',
      URL,
      Authorization: true,
      IsIncoming: false,
      OutgoingEvent: 'delayed',
      Submitted: '2026-01-01T00:00:00.000Z',
      Attempts: 1,
      Results: [
        {
          Start: '2026-01-01T00:02:00.000Z',
          Duration: 2_000_000,
          URL,
          Success: false,
          Code: 500,
          Error: 'http status "500", expected 200',
          Response: 'resp-500',
          Actor: '',
        },
      ],
      NextAttempt: '2026-01-01T00:03:00.000Z',
    };
    assert.deepEqual(record, expected);
    const printed = await desk.run('webhook', 'print', String(first), '--json');
    const { Payload, ...same } = JSON.parse(printed.out[0] ?? '');
    assert.deepEqual(same, expected);
    assert.partialDeepStrictEqual(JSON.parse(Payload), {
      Event: 'delayed',
      SMTPCode: 451,
      Error: 'said 451',
      Extra: { order: '17' },
    });
    const readable = await desk.run('webhook', 'print', String(first));
    assert.equal(JSON.parse(readable.out[0] ?? '').Payload.Event, 'delayed');
    assert.doesNotMatch([...printed.out, ...readable.out].join(), /hook-secret/);
  });

  it('queue 30: is narrowed by event, account, number and time', async () => {
    await using desk = await hookDesk();
    const [first, second, third] = await threeHooks(desk);
    await desk.lanes.execute(
      BOB,
      {
        type: 'DeliverMessage',
        mailbox: 'Inbox',
        message: {
          body: 'ab'.repeat(32),
          prefix: 'Return-Path: <>\r\n',
          sizeBytes: 100,
          flags: [],
          receivedAt: desk.clock.now(),
          zoneMinutes: 0,
        },
        arrival: { mailFrom: '', rcptTo: 'bob@x', helo: 'x', ip: '', tls: '', receipt: '1' },
      },
      CAUSE,
    );
    const arrived = serverWideId(BOB, 2);
    const cases = [
      [[], [first, second, third, arrived]],
      [['--event', 'incoming'], [arrived]],
      [['--event', 'delayed'], [first]],
      [
        ['--account', 'BOB'],
        [third, arrived],
      ],
      [
        ['--ids', `${first},${third},999`],
        [first, third],
      ],
      [
        ['-n', '2'],
        [first, second],
      ],
      [
        ['--submitted', '<-30s'],
        [first, second],
      ],
      [
        ['--nextattempt', '>-90s'],
        [second, third, arrived],
      ],
      [['--account', 'bob', '--event', 'failed'], []],
    ] as const;
    for (const [flags, ids] of cases)
      assert.deepEqual(await idsOf(desk, ...flags), ids, flags.join(' '));
    const [record] = await desk.records('webhook', 'list', '--event', 'incoming');
    assert.partialDeepStrictEqual(record, {
      QueueMsgID: 0,
      IsIncoming: true,
      OutgoingEvent: '',
      Authorization: false,
    });
    const wrong = await desk.run('webhook', 'list', '--event', 'bogus');
    assert.deepEqual(
      [wrong.code, wrong.err],
      [1, ['daybook: The field event must be incoming, or an event of mail that was sent.']],
    );
    assert.equal((await desk.run('webhook', 'list', '--account', 'carl')).code, 1);
    assert.equal((await desk.run('webhook', 'list', '--nextattempt', '1h')).code, 2);
  });

  it('queue 30: is sorted by when they were made, by either word, and comes in pages', async () => {
    await using desk = await hookDesk();
    const [first, second, third] = await threeHooks(desk);
    await desk.run('webhook', 'schedule', '1h', '--ids', String(first));
    assert.deepEqual(await idsOf(desk), [second, third, first]);
    for (const word of ['queued', 'submitted']) {
      assert.deepEqual(await idsOf(desk, '--sort', word), [first, second, third]);
      const last = ['--last-id', String(first), '--last', '2026-01-01T00:00:00.000Z'];
      assert.deepEqual(await idsOf(desk, '--sort', word, ...last), [second, third]);
    }
    const without = await desk.run('webhook', 'list', '--last-id', '1');
    assert.match(without.err.join(), /The field last must be a time/);
    assert.equal((await desk.run('webhook', 'list', '--sort', 'url')).code, 2);
  });
});

describe('changes of webhooks', () => {
  it('queue 30: move their next call, from when it is due or from now', async () => {
    await using desk = await hookDesk();
    const [first, , third] = await threeHooks(desk);
    const next = async (id: HookId): Promise<unknown> =>
      (await desk.records('webhook', 'list', '--ids', String(id)))[0]?.['NextAttempt'];
    const later = await desk.run('webhook', 'schedule', '1h', '--event', 'delayed');
    assert.deepEqual(later.out, ['1 webhook(s) rescheduled']);
    assert.equal(await next(first), '2026-01-01T01:00:00.000Z');
    await desk.run('webhook', 'schedule', '-30m', '--event', 'delayed');
    assert.equal(await next(first), '2026-01-01T00:30:00.000Z');
    const all = await desk.run('webhook', 'schedule', '--now', '10s', '--all', '--json');
    assert.deepEqual(all.out, ['{"affected":3}']);
    assert.equal(await next(third), '2026-01-01T00:02:10.000Z');
    assert.equal((await desk.run('webhook', 'schedule', '1x', '--all')).code, 2);
  });

  it('queue 30: end them, and say who did', async () => {
    await using desk = await hookDesk();
    const [first, second, third] = await threeHooks(desk);
    const canceled = await desk.run('webhook', 'cancel', '--account', 'alice', '-n', '1');
    assert.deepEqual(canceled.out, ['1 webhook(s) canceled']);
    assert.equal((await desk.run('webhook', 'cancel', '--all', '-n', '0')).code, 2, 'not all');
    assert.deepEqual(await idsOf(desk), [second, third]);
    const [record] = await desk.records('webhook', 'retired', 'list');
    assert.partialDeepStrictEqual(record, {
      ID: first,
      Success: false,
      Outcome: 'canceled',
      Results: [
        { Success: false, Code: 0, Error: 'canceled by admin', Actor: 'control:administrator' },
      ],
    });
    const gone = await desk.run('webhook', 'cancel', '--ids', String(first));
    assert.deepEqual(gone.out, ['0 webhook(s) canceled']);
  });

  it('are of all of them only when that is said', async () => {
    await using desk = await hookDesk();
    await threeHooks(desk);
    const { code, err } = await desk.run('webhook', 'cancel');
    const sentence = 'daybook: There is no filter: give one, or --all for all webhooks.';
    assert.deepEqual([code, err], [1, [sentence]]);
    assert.equal((await idsOf(desk)).length, 3);
    const all = await desk.run('webhook', 'cancel', '--all');
    assert.deepEqual(all.out, ['3 webhook(s) canceled']);
  });
});

describe('queue webhook retired', () => {
  it('shows what has ended, the latest activity first', async () => {
    await using desk = await hookDesk();
    const [first, second, third] = await threeHooks(desk);
    await call(desk, second, 200);
    desk.clock.advance(60_000);
    const [delayed] = await desk.records('list', '--account', 'alice');
    await desk.run('schedule', '--now', '0s', '--all');
    await desk.attempt(Number(delayed?.['ID']), 250);
    const ids = (await desk.records('webhook', 'retired', 'list')).map(({ ID }) => ID);
    assert.deepEqual(ids, [first, second]);
    const { out } = await desk.run('webhook', 'retired', 'list', '--sort', 'submitted', '--asc');
    assert.deepEqual(
      out.map((line) => line.split('\t')).map((row) => [row[0], row[3], row[6], row[7]]),
      [
        [String(first), 'delayed', 'superseded', '2026-01-01T00:03:00.000Z'],
        [String(second), 'failed', 'delivered', '2026-01-01T00:02:00.000Z'],
      ],
    );
    const older = await desk.records('webhook', 'retired', 'list', '--lastactivity', '<-30s');
    assert.deepEqual(
      older.map(({ ID }) => ID),
      [second],
    );
    assert.deepEqual(await desk.records('webhook', 'retired', 'list', '--event', 'expanded'), []);
    assert.deepEqual(await idsOf(desk), [third, serverWideId(ALICE, 3)]);
  });

  it('prints one with what it was superseded by, and how long it is kept', async () => {
    await using desk = await hookDesk();
    const [first] = await threeHooks(desk);
    const [delayed] = await desk.records('list', '--account', 'alice');
    await desk.run('schedule', '--now', '0s', '--all');
    await desk.attempt(Number(delayed?.['ID']), 250);
    const printed = await desk.run('webhook', 'retired', 'print', String(first), '--json');
    assert.partialDeepStrictEqual(JSON.parse(printed.out[0] ?? ''), {
      ID: first,
      Authorization: true,
      SupersededByID: serverWideId(ALICE, 3),
      Success: false,
      Outcome: 'superseded',
      KeepUntil: '2026-01-04T00:02:00.000Z',
      Results: [],
    });
    for (const [args, sentence] of [
      [['retired', 'print', '999'], 'No such webhook is remembered: 999'],
      [['print', String(first)], `No such webhook waits: ${first}`],
    ] as const) {
      const { code, err } = await desk.run('webhook', ...args);
      assert.deepEqual([code, err], [1, [`daybook: ${sentence}`]]);
    }
  });
});
