/**
 * What is kept of attempts to log in, and that a replay of the months gives the same rows.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openTestAudit, WRONG_PASSWORD } from '../../support/audit.ts';
import type { LoginAttempt } from '#domain/audit/events';
import type { AuditFact } from '#domain/log/fact';
import { ViewsDatabase } from '#infra/read-models';
import {
  ATTEMPTS_KEPT_MS,
  attemptsSince,
  FAILED_ATTEMPTS_MAX,
  loginAttempts,
} from '#projections/login-attempts';

const BEGAN = Date.UTC(2026, 0, 1);

function fact(attempt: LoginAttempt, at: number, count = 1): AuditFact {
  const event = { type: 'LoginAttempted', attempt, count, firstAt: at, lastAt: at } as const;
  return { revision: 0, modSeq: 1, at, cause: { actor: 'test' }, event };
}

function posted(facts: readonly AuditFact[]): ViewsDatabase {
  const db = new ViewsDatabase(':memory:', 'builder');
  db.execute(loginAttempts.ddl);
  db.transaction(() => {
    for (const one of facts) loginAttempts.apply(one, db, () => undefined);
  });
  return db;
}

function failed(remoteIp: string, accountId?: number): LoginAttempt {
  const details = { mechanism: 'plain', login: '', remoteIp, localIp: '::1', userAgent: '' };
  const owner = accountId === undefined ? {} : { accountId };
  return { protocol: 'imap', result: 'badpassword', ...owner, details };
}

const ALL = { failedOnly: false, limit: 1_000_000 };

describe('attempts to log in', () => {
  it('that are equal are one row, from the first to the last', () => {
    const again = failed('192.0.2.1', 7);
    const db = posted([
      fact(again, BEGAN + 5, 2),
      fact(again, BEGAN, 3),
      fact(failed('192.0.2.1'), BEGAN + 1),
    ]);
    const [first, second] = attemptsSince(db, 0, ALL);
    assert.deepEqual(first, { attempt: again, count: 5, firstAt: BEGAN, lastAt: BEGAN + 5 });
    assert.deepEqual(second?.attempt, failed('192.0.2.1'));
    db.close();
  });

  it('are kept for 30 days behind the last one', () => {
    const end = BEGAN + ATTEMPTS_KEPT_MS;
    const old = [fact(failed('a'), BEGAN - 1), fact(failed('b'), BEGAN)];
    const db = posted([...old, fact(failed('c'), end)]);
    const ips = attemptsSince(db, 0, ALL).map(({ attempt }) => attempt.details?.remoteIp);
    assert.deepEqual(ips, ['c', 'b']);
    assert.equal(attemptsSince(db, BEGAN + 1, ALL).length, 1);
    db.close();
  });

  it('that failed are kept up to 10,000 for each account, the latest ones', () => {
    const facts = Array.from({ length: FAILED_ATTEMPTS_MAX + 5 }, (_, i) =>
      fact(failed(`ip ${i}`, 7), BEGAN + i),
    );
    const letIn = { ...failed('ok', 7), result: 'ok' } as const;
    const db = posted([fact(letIn, BEGAN), fact(failed('other', 8), BEGAN), ...facts]);
    const mine = attemptsSince(db, 0, { ...ALL, account: 7, failedOnly: true });
    assert.equal(mine.length, FAILED_ATTEMPTS_MAX);
    assert.equal(mine.at(-1)?.attempt.details?.remoteIp, 'ip 5');
    assert.equal(attemptsSince(db, 0, { ...ALL, account: 7 }).length, FAILED_ATTEMPTS_MAX + 1);
    assert.equal(attemptsSince(db, 0, { ...ALL, account: 8 }).length, 1);
    assert.equal(attemptsSince(db, 0, { ...ALL, limit: 3 }).length, 3);
    db.close();
  });

  it('have the same rows after a replay', async () => {
    const attempt = fc.record({
      login: fc.constantFrom('alice@example.org', 'nobody@example.org', 'x'),
      remoteIp: fc.constantFrom('192.0.2.1', '192.0.2.2', '192.0.2.3'),
      result: fc.constantFrom('badpassword', 'badcreds', 'aborted', 'badprotocol'),
      waitMs: fc.constantFrom(0, 500, 60_000, 3_600_000, 10 * 86_400_000),
    });
    const histories = fc.array(attempt, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        await using g = await openTestAudit();
        for (const { waitMs, ...one } of history) {
          g.audit.record({ ...WRONG_PASSWORD, ...one });
          await g.pass(waitMs);
        }
        await g.audit.flush();
        const live = g.books.digests();
        await g.books.rebuild();
        assert.deepEqual(g.books.digests(), live);
      }),
      { numRuns: 15, seed: 20_260_601 },
    );
  });
});
