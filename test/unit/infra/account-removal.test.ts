/** The removal of an account, to the last octet, and however often it is cut short. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CAUSE } from '../../support/lane-ports.ts';
import {
  ALICE,
  BOB,
  endAfter,
  folderOf,
  newRemains,
  openRemovalDesk,
  withTwoAccounts,
  type Remains,
  type RemovalDesk,
} from '../../support/removal-desk.ts';
import { temporaryDirectory } from '../../support/temporary.ts';
import { accountStream } from '#domain/log/streams';
import { isRefusal } from '#domain/values/decision';
import { INBOX } from '#domain/values/mailbox-name';
import { suppressionsOfAll } from '#projections/server-suppressions';
import { listedRetiredWebhooks, webhookCount, webhookIds } from '#projections/webhook-lists';
import { ServerBooks } from '#infra/server-books';

const DAY_MS = 24 * 3_600_000;
const PAGE = { sort: 'queued', ascending: true, limit: 10 } as const;

interface Stage extends AsyncDisposable {
  readonly remains: Remains;
  readonly desk: RemovalDesk;
  /** Ends this server and begins another one. */
  restart(): Promise<RemovalDesk>;
}

async function openStage(): Promise<Stage> {
  const directory = await temporaryDirectory();
  const remains = newRemains(directory.path);
  const first = await openRemovalDesk(remains);
  let current = first;
  await withTwoAccounts(remains, first);
  return {
    remains,
    desk: first,
    async restart() {
      await current.stop();
      remains.ports.log.before = undefined;
      current = await openRemovalDesk(remains);
      return current;
    },
    async [Symbol.asyncDispose]() {
      await current.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Notices in the Inbox of the postmaster. */
async function noticesOf({ lanes }: RemovalDesk): Promise<number> {
  return (await lanes.account(ALICE)).mailboxNamed(INBOX)?.exists ?? 0;
}

async function assertErased({ remains }: Stage, { directory, books }: RemovalDesk): Promise<void> {
  assert.deepEqual([...directory.state.accounts.keys()], [ALICE]);
  assert.equal(directory.state.removed.size, 0);
  assert.equal(directory.state.nextAccountId, BOB + 1);
  assert.ok(!existsSync(folderOf(remains, BOB)));
  assert.deepEqual([...remains.secrets], []);
  const { log } = remains.ports;
  assert.ok(!(await log.streams()).has(accountStream(BOB)));
  const replayed = await ServerBooks.open(`${remains.dir}/replayed.db`, remains.ports);
  assert.deepEqual(books.digests(), replayed.digests());
  replayed.close();
}

/** Until nothing more happens at once. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the removal of an account', () => {
  it('queue 35, operations 32: fails its mail, empties its lists, and leaves nothing', async () => {
    await using stage = await openStage();
    const { desk } = stage;
    await desk.submit('a@other.example', 'b@other.example');
    await desk.submit('c@other.example');
    let isOver = false;
    desk.live.of(BOB).subscribe({ complete: () => (isOver = true) });
    assert.deepEqual(await desk.removal.remove(BOB, CAUSE), { state: 'erased' });
    assert.ok(isOver, 'connections hear of it');
    assert.equal(await noticesOf(desk), 3);
    assert.deepEqual(
      desk.books.read((sql) => suppressionsOfAll(sql, undefined)),
      [],
    );
    await assertErased(stage, desk);
    await assert.rejects(desk.lanes.account(BOB), /The account was removed/);
  });

  it('operations 32: is refused for the postmaster, and for nobody', async () => {
    await using stage = await openStage();
    const { removal } = stage.desk;
    assert.partialDeepStrictEqual(await removal.remove(ALICE, CAUSE), {
      refused: 'AccountIsPostmaster',
    });
    assert.partialDeepStrictEqual(await removal.remove(7, CAUSE), { refused: 'NoSuchAccount' });
  });

  it('queue 35: keeps the history for as long as it was to be kept', async () => {
    await using stage = await openStage();
    const { desk, remains } = stage;
    const changes = { keepRetiredMs: DAY_MS };
    const command = { type: 'ChangeAccountSettings', accountId: BOB, changes } as const;
    await desk.directory.execute(command, CAUSE);
    await desk.submit('a@other.example');
    assert.deepEqual(await desk.removal.remove(BOB, CAUSE), { state: 'removed' });
    const [listed] = [desk.queue.retired({ account: 'bob' }, PAGE)].flat();
    assert.partialDeepStrictEqual(listed, { account: 'bob', outcome: 'canceled' });

    const again = await stage.restart();
    again.removal.resume();
    remains.ports.clock.advance(1000);
    await settle();
    assert.deepEqual([...again.directory.state.removed.keys()], [BOB]);
    remains.ports.clock.advance(DAY_MS + 1);
    await again.execute(BOB, { type: 'ForgetRetired' });
    remains.ports.clock.advance(3_600_000);
    await settle();
    await again.removal.stop();
    await assertErased(stage, again);
  });
});

describe('the removal of an account that has others called', () => {
  it('queue 35: cancels its webhooks, and makes none for the mail that fails', async () => {
    await using stage = await openStage();
    const { desk } = stage;
    const changes = {
      outgoingWebhook: { url: 'https://app.example.org/out', events: [] },
      incomingWebhook: { url: 'https://app.example.org/in' },
      keepRetiredHooksMs: DAY_MS,
    };
    const command = { type: 'ChangeAccountSettings', accountId: BOB, changes } as const;
    assert.ok(!isRefusal(await desk.directory.execute(command, CAUSE)));
    const [first = 0] = await desk.submit('a@other.example', 'b@other.example');
    await desk.execute(BOB, { type: 'DropMessages', queueIds: [first] });
    assert.equal(desk.books.read(webhookCount), 1);
    assert.deepEqual(await desk.removal.remove(BOB, CAUSE), { state: 'removed' });
    assert.equal(desk.books.read(webhookCount), 0);
    const retired = desk.books.read((sql) => listedRetiredWebhooks(sql, {}, PAGE));
    assert.deepEqual(
      retired.map(({ outcome }) => outcome),
      ['canceled'],
    );
  });

  it('queue 35: waits for a call that is under way', async () => {
    await using stage = await openStage();
    const { desk, remains } = stage;
    const changes = { outgoingWebhook: { url: 'https://app.example.org/out', events: [] } };
    await desk.directory.execute({ type: 'ChangeAccountSettings', accountId: BOB, changes }, CAUSE);
    const [queueId = 0] = await desk.submit('a@other.example');
    await desk.execute(BOB, { type: 'DropMessages', queueIds: [queueId] });
    const [{ hookId } = { hookId: 0 }] = desk.books.read((sql) => webhookIds(sql, {}, 0, 1));
    await desk.execute(BOB, { type: 'StartWebhookAttempt', hookId, draw: 0 });
    const removing = desk.removal.remove(BOB, CAUSE);
    await settle();
    assert.ok(desk.directory.state.accounts.has(BOB));
    const answer = { code: 200, error: '', response: '', durationMs: 1 };
    await desk.execute(BOB, { type: 'FinishWebhookAttempt', hookId, attempt: 1, answer });
    await settle();
    remains.ports.clock.advance(1_000);
    assert.deepEqual(await removing, { state: 'erased' });
    await assertErased(stage, desk);
  });
});

describe('the removal of an account with an attempt under way', () => {
  const start = { type: 'StartAttempt', nextAttemptAt: 2e12, transport: '' } as const;
  const finish = { type: 'FinishAttempt', attempt: 1, attemptsMax: 8 } as const;

  it('queue 35: waits for it, and a delivery wins', async () => {
    await using stage = await openStage();
    const { desk, remains } = stage;
    const [queueId = 0] = await desk.submit('a@other.example');
    await desk.execute(BOB, { ...start, queueIds: [queueId] });
    const removing = desk.removal.remove(BOB, CAUSE);
    await settle();
    remains.ports.clock.advance(5_000);
    await settle();
    assert.ok(desk.directory.state.accounts.has(BOB));
    const reply = { code: 250, enhancedCode: '2.0.0', text: 'taken' };
    await desk.execute(BOB, { ...finish, queueId, outcome: { type: 'delivered', reply } });
    assert.deepEqual(await removing, { state: 'erased' });
    assert.equal(await noticesOf(desk), 0);
    await assertErased(stage, desk);
  });

  it('queue 35: goes on when whoever asked has heard that it takes longer', async () => {
    await using stage = await openStage();
    const { desk, remains } = stage;
    const [queueId = 0] = await desk.submit('a@other.example');
    await desk.execute(BOB, { ...start, queueIds: [queueId] });
    const removing = desk.removal.remove(BOB, CAUSE);
    for (let seconds = 0; seconds < 30; seconds++) {
      await settle();
      remains.ports.clock.advance(1_000);
    }
    assert.deepEqual(await removing, { state: 'closed' });
    const reply = { code: 451, enhancedCode: '4.0.0', text: 'later' };
    const outcome = { type: 'failed', reply, permanent: false } as const;
    await desk.execute(BOB, { ...finish, queueId, outcome });
    assert.deepEqual(await desk.removal.remove(BOB, CAUSE), { state: 'erased' });
    await assertErased(stage, desk);
  });
});

describe('a removal that is cut short', () => {
  it('queue 35: says so, and goes on when it is asked for again', async () => {
    await using stage = await openStage();
    const { desk, remains } = stage;
    await desk.submit('a@other.example');
    endAfter(remains, 2);
    await assert.rejects(desk.removal.remove(BOB, CAUSE), /The log is gone/);
    remains.ports.log.before = undefined;
    assert.ok(desk.directory.state.closed.has(BOB));
    assert.deepEqual(await desk.removal.remove(BOB, CAUSE), { state: 'erased' });
    await assertErased(stage, desk);
  });

  it('queue 35: is finished by the next start, wherever it was', async () => {
    let wasWhole = false;
    for (let appends = 1; !wasWhole; appends++) {
      await using stage = await openStage();
      const { desk, remains } = stage;
      await desk.submit('a@other.example', 'b@other.example');
      endAfter(remains, appends);
      const fate = await desk.removal.remove(BOB, CAUSE).catch(() => 'cut short');
      wasWhole = typeof fate === 'object';
      const again = await stage.restart();
      again.removal.resume();
      await settle();
      remains.ports.clock.advance(1_000);
      await settle();
      await again.removal.stop();
      await assertErased(stage, again);
      const notices = await noticesOf(again);
      assert.ok(notices >= 2, `${notices} notices after ${appends} appends`);
    }
  });
});
