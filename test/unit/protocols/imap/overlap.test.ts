/**
 * Commands in progress together: what waits for what.
 */

import assert from 'node:assert/strict';
import { setImmediate as nextRound } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { Overlap } from '#protocols/imap/overlap';

/** A command whose steps end when the test says so; `seen` hears of all. */
interface Step {
  readonly stored: PromiseWithResolvers<void>;
  readonly reply: PromiseWithResolvers<string>;
}

function add(overlap: Overlap<string>, name: string, seen: string[]): Step {
  const stored = Promise.withResolvers<void>();
  const reply = Promise.withResolvers<string>();
  overlap.add(
    {
      stored: stored.promise,
      carryOut: () => {
        seen.push(`${name} carried out`);
        return reply.promise;
      },
    },
    async (answer, moreFollow) => {
      const outcome = await answer.then(
        (text) => text,
        (error: Error) => error.message,
      );
      seen.push(`${name} ${outcome}${moreFollow ? ', more follow' : ''}`);
    },
  );
  return { stored, reply };
}

describe('commands in progress', () => {
  it('are carried out in their order, without waiting for replies', async () => {
    const overlap = new Overlap<string>(3);
    const seen: string[] = [];
    const [a, b] = [add(overlap, 'a', seen), add(overlap, 'b', seen)];
    b.stored.resolve();
    await nextRound();
    assert.deepEqual(seen, []);
    a.stored.resolve();
    await nextRound();
    assert.deepEqual(seen, ['a carried out', 'b carried out']);
  });

  it('are answered in their order, several at once when they are ready', async () => {
    const overlap = new Overlap<string>(3);
    const seen: string[] = [];
    const steps = ['a', 'b', 'c'].map((name) => add(overlap, name, seen));
    for (const { stored } of steps) stored.resolve();
    await nextRound();
    seen.length = 0;
    steps[1]?.reply.resolve('done');
    await nextRound();
    assert.deepEqual(seen, []);
    steps[0]?.reply.resolve('done');
    await nextRound();
    assert.deepEqual(seen, ['a done, more follow', 'b done']);
    steps[2]?.reply.resolve('done');
    await overlap.settled();
    assert.deepEqual(seen.slice(2), ['c done']);
  });

  it('do not hold each other up when one fails', async () => {
    const overlap = new Overlap<string>(3);
    const seen: string[] = [];
    const [a, b] = [add(overlap, 'a', seen), add(overlap, 'b', seen)];
    a.stored.reject(new Error('not stored'));
    b.stored.resolve();
    await nextRound();
    b.reply.resolve('done');
    await nextRound();
    a.reply.reject(new Error('not done'));
    await overlap.settled();
    assert.deepEqual(seen, ['a carried out', 'b carried out', 'a not done, more follow', 'b done']);
  });

  it('are bounded in number', async () => {
    const overlap = new Overlap<string>(2);
    const seen: string[] = [];
    const [a, b] = [add(overlap, 'a', seen), add(overlap, 'b', seen)];
    let hasRoom = false;
    const room = overlap.room().then(() => (hasRoom = true));
    for (const { stored } of [a, b]) stored.resolve();
    b.reply.resolve('done');
    await nextRound();
    assert.equal(hasRoom, false);
    a.reply.resolve('done');
    await room;
    await overlap.settled();
    await overlap.room();
  });
});
