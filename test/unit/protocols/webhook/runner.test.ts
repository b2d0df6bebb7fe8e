/** Who calls webhooks: when, how many at once, and what is recorded of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, HeldReceivers, HookWorld } from '../../../support/hook-world.ts';
import { ALICE, BOB, settled } from '../../../support/smtp.ts';
import type { AccountEvent } from '#domain/log/streams';
import { Fault } from '#domain/values/fault';
import type { Commands } from '#protocols/ports';

const URL = 'http://127.0.0.1:8080/out';
const MINUTE_MS = 60_000;

type EventOf<Type> = Extract<AccountEvent, { readonly type: Type }>;

function eventsOf<T extends AccountEvent['type']>(
  world: HookWorld,
  type: T,
  accountId: number = ALICE,
): readonly EventOf<T>[] {
  return world.queue.accounts
    .events(accountId)
    .filter((event): event is EventOf<T> => event.type === type);
}

function typesBehind(world: HookWorld, type: AccountEvent['type']): readonly string[] {
  const types = world.queue.types(ALICE);
  return types.slice(types.lastIndexOf(type));
}

test('what became of mail is told at once, the attempt being durable before', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL });
  world.respond = () => {
    assert.equal(world.queue.types(ALICE).at(-1), 'WebhookAttemptStarted');
    return answered(200);
  };
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  assert.deepEqual(typesBehind(world, 'WebhookQueued'), [
    'WebhookQueued',
    'WebhookAttemptStarted',
    'WebhookAttemptEnded',
    'WebhookRetired',
  ]);
  const [call] = world.calls;
  assert.partialDeepStrictEqual(call, { url: URL, attempt: 1, authorization: undefined });
  assert.partialDeepStrictEqual(call?.payload, { Event: 'delivered', Subject: 'hello' });
  assert.deepEqual(world.metrics.counted, ['webhook_results_total 200']);
  assert.deepEqual(world.metrics.observed, [{ ms: 0 }]);
});

test('webapi 36: a call that fails is made again, later and later', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL });
  await world.start();
  const statuses = [500, 201, 204, 301, 302];
  const waits = [1, 2, 4, 7.5, 15].map((minutes) => minutes * MINUTE_MS);
  world.respond = ({ attempt }) => answered(statuses[attempt - 1] ?? 200);
  await world.queue.submit(ALICE, 'x@other.example');
  for (const [i, waitMs] of waits.entries()) {
    assert.equal(world.calls.length, i + 1);
    const { nextAttemptAt = 0 } = world.hooks(ALICE)[0] ?? {};
    const inMs = nextAttemptAt - world.queue.clock.now();
    assert.ok(Math.abs(inMs - waitMs) <= waitMs / 100, `${inMs} instead of ${waitMs}`);
    await world.queue.pass(inMs - 1);
    assert.equal(world.calls.length, i + 1);
    await world.queue.pass(1);
  }
  assert.deepEqual(
    world.calls.map(({ attempt }) => attempt),
    [1, 2, 3, 4, 5, 6],
  );
  assert.equal(new Set(world.calls.map(({ hookId }) => hookId)).size, 1);
  assert.equal(new Set(world.calls.map(({ payload }) => JSON.stringify(payload))).size, 1);
  assert.equal(eventsOf(world, 'WebhookRetired')[0]?.outcome, 'delivered');
  const words = [500, 201, 204, 301, 302, 200].map((code) => `webhook_results_total ${code}`);
  assert.deepEqual(world.metrics.counted, words);
});

test('webapi 37: after twelve failures nobody is called any more', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL });
  world.respond = () => ({ type: 'failed', why: 'unreachable', text: 'ECONNREFUSED' });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  for (let hours = 0; hours < 40 * 4; hours++) await world.queue.pass(15 * MINUTE_MS);
  assert.equal(world.calls.length, 12);
  assert.deepEqual(world.hooks(ALICE), []);
  assert.equal(eventsOf(world, 'WebhookRetired')[0]?.outcome, 'failed');
  const ends = eventsOf(world, 'WebhookAttemptEnded');
  assert.ok(ends.every(({ code, error }) => code === 0 && error === 'ECONNREFUSED'));
  assert.deepEqual(new Set(world.metrics.counted), new Set(['webhook_results_total error']));
});

test('webapi 38: of one message only the newest waits to be told', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL });
  world.respond = () => answered(503);
  await world.start();
  await world.queue.submit(ALICE, 'queue451@other.example');
  await world.queue.pass(1000);
  const [hook, ...others] = world.hooks(ALICE);
  assert.deepEqual(others, []);
  const [older] = eventsOf(world, 'WebhookQueued');
  assert.partialDeepStrictEqual(eventsOf(world, 'WebhookRetired'), [
    { hookId: older?.hookId, outcome: 'superseded', supersededBy: hook?.hookId },
  ]);
  assert.deepEqual(world.told(), ['delayed', 'delayed']);
});

test('webapi 38: what is under way when something newer comes keeps its answer', async () => {
  const world = new HookWorld();
  const receivers = new HeldReceivers();
  world.tell(ALICE, { url: URL });
  world.respond = receivers.respond;
  await world.start();
  await world.queue.submit(ALICE, 'queue451@other.example');
  await world.queue.pass(1000);
  assert.equal(world.calls.length, 1, 'one URL has one call at a time');
  await receivers.end(500);
  const [first, second] = eventsOf(world, 'WebhookQueued');
  const [ended] = eventsOf(world, 'WebhookAttemptEnded');
  assert.partialDeepStrictEqual(ended, { hookId: first?.hookId, code: 500, response: 'r500' });
  assert.equal(world.calls[1]?.hookId, second?.hookId);
  await receivers.end();
  assert.deepEqual(world.hooks(ALICE), []);
});

test('webapi 39: calls to one URL never overlap, and all together are ten', async () => {
  const world = new HookWorld();
  const receivers = new HeldReceivers();
  world.respond = receivers.respond;
  await world.start();
  for (let i = 0; i < 11; i++) {
    world.tell(ALICE, { url: `http://127.0.0.1:8080/${i}` });
    await world.queue.submit(ALICE, 'a@other.example', 'b@other.example');
  }
  const urls = (): readonly string[] => receivers.held.map(({ call }) => call.url);
  const all = Array.from({ length: 11 }, (_, i) => `http://127.0.0.1:8080/${i}`);
  assert.deepEqual(urls(), all.slice(0, 10));
  // The second of /0 is due for longer than the first of /10.
  await receivers.end();
  assert.deepEqual(urls(), [...all.slice(1, 10), all[0]]);
  while (receivers.held.length > 0) {
    assert.equal(new Set(urls()).size, urls().length);
    assert.ok(urls().length <= 10);
    await receivers.end();
  }
  assert.equal(world.calls.length, 22);
});

test('webapi 41: what waits is told to whom it was meant for, whatever is set since', async () => {
  const world = new HookWorld();
  world.authorizations.set('old', 'Bearer old');
  world.tell(ALICE, { url: URL, authorization: 'old' });
  world.respond = ({ attempt }) => answered(attempt === 1 ? 500 : 200);
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  world.set(ALICE, { outgoingWebhook: null });
  await world.queue.pass(2 * MINUTE_MS);
  const seen = world.calls.map(({ url, authorization }) => `${url} ${authorization}`);
  assert.deepEqual(seen, [`${URL} Bearer old`, `${URL} Bearer old`]);
});

test('mail that comes in is told with its text', async () => {
  const world = new HookWorld();
  world.set(ALICE, { incomingWebhook: { url: URL } });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  const [call] = world.calls;
  assert.partialDeepStrictEqual(call?.payload, {
    Subject: 'hello',
    Text: 'body\n',
    Meta: { RcptTo: 'x@other.example', MailFrom: 'alice@localhost', MailboxName: 'Inbox' },
  });
});

test('a call is not made without the Authorization that it was to have', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL, authorization: 'gone' });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  assert.deepEqual(world.calls, []);
  assert.partialDeepStrictEqual(eventsOf(world, 'WebhookAttemptEnded'), [
    { code: 0, error: 'Something went wrong here, and the request did not go out.' },
  ]);
  assert.deepEqual(world.logged, ['error webhook call failed here']);
  world.authorizations.set('gone', 'Bearer back');
  await world.queue.pass(2 * MINUTE_MS);
  assert.deepEqual(world.told(), ['delivered']);
});

test('queue 38: while delivery is paused nobody is called', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL });
  world.respond = ({ attempt }) => answered(attempt === 1 ? 500 : 200);
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  world.queue.isPaused = true;
  await world.queue.pass(5 * MINUTE_MS);
  assert.equal(world.calls.length, 1);
  world.queue.isPaused = false;
  world.queue.resumed.next();
  await settled();
  assert.equal(world.calls.length, 2);
});

test('queue 40: stopping waits for the call that runs, and begins none', async () => {
  const world = new HookWorld();
  const receivers = new HeldReceivers();
  world.tell(ALICE, { url: URL });
  world.respond = receivers.respond;
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example', 'y@other.example');
  let isStopped = false;
  const stopped = world.runner?.stop().then(() => (isStopped = true));
  await settled();
  assert.equal(isStopped, false);
  await receivers.end();
  await stopped;
  assert.equal(world.calls.length, 1);
  assert.equal(eventsOf(world, 'WebhookAttemptEnded').length, 1);
});

test('queue 6: a call that is cut short is closed by the next start', async () => {
  const world = new HookWorld();
  world.tell(ALICE, { url: URL });
  world.respond = new HeldReceivers().respond;
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  const stopped = world.runner?.stop();
  await world.queue.pass(10_000);
  await stopped;
  assert.equal(world.queue.types(ALICE).at(-1), 'WebhookAttemptStarted');
  world.respond = () => answered(200);
  await world.start();
  assert.equal(world.queue.types(ALICE).at(-1), 'WebhookAttemptInterrupted');
  assert.deepEqual(world.logged, ['warn interrupted webhook calls closed']);
  await world.queue.pass(2 * MINUTE_MS);
  assert.deepEqual(
    world.calls.map(({ attempt }) => attempt),
    [1, 2],
  );
});

/** Fails commands of a type, or of an account, so many times. */
function failing(
  world: HookWorld,
  fails: (accountId: number, type: string) => boolean,
  when: 'before' | 'after' = 'before',
): void {
  const { execute } = world.queue.commands;
  Object.assign(world.queue.commands, {
    execute: (async (accountId, command, cause) => {
      const isFailing = fails(accountId, command.type);
      if (isFailing && when === 'before') throw new Fault('LogUnavailable', 'gone');
      const done = await execute(accountId, command, cause);
      if (isFailing) throw new Fault('DiskFull', 'the fact is there, the view is not');
      return done;
    }) satisfies Commands['execute'],
  });
}

