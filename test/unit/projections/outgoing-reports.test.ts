/**
 * What is kept of TLS results, and that a replay of the months gives the same rows.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MISMATCH, openTestRecorder, WENT_WELL, WENT_WRONG } from '../../support/tls-results.ts';
import { TLS_DETAILS_MAX, type GatheredTlsResult } from '#domain/report/decide';
import type { TlsPolicy } from '#domain/report/events';
import type { ReportFact } from '#domain/log/fact';
import { ViewsDatabase } from '#infra/read-models';
import {
  outgoingReports,
  TLS_RESULTS_KEPT_MS,
  tlsResultsSince,
} from '#projections/outgoing-reports';

const BEGAN = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const ALL = { limit: 1_000_000 };

function fact(result: Partial<GatheredTlsResult>, at = BEGAN): ReportFact {
  const day = new Date(at).toISOString().slice(0, 10);
  const event = { type: 'TlsResultRecorded', ...WENT_WELL, day, ...result } as const;
  return { revision: 0, modSeq: 1, at, cause: { actor: 'test' }, event };
}

function posted(facts: readonly ReportFact[]): ViewsDatabase {
  const db = new ViewsDatabase(':memory:', 'builder');
  db.execute(outgoingReports.ddl);
  db.transaction(() => {
    for (const one of facts) outgoingReports.apply(one, db, () => undefined);
  });
  return db;
}

describe('TLS results', () => {
  it('of a day and a policy are one row, with what was wrong', () => {
    const ofReport = { ...WENT_WRONG, sendReport: false };
    const db = posted([fact(ofReport), fact(WENT_WELL), fact(ofReport, BEGAN + DAY_MS - 1)]);
    const details = [{ ...MISMATCH, sessions: 2 }];
    const row = { ...WENT_WELL, day: '2026-01-01', successes: 1, failures: 2, details };
    assert.deepEqual(tlsResultsSince(db, 0, ALL), [row]);
    db.close();
  });

  it('keep the flag of a host and a changed policy apart', () => {
    const policy: TlsPolicy = { ...WENT_WELL.policy, strings: ['mode: testing'] };
    const db = posted([fact({}), fact({ isHost: true }), fact({ policy }), fact({ isHost: true })]);
    const rows = tlsResultsSince(db, 0, ALL);
    assert.deepEqual(
      rows.map((row) => [row.isHost, row.policy.strings, row.successes]),
      [
        [false, WENT_WELL.policy.strings, 1],
        [false, policy.strings, 1],
        [true, WENT_WELL.policy.strings, 2],
      ],
    );
    db.close();
  });

  it('are kept for 30 days', () => {
    const end = BEGAN + TLS_RESULTS_KEPT_MS;
    const db = posted([fact(WENT_WRONG, BEGAN - 1), fact(WENT_WRONG), fact({}, end)]);
    const days = (since: number): readonly string[] =>
      tlsResultsSince(db, since, ALL).map(({ day }) => day);
    assert.deepEqual(days(0), ['2026-01-31', '2026-01-01']);
    assert.deepEqual(days(BEGAN + DAY_MS), ['2026-01-31']);
    const sql = 'SELECT count(*) AS count FROM tls_details';
    assert.deepEqual(db.statement(sql).get([]), { count: 1 });
    db.close();
  });

  it('have a bounded number of details, the first ones', () => {
    const facts = Array.from({ length: TLS_DETAILS_MAX + 5 }, (_, i) =>
      fact({ ...WENT_WRONG, details: [{ ...MISMATCH, receivingIp: `192.0.2.${i}` }] }),
    );
    const db = posted([...facts, ...facts]);
    const [row] = tlsResultsSince(db, 0, ALL);
    assert.equal(row?.failures, 2 * facts.length);
    assert.equal(row?.details.length, TLS_DETAILS_MAX);
    assert.ok(row?.details.every(({ sessions }) => sessions === 2));
    db.close();
  });

  it('have the same rows after a replay', async () => {
    const step = fc.record({
      recipientDomain: fc.constantFrom('a.example', 'b.example'),
      receivingIp: fc.constantFrom('192.0.2.1', '192.0.2.2'),
      isHost: fc.boolean(),
      fails: fc.boolean(),
      waitMs: fc.constantFrom(0, 30_000, 60_000, 3_600_000, 10 * DAY_MS),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (history) => {
        await using g = await openTestRecorder();
        for (const { recipientDomain, receivingIp, isHost, fails, waitMs } of history) {
          const details = [{ ...MISMATCH, receivingIp }];
          const result = fails ? { ...WENT_WRONG, details } : WENT_WELL;
          g.recorder.record({ ...result, recipientDomain, isHost });
          await g.pass(waitMs);
        }
        await g.recorder.flush();
        const live = g.books.digests();
        await g.books.rebuild();
        assert.deepEqual(g.books.digests(), live);
      }),
      { numRuns: 15, seed: 20_260_601 },
    );
  });
});
