/**
 * A program that keeps bodies is killed at any moment, and then the power goes: files that were
 * not synced are gone or torn. What it said it had kept is there again after the next start.
 *
 * `CRASH_ROUNDS` is how often (8).
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openBodies, type BodyStore } from '#infra/bodies';
import { recordsIn } from '#infra/body-records';
import { readFacts } from '#protocols/message/facts';
import { temporaryDirectory } from '../support/temporary.ts';
import { JOURNAL_SEGMENTS, loseUnsynced } from './power-cut.ts';

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 8);
const WRITER = path.join(import.meta.dirname, 'body-journal-writer.ts');

/** Runs the writer for a while; the accounts and names that it has kept. */
async function killedAfter(dir: string, ms: number): Promise<readonly Kept[]> {
  const args = ['--disable-warning=ExperimentalWarning', WRITER, dir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.startsWith('ready\n')) resolve();
  });
  const ended = once(child, 'close');
  await Promise.race([ready, ended]);
  assert.equal(child.exitCode, null);
  await delay(ms);
  child.kill('SIGKILL');
  await ended;
  const lines = said.split('\n').slice(1, -1);
  return lines.map((line) => {
    const [accountId, hash = ''] = line.split(' ');
    return { accountId: Number(accountId), hash };
  });
}

interface Kept {
  readonly accountId: number;
  readonly hash: string;
}

function open(dir: string): BodyStore {
  return openBodies({
    dir,
    readFacts,
    fatal(error) {
      throw error;
    },
  });
}

async function requireAll(store: BodyStore, kept: readonly Kept[]): Promise<void> {
  for (const { accountId, hash } of kept) {
    assert.equal(await store.verifyBody(accountId, hash), 'whole', `${accountId} ${hash}`);
  }
}

it('loses no body that was kept before a kill and a power cut', async (t) => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  const kept: Kept[] = [];
  let lost = 0;
  for (let round = 0; round < ROUNDS; round++) {
    kept.push(...(await killedAfter(dir, randomInt(5, 400))));
    lost += loseUnsynced(dir);
    // Half of the time the next writer is the one that repairs.
    if (round % 2 === 0) continue;
    await using store = open(dir);
    await store.recover();
    await requireAll(store, kept);
  }
  await using store = open(dir);
  await store.recover();
  await requireAll(store, kept);
  t.diagnostic(`${kept.length} bodies kept, ${lost} files lost or torn`);
  assert.ok(kept.length > 0 && lost > 0);
});

it('takes from a torn journal what is whole, and nothing else', async () => {
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  await killedAfter(dir, 200);
  const segment = JOURNAL_SEGMENTS.map((name) => path.join(dir, name)).find(
    (file) => existsSync(file) && statSync(file).size > 0,
  );
  if (segment === undefined) return;
  const copy = directory.file('copy');
  copyFileSync(segment, copy);
  const all = Array.from(recordsIn(readFileSync(copy)), ({ accountId, hash }) => ({
    accountId,
    hash,
  }));
  for (let round = 0; round < 20; round++) {
    rmSync(path.join(dir, 'accounts'), { recursive: true, force: true });
    copyFileSync(copy, segment);
    const { size } = statSync(copy);
    const cut = randomInt(size);
    const end = Math.min(size, cut + randomInt(1, 5000));
    if (round % 2 === 0) truncateSync(segment, cut);
    else writeFileSync(segment, readFileSync(copy).fill(0xa5, cut, end));
    await using store = open(dir);
    const count = await store.recover();
    assert.ok(count <= all.length);
    await requireAll(store, all.slice(0, count));
    for (const { accountId, hash } of all.slice(count)) {
      const before = all.slice(0, count).some((one) => one.hash === hash);
      if (!before) assert.equal(await store.verifyBody(accountId, hash), 'missing');
    }
  }
});