test('an answer that cannot be recorded is recorded later', async () => {
  const world = new HookWorld();
  let failures = 3;
  failing(world, (_, type) => type === 'FinishWebhookAttempt' && failures-- > 0);
  world.tell(ALICE, { url: URL });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  for (const waitMs of [1000, 2000, 4000]) await world.queue.pass(waitMs);
  assert.equal(world.queue.types(ALICE).at(-1), 'WebhookRetired');
  assert.equal(world.calls.length, 1);
});

test('a call that began although nobody could say so comes to an end', async () => {
  const world = new HookWorld();
  let failures = 1;
  failing(world, (_, type) => type === 'StartWebhookAttempt' && failures-- > 0, 'after');
  world.tell(ALICE, { url: URL });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  assert.deepEqual(world.calls, []);
  assert.partialDeepStrictEqual(eventsOf(world, 'WebhookAttemptEnded'), [{ code: 0 }]);
  await world.queue.pass(2 * MINUTE_MS);
  assert.equal(world.calls.length, 1);
});

test('an account that cannot begin keeps nobody else waiting at the same URL', async () => {
  const world = new HookWorld();
  let isBroken = true;
  failing(world, (accountId, type) => isBroken && accountId === ALICE && /Webhook/.test(type));
  world.tell(ALICE, { url: URL });
  world.tell(BOB, { url: URL });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  await world.queue.submit(BOB, 'y@other.example', 'z@other.example');
  await world.queue.pass(1000);
  await world.queue.pass(1000);
  assert.equal(eventsOf(world, 'WebhookRetired', BOB).length, 2);
  assert.equal(eventsOf(world, 'WebhookRetired').length, 0);
  isBroken = false;
  for (let seconds = 0; seconds < 10; seconds++) await world.queue.pass(1000);
  assert.equal(eventsOf(world, 'WebhookRetired').length, 1);
});

test('webapi 39: one call to a URL at a time, also when an answer cannot be recorded', async () => {
  const world = new HookWorld();
  const receivers = new HeldReceivers();
  let failures = 4;
  failing(
    world,
    (accountId, type) => accountId === ALICE && type.startsWith('FinishWebhook') && failures-- > 0,
  );
  world.respond = receivers.respond;
  world.tell(ALICE, { url: URL });
  world.tell(BOB, { url: URL });
  await world.start();
  await world.queue.submit(ALICE, 'x@other.example');
  await world.queue.submit(BOB, 'y@other.example', 'z@other.example');
  await receivers.end();
  for (let seconds = 0; seconds < 20; seconds++) {
    await world.queue.pass(1000);
    assert.equal(receivers.held.length, 1);
  }
  assert.equal(eventsOf(world, 'WebhookRetired').length, 1);
  await receivers.end();
  await receivers.end();
  assert.equal(eventsOf(world, 'WebhookRetired', BOB).length, 2);
});
