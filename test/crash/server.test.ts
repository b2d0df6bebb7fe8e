/**
 * A whole server is killed again and again while clients are at work, and the power goes: what it
 * acknowledged is there, once, and what it did not acknowledge is there at most once.
 *
 * `CRASH_ROUNDS` is how often (8).
 */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startLocalserve, type Localserve } from '../support/localserve.ts';
import { runDaybook } from '../support/programs.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { Book } from './server-book.ts';
import { loseUnsynced } from './power-cut.ts';
import { load, lookAround, prepare } from './server-load.ts';

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 8);
const LOAD_MS_MAX = 900;
/** Retries come 1, 2 and 5 seconds after an attempt that was interrupted. */
const QUEUE_PATIENCE_MS = 20_000;

it('loses and doubles nothing that was acknowledged before a kill', async (t) => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const book = new Book();
  let ip = '';
  let lost = 0;
  {
    await using server = await startLocalserve({ dir });
    ip = server.ip;
    await prepare(ip, book);
    await server.kill();
  }
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 3 === 2) await killWhileItStarts(dir, ip);
    await using server = await startLocalserve({ dir, ip });
    book.compare(await lookAround(ip, book));
    lost += await killUnderLoad(server, dir, book);
  }
  {
    await using server = await startLocalserve({ dir, ip });
    await untilAllArrived(ip, book);
    assert.equal(await server.stop(), 0, server.said());
  }
  const verdict = await runDaybook(['verifydata', '--dir', dir]);
  assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
  const attempts = await attemptsIn(dir);
  t.diagnostic(
    `${book.acknowledged} effects on ${book.size} messages acknowledged; ` +
      `${attempts.interrupted} of ${attempts.started} attempts interrupted; ` +
      `${lost} files of bodies lost or torn`,
  );
});

/** After a while, in the middle of whatever is going on; and the power goes. Files lost. */
async function killUnderLoad(server: Localserve, dir: string, book: Book): Promise<number> {
  const before = book.acknowledged;
  const clients = load(server.ip, book);
  await Promise.race([delay(randomInt(50, LOAD_MS_MAX)), ...clients]);
  while (book.acknowledged === before) await Promise.race([delay(5), ...clients]);
  await server.kill();
  await Promise.all(clients);
  return loseUnsynced(path.join(dir, 'data'));
}

/** A start that is cut short, making views anew, leaves nothing that hinders the next one. */
async function killWhileItStarts(dir: string, ip: string): Promise<void> {
  for (const views of ['data/server.db', 'data/accounts/1/views.db']) {
    for (const suffix of ['', '-wal', '-shm'])
      await rm(path.join(dir, views + suffix), { force: true });
  }
  const killAt = AbortSignal.timeout(randomInt(150, 700));
  try {
    await using server = await startLocalserve({ dir, ip, killAt });
    await server.kill();
  } catch (error) {
    assert.match(String(error), /localserve ended with null before it was ready:\s*$/);
  }
}

async function untilAllArrived(ip: string, book: Book): Promise<void> {
  const giveUpAt = Date.now() + QUEUE_PATIENCE_MS;
  for (;;) {
    book.compare(await lookAround(ip, book));
    const missing = book.arriving();
    if (missing.length === 0) return;
    assert.ok(Date.now() < giveUpAt, `never came: ${missing.join(' ')}`);
    await delay(200);
  }
}

/** Every attempt has one end, every item one outcome. */
async function attemptsIn(dir: string): Promise<{ started: number; interrupted: number }> {
  const tail = ['log', 'tail', '--dir', dir, '--after', '0', '--no-follow', '--json'];
  const { stdout } = await runDaybook(tail);
  const open = new Set<string>();
  const retired = new Set<number>();
  const queued = new Set<number>();
  let started = 0;
  let interrupted = 0;
  for (const line of stdout.trimEnd().split('\n')) {
    const { type, data } = JSON.parse(line);
    const attempt = `${data.queueId} ${data.attempt}`;
    if (type === 'MessageQueued') for (const { queueId } of data.items) queued.add(queueId);
    if (type === 'AttemptStarted') {
      started++;
      for (const queueId of data.queueIds) open.add(`${queueId} ${data.attempt}`);
    }
    if (/^Attempt(Succeeded|Failed|Interrupted)$/.test(type)) {
      assert.ok(open.delete(attempt), `attempt ${attempt} ended before it began`);
    }
    if (type === 'AttemptInterrupted') interrupted++;
    if (type === 'MessageRetired') {
      assert.ok(!retired.has(data.queueId), `item ${data.queueId} retired twice`);
      retired.add(data.queueId);
    }
  }
  assert.deepEqual([...open], []);
  assert.deepEqual(retired, queued);
  return { started, interrupted };
}
