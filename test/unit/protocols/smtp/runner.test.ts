/** The queue in local mode: attempts, retries, copies, notices, and what a crash leaves behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Held } from '../../../support/held-attempts.ts';
import { QueueWorld } from '../../../support/queue-world.ts';
import { ALICE, BOB, settled } from '../../../support/smtp.ts';
import type { AttemptOutcome } from '#domain/queue/attempts';
import type { SetTlsRequirement } from '#domain/queue/manage';
import { Fault } from '#domain/values/fault';
import type { Commands } from '#protocols/ports';
import type { RunnerSettings } from '#protocols/smtp/runner';

test('a message comes back into the account of its sender, the copy with the outcome', async () => {
  const world = new QueueWorld();
  await world.start();
  await world.submit(BOB, 'x@other.example');
  assert.deepEqual(world.types(BOB), [
    'MessageQueued',
    'AttemptStarted',
    'AttemptSucceeded',
    'MessageRetired',
    'MessageDelivered',
  ]);
  await world.submit(ALICE, 'x@other.example');
  const trace = 'Delivered-To: x@other.example\r\nReturn-Path: <alice@localhost>\r\n';
  const before = 'Received: by localhost\r\nSubject: hello\r\n';
  assert.ok(world.text(world.last('MessageDelivered')).startsWith(trace + before));
  assert.deepEqual(world.logged, []);
});

test('a temporary failure is tried again after 1, 2 and 5 seconds, then it is final', async () => {
  const world = new QueueWorld();
  await world.start();
  await world.submit(ALICE, 'x451@other.example');
  for (const [attempt, waitMs] of [1000, 2000, 5000].entries()) {
    assert.equal(world.last('AttemptFailed').attempt, attempt + 1);
    await world.pass(waitMs - 1);
    assert.equal(world.last('AttemptFailed').attempt, attempt + 1);
    await world.pass(1);
  }
  assert.partialDeepStrictEqual(world.last('AttemptFailed'), { attempt: 4, code: 451 });
  assert.equal(world.last('MessageRetired').outcome, 'failed');
});

test('queue 31, smtp 100: who asked to wait is tried then, and is told so', async () => {
  const world = new QueueWorld();
  await world.start();
  await world.queueMail(ALICE, {
    recipients: [{ recipient: 'queue550@other.example' }],
    options: { futureRelease: 'for;5' },
    releaseAt: world.clock.now() + 5000,
  });
  await world.pass(4999);
  assert.equal(world.types(ALICE).at(-1), 'MessageQueued');
  await world.pass(1);
  const text = world.text(world.last('MessageDelivered'));
  assert.match(text, /\r\nFuture-Release-Request: for;5\r\n/);
});

test('a failure for good tells the sender in the same breath', async () => {
  const world = new QueueWorld();
  await world.start();
  await world.submit(ALICE, 'ok@other.example', 'queue550@other.example');
  assert.deepEqual(world.types(ALICE).slice(-3), [
    'MessageRetired',
    'AddressSuppressed',
    'MessageDelivered',
  ]);
  const text = world.text(world.last('MessageDelivered'));
  assert.match(
    text,
    /^Return-Path: <postmaster@localhost>\r\nDelivered-To: alice@localhost\r\nFrom: <postmaster@/,
  );
  assert.match(text, /Content-Type: multipart\/report; report-type="delivery-status";/);
  assert.match(text, /References: <1@localhost>\r\n/);
  assert.match(text, /Final-Recipient: rfc822;queue550@other\.example\r\nAction: failed\r\n/);
  assert.match(text, /Status: 5\.0\.0 \(.+\)\r\nDiagnostic-Code: smtp; 550 5\.0\.0 /);
  assert.match(
    text,
    /\r\n\r\nReceived: by localhost\r\nSubject: hello\r\nFrom: a@localhost\r\n\r\n--/,
  );
  assert.equal(world.bodies.staged.size, 1, 'only what the test staged');
});

test('silence lasts thirty seconds and counts as a temporary failure without a code', async () => {
  const world = new QueueWorld();
  await world.start();
  await world.submit(ALICE, 'timeout@other.example');
  assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
  await world.pass(30_000);
  assert.partialDeepStrictEqual(world.last('AttemptFailed'), { code: 0, permanent: false });
});

test('recipients are attempted each by itself, at most ten at a time', async () => {
  const world = new QueueWorld();
  await world.start();
  const recipients = Array.from({ length: 25 }, (_, i) => `x${i}.timeout@other.example`);
  await world.submit(ALICE, ...recipients);
  assert.equal(world.accounts.state(ALICE).openAttempts().length, 10);
  await world.submit(BOB, 'y@other.example');
  assert.deepEqual(world.types(BOB), ['MessageQueued']);
  for (let i = 0; i < 3; i++) await world.pass(30_000);
  assert.equal(world.types(BOB).at(-1), 'MessageDelivered');
});

test('stopping leaves silence open; the next start closes it before it begins anew', async () => {
  const world = new QueueWorld();
  await world.start();
  await world.submit(ALICE, 'timeout@other.example');
  await world.runner?.stop();
  assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
  await world.start();
  assert.equal(world.types(ALICE).at(-1), 'AttemptInterrupted');
  await world.pass(1000);
  assert.partialDeepStrictEqual(world.last('AttemptStarted'), { attempt: 2 });
  await world.runner?.stop();
});

test('an outcome that cannot be recorded is recorded later', async () => {
  const world = new QueueWorld();
  const { execute } = world.commands;
  let failures = 3;
  Object.assign(world.commands, {
    execute: (async (accountId, command, cause) => {
      if (command.type === 'FinishAttempt' && failures-- > 0) {
        throw new Fault('LogUnavailable', 'gone');
      }
      return execute(accountId, command, cause);
    }) satisfies Commands['execute'],
  });
  await world.start();
  await world.submit(ALICE, 'x@other.example');
  assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
  for (const waitMs of [1000, 2000, 4000]) await world.pass(waitMs);
  assert.equal(world.types(ALICE).at(-1), 'MessageDelivered');
  assert.equal(world.types(ALICE).filter((type) => type === 'AttemptStarted').length, 1);
});

test('an outcome that is not recorded before a stop is in the log of the server', async () => {
  const world = new QueueWorld();
  const held = new Held();
  const { execute } = world.commands;
  Object.assign(world.commands, {
    execute: (async (accountId, command, cause) => {
      if (command.type === 'FinishAttempt') throw new Fault('DiskFull', 'full');
      return execute(accountId, command, cause);
    }) satisfies Commands['execute'],
  });
  await world.start(held.settings(world.clock));
  await world.submit(ALICE, 'x@other.example');
  const stopped = world.runner?.stop();
  await held.end();
  await stopped;
  assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
  assert.ok(world.logged.includes('error outcome not recorded yet'));
});

test('an attempt that cannot begin is tried again, without spinning', async () => {
  const world = new QueueWorld();
  const { execute } = world.commands;
  let asked = 0;
  Object.assign(world.commands, {
    execute: (async (accountId, command, cause) => {
      if (command.type === 'StartAttempt' && asked++ < 2) throw new Fault('LogUnavailable', 'gone');
      return execute(accountId, command, cause);
    }) satisfies Commands['execute'],
  });
  await world.start();
  await world.submit(ALICE, 'x@other.example');
  assert.deepEqual(world.logged, ['error attempt may not have begun', 'error outcome refused']);
  await world.pass(999);
  assert.equal(asked, 1);
  await world.pass(1);
  assert.equal(asked, 2);
  await world.pass(1000);
  assert.equal(world.types(ALICE).at(-1), 'MessageDelivered');
});

test('an attempt that began although nobody could say so comes to an end', async () => {
  const world = new QueueWorld();
  const { execute } = world.commands;
  let failures = 1;
  Object.assign(world.commands, {
    execute: (async (accountId, command, cause) => {
      const done = await execute(accountId, command, cause);
      if (command.type !== 'StartAttempt' || failures-- <= 0) return done;
      throw new Fault('DiskFull', 'the fact is there, the view is not');
    }) satisfies Commands['execute'],
  });
  await world.start();
  await world.submit(ALICE, 'x@other.example');
  assert.partialDeepStrictEqual(world.last('AttemptFailed'), { attempt: 1, permanent: false });
  await world.pass(1000);
  assert.partialDeepStrictEqual(world.last('AttemptSucceeded'), { attempt: 2 });
});

test('a copy that finds no place is a failure', async () => {
  const world = new QueueWorld();
  await world.start();
  const records = world.accounts.state(ALICE).mailboxRecords;
  for (const mailbox of records.mailboxes.values()) Object.assign(mailbox, { uidNext: 2 ** 32 });
  await world.submit(ALICE, 'x@other.example');
  assert.partialDeepStrictEqual(world.last('AttemptFailed'), { code: 452, permanent: false });
});

test('queue 10: two messages for one destination never overlap, others do not wait', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock));
  await world.submit(ALICE, 'a@slow.example');
  await world.submit(BOB, 'b@slow.example');
  await world.submit(BOB, 'c@other.example');
  assert.deepEqual(held.tried, ['a@slow.example', 'c@other.example']);
  await held.end();
  assert.deepEqual(held.tried.slice(2), ['b@slow.example']);
});

test('queue 10: who still says goodbye is not talked to by another one', async () => {
  const world = new QueueWorld();
  const { promise: goodbye, resolve } = Promise.withResolvers<void>();
  const tried: string[] = [];
  const reply = { code: 250, enhancedCode: '2.0.0', text: 'taken' };
  const settings = new Held().settings(world.clock, {
    attempt: async ({ items: [{ queueId, recipient }] }) => {
      tried.push(recipient);
      return { outcomes: new Map([[queueId, { type: 'delivered', reply }]]), goodbye };
    },
  });
  await world.start(settings);
  await world.submit(ALICE, 'a@x.example');
  assert.equal(world.types(ALICE).at(-1), 'MessageRetired');
  await world.submit(BOB, 'b@x.example');
  assert.deepEqual(tried, ['a@x.example']);
  resolve();
  await settled();
  assert.deepEqual(tried, ['a@x.example', 'b@x.example']);
});

test('queue 10: no more attempts run at once than the settings say', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock));
  const recipients = Array.from({ length: 11 }, (_, i) => `a@d${i}.example`);
  await world.submit(ALICE, ...recipients);
  assert.equal(held.tried.length, 10);
  await held.end();
  assert.equal(held.tried.length, 11);
});

test('queue 11: recipients at one domain go together, up to a number', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock, { itemsPerAttempt: 2 }));
  await world.submit(ALICE, 'a@x.example', 'b@x.example', 'c@x.example', 'd@y.example');
  assert.deepEqual(held.tried, ['a@x.example b@x.example', 'd@y.example']);
  await held.end();
  assert.deepEqual(held.tried.slice(2), ['c@x.example']);
});

test('queue 13: nobody is asked for an address that is suppressed', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock));
  const suppress = { type: 'SuppressAddress', address: 'b@x.example', reason: 'no' } as const;
  await world.commands.execute(ALICE, suppress, { actor: 'test' });
  await world.submit(ALICE, 'a@x.example', 'b@x.example');
  assert.deepEqual(held.tried, ['a@x.example']);
  assert.equal(world.last('MessageRetired').outcome, 'suppressed');
  assert.equal(world.types(ALICE).at(-1), 'MessageDelivered');
  await held.end();
  assert.equal(world.last('MessageRetired').outcome, 'delivered');
});

test('queue 14: items that differ are sent apart', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock, { attemptsPerDestination: 5 }));
  await world.queueMail(ALICE, {
    recipients: ['a@x.example', 'b@x.example'].map((recipient) => ({ recipient })),
    releaseAt: world.clock.now() + 1000,
  });
  const queueIds = world.items(ALICE).map(({ queueId }) => queueId);
  const second: SetTlsRequirement = {
    type: 'SetTlsRequirement',
    queueIds: queueIds.slice(1),
    requireTls: true,
  };
  await world.commands.execute(ALICE, second, { actor: 'test' });
  await world.pass(1000);
  assert.deepEqual(held.tried, ['a@x.example', 'b@x.example']);
});

test('queue 25: what was to end when a crash came ends at the next start', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock));
  await world.submit(ALICE, 'a@x.example');
  const [item] = world.items(ALICE);
  const drop = { type: 'DropMessages', queueIds: [item?.queueId ?? 0] } as const;
  await world.commands.execute(ALICE, drop, { actor: 'test' });
  assert.equal(world.types(ALICE).at(-1), 'CancelRequested');
  const again = new Held();
  await world.start(again.settings(world.clock));
  assert.deepEqual(world.types(ALICE).slice(-3), [
    'AttemptInterrupted',
    'DeliveryCanceled',
    'MessageRetired',
  ]);
  assert.deepEqual(again.tried, []);
});

test('queue 40: a graceful stop waits for attempts, and begins none', async () => {
  const world = new QueueWorld();
  const held = new Held();
  await world.start(held.settings(world.clock));
  await world.submit(ALICE, 'a@x.example');
  const stopped = world.runner?.stop();
  await world.submit(ALICE, 'b@y.example');
  await held.end();
  await stopped;
  assert.deepEqual(held.tried, ['a@x.example']);
  assert.equal(world.last('MessageRetired').outcome, 'delivered');
});

test('an attempt that breaks here ends all the same, for each of its items', async () => {
  const world = new QueueWorld();
  const reply = { code: 250, enhancedCode: '2.0.0', text: 'OK' };
  let isBroken = true;
  const settings = new Held().settings(world.clock, {
    attempt: async ({ items }) => {
      if (isBroken) throw new Error('broken');
      // The first of them is forgotten.
      const rest = items.slice(1).map(({ queueId }) => queueId);
      return { outcomes: new Map(rest.map((id) => [id, { type: 'delivered', reply }])) };
    },
  });
  await world.start(settings);
  await world.submit(ALICE, 'a@x.example', 'b@x.example');
  const left = (): unknown[] =>
    world
      .items(ALICE)
      .map(({ recipient, inAttempt, attempts }) => [recipient, inAttempt, attempts]);
  assert.deepEqual(left(), [
    ['a@x.example', false, 1],
    ['b@x.example', false, 1],
  ]);
  isBroken = false;
  await world.pass(1000);
  assert.deepEqual(left(), [['a@x.example', false, 2]]);
});

test('queue 38: while delivery is paused what runs ends, nothing begins, times stay', async () => {
  const world = new QueueWorld();
  const reply = { code: 250, enhancedCode: '2.0.0', text: 'ok' };
  const delivered: AttemptOutcome = { type: 'delivered', reply };
  const begun = Promise.withResolvers<void>();
  const settings: RunnerSettings = {
    attemptsAtOnce: 10,
    attemptsPerDestination: 1,
    itemsPerAttempt: 1,
    attemptsMax: 4,
    nextAttemptAt: () => world.clock.now() + 10_000,
    transportFor: () => '',
    async attempt({ items: [item] }) {
      await begun.promise;
      return { outcomes: new Map([[item.queueId, delivered]]) };
    },
  };
  await world.start(settings);
  await world.submit(ALICE, 'first@other.example');
  assert.equal(world.types(ALICE).at(-1), 'AttemptStarted');
  world.isPaused = true;
  await world.submit(ALICE, 'second@other.example');
  begun.resolve();
  await settled();
  await world.pass(60_000);
  assert.equal(world.types(ALICE).filter((type) => type === 'AttemptStarted').length, 1);
  assert.equal(world.types(ALICE).filter((type) => type === 'AttemptSucceeded').length, 1);
  await world.queueMail(ALICE, {
    recipients: [{ recipient: 'third@other.example' }],
    options: { futureRelease: 'for;5' },
    releaseAt: world.clock.now() + 5000,
  });
  world.isPaused = false;
  world.resumed.next();
  await settled();
  assert.equal(world.types(ALICE).filter((type) => type === 'AttemptSucceeded').length, 2);
  await world.pass(4_999);
  assert.equal(world.types(ALICE).filter((type) => type === 'AttemptStarted').length, 2);
  await world.pass(1);
  assert.equal(world.types(ALICE).filter((type) => type === 'AttemptSucceeded').length, 3);
});
