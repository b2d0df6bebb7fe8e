/** A state in memory behind a lane: copied for every turn, carried on from the log. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { someEvents } from '../../support/events.ts';
import type { RecordedEvent } from '#domain/log/event';
import { APPEND_EVENTS_MAX } from '#domain/log/event-log';
import type { Fact } from '#domain/log/fact';
import { openMemoryEventLog } from '#infra/event-log-memory';
import { StateLedger } from '#infra/state-ledger';

/** Events of no meaning are their own ids. */
function factOf({ revision, at, cause, id }: RecordedEvent): Fact<string> {
  return { revision, modSeq: revision + 1, at, cause, event: id };
}

const POSTING = {
  empty: [],
  copy: (state: readonly string[]) => [...state],
  evolve: (draft: string[], id: string) => void draft.push(id),
  factOf,
};

async function ledgerOf(count: number): Promise<{
  readonly ledger: StateLedger<string[], string>;
  readonly ids: readonly string[];
  readonly recorded: readonly RecordedEvent[];
}> {
  const log = openMemoryEventLog();
  const events = someEvents('thing', count);
  for (let from = 0; from < count; from += APPEND_EVENTS_MAX) {
    await log.append('things', from - 1, events.slice(from, from + APPEND_EVENTS_MAX));
  }
  const ledger = new StateLedger<string[], string>(log, 'things', POSTING);
  const recorded = await log.read('things', 0, count);
  return { ledger, ids: events.map(({ id }) => id), recorded };
}

describe('a ledger in memory', () => {
  it('catches up from the log and tells what it has learnt, page by page', async () => {
    const { ledger, ids } = await ledgerOf(1001);
    const pages: number[] = [];
    await ledger.catchUp((facts) => pages.push(facts.length));
    assert.deepEqual(pages, [1000, 1]);
    assert.deepEqual(ledger.committed, ids);
    assert.equal(ledger.head.revision, 1000);
  });

  it('shows a turn to nobody before it is committed', async () => {
    const { ledger, ids, recorded } = await ledgerOf(1);
    ledger.begin();
    for (const event of recorded) ledger.apply(factOf(event));
    assert.deepEqual([ledger.state, ledger.committed], [ids, []]);
    ledger.commit();
    assert.deepEqual(ledger.committed, ids);
  });

  it('forgets a turn that is rolled back', async () => {
    const { ledger, ids, recorded } = await ledgerOf(2);
    ledger.post(recorded.slice(0, 1));
    ledger.begin();
    for (const event of recorded.slice(1)) ledger.apply(factOf(event));
    ledger.rollback();
    assert.deepEqual([ledger.state, ledger.head.revision], [ids.slice(0, 1), 0]);
  });
});
