/**
 * Outgoing mail, whatever is done to it in whatever order: what was queued ends once, and what has
 * ended stays so.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryQueueHistory, type History } from '../support/arbitrary.ts';
import { CONTEXT, recorded } from '../support/given.ts';
import { REPLY } from '../support/queued.ts';
import { decideAccount, type AccountCommand } from '#domain/account';
import type { AccountFact } from '#domain/log/streams';
import { changedItems } from '#domain/queue/state';
import type { QueueId } from '#domain/values/ids';

const RUNS = { numRuns: 150, seed: 20_261_101 };
const LONG_AFTER = 2_000_000_000_000;

/** Carries out one more command, long after; gives its facts. */
function carryOut({ state, facts }: History, command: AccountCommand): readonly AccountFact[] {
  const decision = decideAccount(command, state, { ...CONTEXT, at: LONG_AFTER });
  assert.ok(!('refused' in decision), `${command.type}: ${JSON.stringify(decision)}`);
  const more = recorded(decision.events, facts.length, LONG_AFTER);
  for (const fact of more) state.write(fact);
  return more;
}

/** Closes what is open, frees what is held, and lets every attempt fail until nothing is left. */
function finish(history: History): readonly AccountFact[] {
  const { state } = history;
  const { items } = state.queueRecords;
  const facts: AccountFact[] = [];
  const done = (command: AccountCommand): void => void facts.push(...carryOut(history, command));
  done({ type: 'CloseInterruptedAttempts' });
  done({ type: 'ReleaseMessages', queueIds: [...items.keys()] });
  for (let rounds = 0; items.size > 0; rounds++) {
    assert.ok(rounds < 10, 'attempts without end');
    for (const [queueId, { canceling }] of items) {
      if (canceling !== null) {
        done({ type: 'DropMessages', queueIds: [queueId] });
        continue;
      }
      const nextAttemptAt = LONG_AFTER;
      done({ type: 'StartAttempt', queueIds: [queueId], nextAttemptAt, transport: '' });
      const attempt = items.get(queueId)?.attempts ?? 0;
      const outcome = { type: 'failed', reply: REPLY, permanent: false } as const;
      done({ type: 'FinishAttempt', queueId, attempt, attemptsMax: 3, outcome });
    }
  }
  return facts;
}

describe('whatever is done to outgoing mail', () => {
  it('every recipient ends exactly once (queue 5, 25)', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(80), (history) => {
        const facts = [...history.facts, ...finish(history)];
        const ends = new Map<QueueId, number>();
        for (const { event } of facts) {
          if (event.type === 'MessageQueued') {
            for (const { queueId } of event.items) ends.set(queueId, 0);
          } else if (event.type === 'MessageRetired') {
            ends.set(event.queueId, (ends.get(event.queueId) ?? NaN) + 1);
          }
        }
        assert.ok([...ends.values()].every((count) => count === 1));
        assert.equal(history.state.queuedBytes(), 0);
      }),
      RUNS,
    );
  });

  it('attempts of an item follow one another, each ended before the next', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(80), ({ facts }) => {
        const open = new Map<QueueId, number>();
        const last = new Map<QueueId, number>();
        for (const { event } of facts) {
          if (event.type === 'AttemptStarted') {
            for (const queueId of event.queueIds) {
              assert.equal(open.has(queueId), false);
              assert.equal(event.attempt, (last.get(queueId) ?? 0) + 1);
              open.set(queueId, event.attempt);
              last.set(queueId, event.attempt);
            }
          } else if ('attempt' in event && 'queueId' in event) {
            assert.equal(open.get(event.queueId), event.attempt);
            open.delete(event.queueId);
          }
        }
      }),
      RUNS,
    );
  });

  it('nothing is told of what has ended, but what came back about it', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(80), ({ facts }) => {
        const ended = new Set<QueueId>();
        for (const { event } of facts) {
          assert.ok(changedItems(event).every((queueId) => !ended.has(queueId)));
          if (event.type === 'MessageRetired') ended.add(event.queueId);
        }
      }),
      RUNS,
    );
  });
});
