/** The queue in local mode: attempts, retries, copies, notices, and what a crash leaves behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueWorld } from '../../../support/queue-world.ts';
import { ALICE, BOB } from '../../../support/smtp.ts';
import { Fault } from '#domain/values/fault';
import type { Commands } from '#protocols/ports';

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
  assert.match(text, /^Return-Path: <>\r\nDelivered-To: alice@localhost\r\nFrom: <postmaster@/);
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

test('an attempt that cannot begin is tried again, without spinning', async () => {
  const world = new QueueWorld();
  await world.start();
  world.changes.complete();
  world.accounts.faults.push(new Fault('LogUnavailable', 'gone'));
  await assert.rejects(world.submit(ALICE, 'x@other.example'));
  await world.submit(ALICE, 'x@other.example');
  await world.runner?.stop();
  world.accounts.faults.push(new Fault('LogUnavailable', 'gone'));
  await world.start();
  assert.deepEqual(world.logged, ['error attempt not made']);
  await world.pass(1000);
  assert.equal(world.types(ALICE).at(-1), 'MessageDelivered');
});

test('a copy that finds no place is a failure', async () => {
  const world = new QueueWorld();
  await world.start();
  const records = world.accounts.state(ALICE).mailboxRecords;
  for (const mailbox of records.mailboxes.values()) Object.assign(mailbox, { uidNext: 2 ** 32 });
  await world.submit(ALICE, 'x@other.example');
  assert.partialDeepStrictEqual(world.last('AttemptFailed'), { code: 452, permanent: false });
});
