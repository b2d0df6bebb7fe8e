/**
 * Views that grew with the account, turn by turn, are equal row for row to views posted from the
 * first fact on; and both are equal wherever one stops.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryDraws, arbitraryHistory, commandOf } from '../support/arbitrary.ts';
import { OPENED, recorded } from '../support/given.ts';
import { CAUSE, openedLanes, testPorts } from '../support/lane-ports.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { emptyViews } from '../support/views.ts';
import { emptyAccountState, evolveAccount } from '#domain/account-state';
import { sweepOrphans } from '#projections/orphans';

const SEED = 20_260_502;

describe('a replay', () => {
  it('gives the rows that the lane gave, whatever happened in it', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryDraws(40), fc.nat({ max: 7 }), async (draws, together) => {
        await using directory = await temporaryDirectory();
        // Removals are soon forgotten, so that a replay must forget the same.
        const ports = { ...testPorts(directory.path), removalsKept: 6 };
        const lanes = await openedLanes(ports);
        const state = emptyAccountState();
        for (const fact of recorded([OPENED])) evolveAccount(state, fact);
        for (let i = 0; i < draws.length; i += together + 1) {
          const told = ports.announced.length;
          const commands = draws
            .slice(i, i + together + 1)
            .map((draw) => commandOf(draw, state, ports.announced.length + 1));
          await Promise.all(commands.map((command) => lanes.execute(7, command, CAUSE)));
          for (const fact of ports.announced.slice(told)) evolveAccount(state, fact);
        }
        assert.deepEqual(await lanes.differences(7), []);
        assert.deepEqual(ports.fatals, []);
        await lanes.close();
      }),
      { numRuns: 12, seed: SEED },
    );
  });

  it('in two parts is a replay', () => {
    fc.assert(
      fc.property(arbitraryHistory(60), fc.nat({ max: 60 }), ({ facts }, cut) => {
        using whole = emptyViews();
        whole.post(facts);
        using parts = emptyViews();
        parts.post(facts.slice(0, cut));
        parts.reader.uidRuns(1);
        parts.post(facts.slice(cut));
        assert.deepEqual(parts.digests(), whole.digests());
        assert.deepEqual(parts.reader.uidRuns(1).uids, whole.reader.uidRuns(1).uids);
      }),
      { numRuns: 40, seed: SEED },
    );
  });

  it('is not told apart by what was swept meanwhile', () => {
    fc.assert(
      fc.property(arbitraryHistory(60), ({ facts }) => {
        using grown = emptyViews();
        for (const fact of facts) {
          grown.post([fact]);
          while (sweepOrphans(grown.db, 3)) continue;
        }
        using replayed = emptyViews();
        replayed.post(facts);
        assert.deepEqual(grown.digests(), replayed.digests());
        const live = grown.db.passing('SELECT count(DISTINCT content_id) AS n FROM messages');
        for (const table of ['contents', 'wires']) {
          const kept = grown.db.passing(`SELECT count(*) AS n FROM ${table}`);
          assert.deepEqual(kept.get([]), live.get([]));
        }
      }),
      { numRuns: 40, seed: SEED },
    );
  });
});
