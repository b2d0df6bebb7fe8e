/**
 * The embedded engine keeps the contract of the event log, and answers like the engine in memory.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Conflict, type EventLog } from '#domain/log/event-log';
import { UPCASTS, type Upcasts } from '#domain/log/upcast';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { openSqliteEventLog } from '#infra/event-log-sqlite';
import { someEvent } from '../support/events.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { eventLogContract, type LogUnderTest } from './event-log.ts';

async function openEngine(): Promise<LogUnderTest> {
  const directory = await temporaryDirectory();
  const open = (upcasts: Upcasts): ReturnType<typeof openSqliteEventLog> =>
    openSqliteEventLog({
      file: directory.file('log.db'),
      onFatal: (fault) => assert.fail(fault),
      upcasts,
    });
  let log = await open(UPCASTS);
  return {
    get log() {
      return log;
    },
    async reopen(upcasts) {
      await log.close();
      log = await open(upcasts);
      return log;
    },
    async [Symbol.asyncDispose]() {
      await log.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

eventLogContract('SQLite', openEngine);

interface Try {
  readonly stream: number;
  readonly expected: number;
  readonly labels: readonly number[];
}

// Few streams, revisions and labels, so that conflicts, repeats and half repeats are common.
const TRY: fc.Arbitrary<Try> = fc.record({
  stream: fc.integer({ min: 1, max: 2 }),
  expected: fc.integer({ min: -1, max: 4 }),
  labels: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
});

async function outcomeOf(log: EventLog, run: number, step: Try): Promise<string> {
  const events = step.labels.map((label) => someEvent(`${run} ${label}`));
  try {
    const { revision } = await log.append(`account-${run}.${step.stream}`, step.expected, events);
    return `at ${revision}`;
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    return `conflict with ${error.actual}`;
  }
}

describe('event log, SQLite beside memory', () => {
  it('answers every history of appends in the same way', async () => {
    await using engine = await openEngine();
    await using memory = openMemoryEventLog();
    let run = 0;
    const sameAnswers = async (steps: readonly Try[]): Promise<void> => {
      run++;
      const outcomes = async (log: EventLog): Promise<readonly string[]> =>
        Promise.all(steps.map((step) => outcomeOf(log, run, step)));
      assert.deepEqual(await outcomes(engine.log), await outcomes(memory));
    };
    const histories = fc.array(TRY, { minLength: 1, maxLength: 30 });
    await fc.assert(fc.asyncProperty(histories, sameAnswers), { numRuns: 200, seed: 1 });
    assert.deepEqual(await engine.log.readAll(0, 20_000), await memory.readAll(0, 20_000));
  });
});
