/**
 * The process is killed at every step of an attempt: no message is lost, and none is sent twice but
 * where nobody could know that the first time had worked; that case is on the record.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runDaybook } from '../support/programs.ts';
import { startSink, type Sink } from '../support/sink.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const WORKER = fileURLToPath(new URL('./queue-worker.ts', import.meta.url));
const POINTS = ['before-start', 'after-start', 'after-reply', 'after-append'] as const;
type Point = (typeof POINTS)[number];
const MESSAGES = 6;

interface Work {
  readonly queue: number;
  readonly killAt?: readonly [point: Point, passes: number];
}

/** Gives the tokens that were queued. */
async function work(dir: string, sink: Sink, { queue, killAt }: Work): Promise<readonly string[]> {
  const [point = '', passes = 0] = killAt ?? [];
  const args = [WORKER, dir, String(sink.port), String(queue), point, String(passes)];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code, signal] = await once(child, 'close');
  if (killAt === undefined) assert.equal(code, 0);
  else assert.equal(signal, 'SIGKILL', `it never came to ${point}`);
  return said.split('\n').slice(0, -1);
}

/** By recipient: how its item ended, and how many of its attempts were cut short. */
async function recordOf(
  dir: string,
): Promise<ReadonlyMap<string, { readonly outcomes: string[]; interrupted: number }>> {
  const tail = ['log', 'tail', '--dir', dir, '--after', '0', '--no-follow', '--json'];
  const { stdout } = await runDaybook(tail);
  const byRecipient = new Map<string, { readonly outcomes: string[]; interrupted: number }>();
  const byId = new Map<number, { readonly outcomes: string[]; interrupted: number }>();
  for (const line of stdout.trimEnd().split('\n')) {
    const { type, data } = JSON.parse(line);
    if (type === 'MessageQueued') {
      for (const { queueId, recipient } of data.items) {
        const record = { outcomes: [], interrupted: 0 };
        byRecipient.set(recipient, record);
        byId.set(queueId, record);
      }
    }
    const record = byId.get(data.queueId);
    if (record === undefined) continue;
    if (type === 'AttemptInterrupted') record.interrupted++;
    if (type === 'MessageRetired') record.outcomes.push(data.outcome);
  }
  return byRecipient;
}

async function prepared(dir: string): Promise<void> {
  const { code, stderr } = await runDaybook(['localserve', '--dir', dir, '--init-only']);
  assert.equal(code, 0, stderr);
}

for (const point of POINTS) {
  it(`queue 6, queue 7, smtp 125: killed ${point}, nothing is lost or doubled`, async (t) => {
    await using directory = await temporaryDirectory();
    await using sink = await startSink();
    const dir = directory.path;
    await prepared(dir);
    const tokens: string[] = [];
    for (const passes of [0, 2, 3]) {
      const queue = passes === 0 ? MESSAGES : 1;
      tokens.push(...(await work(dir, sink, { queue, killAt: [point, passes] })));
    }
    await work(dir, sink, { queue: 0 });
    let twice = 0;
    const record = await recordOf(dir);
    assert.equal(record.size, tokens.length * 2);
    for (const [recipient, { outcomes, interrupted }] of record) {
      assert.deepEqual(outcomes, ['delivered'], recipient);
      const copies = sink.mail.filter(({ to }) => to.includes(recipient)).length;
      assert.ok(copies >= 1, `${recipient} was lost`);
      assert.ok(copies <= 1 + interrupted, `${recipient} was sent ${copies} times`);
      if (copies > 1) twice++;
    }
    // Only then the other server has said yes, and we have not written it down.
    if (point === 'after-reply') assert.ok(twice > 0, 'the window that cannot be closed');
    t.diagnostic(`${twice} of ${record.size} recipients twice`);
    const verdict = await runDaybook(['verifydata', '--dir', dir]);
    assert.equal(verdict.code, 0, verdict.stdout + verdict.stderr);
  });
}
