/** What the server does to mail that waits or has left, hold rules and suppressed addresses. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ALICE,
  BOB,
  idsOf,
  queueDesk,
  threeItems,
  type QueueDesk,
} from '../../../support/queue-desk.ts';
import type { QueueId } from '#domain/values/ids';

const HOUR = 3_600_000;

describe('queue list', () => {
  it('finds domains by labels in any letters, and localparts beside them (queue 27)', async () => {
    await using desk = await queueDesk();
    const to = ['x@xn--bcher-kva.example', 'bücher@there.example', 'Books@there.example'];
    const [first = 0, second = 0, third = 0] = await desk.submit(ALICE, to, {});
    assert.deepEqual(await idsOf(desk, '--to', 'bücher'), [first, second]);
    assert.deepEqual(await idsOf(desk, '--to', 'Bücher.example'), [first]);
    assert.deepEqual(await idsOf(desk, '--to', '@Bücher.example'), [first]);
    assert.deepEqual(await idsOf(desk, '--to', 'bücher@'), [second]);
    assert.deepEqual(await idsOf(desk, '--to', 'THERE'), [second, third]);
    assert.deepEqual(await idsOf(desk, '--to', 'books'), []);
    assert.deepEqual(await idsOf(desk, '--to', 'Books@THERE'), [third]);
    assert.deepEqual(await idsOf(desk, '--to', 'books@there'), []);
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
      {
        ID: 1,
        Account: '',
        SenderLocalpart: '',
        SenderDomainStr: '',
        RecipientLocalpart: '',
        RecipientDomainStr: 'held.example',
      },
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
    await desk.run('holdrules', 'add', '--recipientdom', 'x@Bücher.example');
    assert.deepEqual((await desk.run('holdrules', 'list')).out, [
      '1\talice\talice@localhost\t',
      '2\t\t\tx@bücher.example',
    ]);
    const [, last] = await desk.records('holdrules', 'list');
    const parts = { RecipientLocalpart: 'x', RecipientDomainStr: 'bücher.example' };
    assert.partialDeepStrictEqual(last, parts);
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
    const rest = `manual\t${at}\tadded by an administrator`;
    const ofAlice = `alice\tab@b.example\tA.b-c+d@b.example\t${rest}`;
    const ofBob = `bob\tab@b.example\tab@b.example\t${rest}`;
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

  it('what a host without a name has put on the list can be taken off (webapi 8)', async () => {
    await using desk = await queueDesk();
    for (const address of ['a.b@[192.0.2.1]', 'x@[IPv6:2001:DB8::1]']) {
      const [id = 0] = await desk.submit(ALICE, [address]);
      await desk.attempt(id, 550);
      assert.equal((await desk.records('suppress', 'lookup', address)).length, 1);
      assert.equal((await desk.run('suppress', 'remove', 'alice', address)).code, 0);
    }
    assert.deepEqual(await desk.records('suppress', 'list'), []);
  });
});
