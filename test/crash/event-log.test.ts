/**
 * A writer is killed again and again: what it said is durable is there, once, in its place.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSqliteEventLog, type SqliteEventLog } from '#infra/event-log-sqlite';
import { temporaryDirectory } from '../support/temporary.ts';
import { crashEvent } from './event-log-events.ts';

const WRITER = fileURLToPath(new URL('./event-log-writer.ts', import.meta.url));
const ROUNDS = 20;
const STREAMS = 8;

/** Runs the writer for a while, kills it, and notes what it acknowledged. */
async function killedWriter(file: string, durable: number[], lifeMs: number): Promise<void> {
  const args = ['--disable-warning=ExperimentalWarning', WRITER, file, ...durable.map(String)];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(writer, 'close');
  let said = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await Promise.race([once(writer.stdout, 'data'), ended]);
    await delay(lifeMs);
    assert.equal(writer.exitCode, null, 'the writer ended by itself');
  } finally {
    writer.kill('SIGKILL');
    await ended;
  }
  // What follows the last line end was cut off by the kill.
  for (const line of said.split('\n').slice(0, -1)) {
    const [stream = '', revision = ''] = line.split(' ');
    durable[Number(stream.slice('account-'.length))] = Number(revision) + 1;
  }
}

async function holdsWhatWasSaid(log: SqliteEventLog, durable: readonly number[]): Promise<number> {
  const verdict = await log.verify();
  assert.equal(verdict.type, 'sound', JSON.stringify(verdict));
  let unsaid = 0;
  for (const [index, count] of durable.entries()) {
    const stream = `account-${index}`;
    const head = await log.head(stream);
    assert.ok(head + 1 >= count, `${stream} lost ${count - head - 1} events`);
    unsaid += head + 1 - count;
    await standsInOrder(log, stream, head);
  }
  return unsaid;
}

/** Each revision holds its own event: nothing is missing, doubled or torn. */
async function standsInOrder(log: SqliteEventLog, stream: string, head: number): Promise<void> {
  for (let from = 0; from <= head; from += 1000) {
    for (const event of await log.read(stream, from, 1000)) {
      const { id, data } = crashEvent(stream, event.revision);
      assert.deepEqual([event.id, event.data], [id, data]);
    }
  }
}

it('loses and doubles nothing that was acknowledged before a kill', async (t) => {
  await using directory = await temporaryDirectory();
  const file = directory.file('log.db');
  const durable = Array.from({ length: STREAMS }, () => 0);
  let unsaid = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await killedWriter(file, durable, (round * 37) % 150);
    await using log = await openSqliteEventLog({ file, onFatal: (fault) => assert.fail(fault) });
    unsaid += await holdsWhatWasSaid(log, durable);
  }
  const total = durable.reduce((sum, count) => sum + count, 0);
  assert.ok(total > ROUNDS, 'the writer was killed before it wrote anything');
  t.diagnostic(`${total} events acknowledged, ${unsaid} more were durable without a word`);
});
