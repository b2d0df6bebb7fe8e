/** The books of the server without an account: as if it had never been. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryQueueHistory } from '../../support/arbitrary.ts';
import { recorded } from '../../support/given.ts';
import { QUEUED } from '../../support/queued.ts';
import { emptyServerViews } from '../../support/server-views.ts';
import type { AccountEvent } from '#domain/log/streams';
import { CHECKPOINT_DDL } from '#projections/checkpoints';
import { forgetAccount } from '#projections/forgotten-account';

const OTHER = 8;
const RUNS = { numRuns: 25, seed: 20_261_123 };

/** Facts of an account that stays. */
const STAYING: readonly AccountEvent[] = [
  {
    ...QUEUED,
    items: [
      { queueId: OTHER * 2 ** 32 + 1, recipient: 'a@example.org' },
      { queueId: OTHER * 2 ** 32 + 2, recipient: 'b@example.org' },
    ],
    baseId: OTHER * 2 ** 32 + 1,
  },
  { type: 'MessageRetired', queueId: OTHER * 2 ** 32 + 1, outcome: 'canceled', keepUntil: 2e12 },
  { type: 'PasswordSet', secret: 'other' },
];

const KEY = {
  fingerprint: 'f',
  keyType: 'ed25519',
  name: 'phone',
  noImapPreauth: false,
  certificate: 'MIIB',
  login: 'a@example.org',
};

describe('the books of the server', () => {
  it('queue 35: know nothing of an account that was erased', () => {
    fc.assert(
      fc.property(arbitraryQueueHistory(40), ({ state, facts }) => {
        using views = emptyServerViews();
        using others = emptyServerViews();
        views.db.execute(CHECKPOINT_DDL);
        views.post(7, facts);
        const items = [...state.queueRecords.items.keys()];
        const ending: readonly AccountEvent[] = [
          ...state.openWebhooks().map(({ hookId, attempts }): AccountEvent => {
            return { type: 'WebhookAttemptInterrupted', hookId, attempt: attempts };
          }),
          ...[...state.webhookRecords.hooks.keys()].map((hookId): AccountEvent => {
            return { type: 'WebhookRetired', hookId, outcome: 'canceled', keepUntil: 2e12 };
          }),
          ...items.map((queueId): AccountEvent => {
            return { type: 'MessageRetired', queueId, outcome: 'canceled', keepUntil: 2e12 };
          }),
          { type: 'PasswordSet', secret: 'own' },
          { type: 'TlsKeyAdded', ...KEY },
        ];
        views.post(7, recorded(ending, facts.length));
        for (const each of [views, others]) each.post(OTHER, recorded(STAYING));
        assert.notDeepEqual(views.digests(), others.digests());
        views.db.transaction(() => forgetAccount(views.db, 7));
        assert.deepEqual(views.digests(), others.digests());
      }),
      RUNS,
    );
  });
});
