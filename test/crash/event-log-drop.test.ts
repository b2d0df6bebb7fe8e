/**
 * A writer is killed again and again while it drops streams: each is there wholly or not at all,
 * and the hash chain holds.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSqliteEventLog } from '#infra/event-log-sqlite';
import { temporaryDirectory } from '../support/temporary.ts';
import { DROPPED_EVENTS } from './event-log-events.ts';

const DROPPER = fileURLToPath(new URL('./event-log-dropper.ts', import.meta.url));
const ROUNDS = 8;

/** Runs until it has done that to a month, and a little longer; gives what it said. */
async function killedDropper(
  file: string,
  first: number,
  done: string,
  moreMs: number,
): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', DROPPER, file, String(first)];
  const dropper = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(dropper, 'close');
  let said = '';
  dropper.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  while (!said.includes(done) && dropper.exitCode === null) await once(dropper.stdout, 'data');
  await delay(moreMs);
  dropper.kill('SIGKILL');
  await ended;
  return said;
}

it('eventlog 10: drops a stream wholly or not at all', async (t) => {
  await using directory = await temporaryDirectory();
  const file = directory.file('log.db');
  const found = { dropped: 0, whole: 0, unfinished: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const first = round * 10_000;
    const said = await killedDropper(file, first, round === 0 ? 'dropped' : 'filled', round * 4);
    await using log = await openSqliteEventLog({ file, onFatal: (fault) => assert.fail(fault) });
    const verdict = await log.verify();
    assert.equal(verdict.type, 'sound', JSON.stringify(verdict));
    for (let month = first; (await log.head(`audit-${month}`)) >= 0; month++) {
      const { length } = await log.read(`audit-${month}`, 0, 10_000);
      if (said.includes(`dropped ${month}\n`)) assert.equal(length, 0);
      else if (said.includes(`filled ${month}\n`)) assert.ok([0, DROPPED_EVENTS].includes(length));
      const head = await log.head(`audit-${month}`);
      if (length === 0) assert.equal(head, DROPPED_EVENTS - 1);
      else assert.equal(head, length - 1);
      found[length === 0 ? 'dropped' : length === DROPPED_EVENTS ? 'whole' : 'unfinished']++;
    }
  }
  assert.ok(found.dropped > 0, 'nothing was dropped');
  t.diagnostic(JSON.stringify(found));
});
