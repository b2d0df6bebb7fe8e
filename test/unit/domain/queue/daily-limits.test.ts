/** How much an account may send in a day (smtp 94, webapi 46). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONTEXT, OPENED, recorded } from '../../../support/given.ts';
import { FIRST, QUEUED, SUBMISSION } from '../../../support/queued.ts';
import { decideAccount } from '#domain/account';
import { emptyAccountState, type AccountRecords } from '#domain/account-state';
import { DEFAULT_SETTINGS, type AccountSettings } from '#domain/directory/settings';
import type { SendingOptions } from '#domain/queue/events';

const DAY_MS = 24 * 3_600_000;

/** An account that has sent to these, at this time. */
interface Sent {
  readonly to: readonly string[];
  readonly at?: number;
  readonly options?: SendingOptions;
}

function addresses(count: number, from: number = 0): readonly string[] {
  return Array.from({ length: count }, (_, i) => `r${from + i}@other.example`);
}

function accountWith(sent: readonly Sent[]): AccountRecords {
  const state = emptyAccountState();
  for (const fact of recorded([OPENED])) state.write(fact);
  for (const { to, at = CONTEXT.at, options } of sent) {
    const items = to.map((recipient, i) => ({ queueId: FIRST + i, recipient }));
    for (const fact of recorded([{ ...QUEUED, ...options, items }], 1, at)) state.write(fact);
  }
  return state;
}

/** What becomes of a message to these. */
function outcome(
  sent: readonly Sent[],
  to: readonly string[],
  limits: Partial<AccountSettings> = {},
  options: SendingOptions = {},
): string {
  const settings = { ...DEFAULT_SETTINGS, ...limits };
  const recipients = to.map((recipient) => ({ recipient }));
  const command = { type: 'QueueMessage', recipients, ...SUBMISSION, options } as const;
  const context = { ...CONTEXT, policy: { ...CONTEXT.policy, settings } };
  const decision = decideAccount(command, accountWith(sent), context);
  return 'refused' in decision ? decision.refused : 'queued';
}

describe('recipients in 24 hours', () => {
  const again = (times: number): readonly Sent[] =>
    Array.from({ length: times }, () => ({ to: addresses(5) }));

  it('are a thousand at most, and all refused when there is no room for all', () => {
    const before = [...again(199)];
    assert.equal(outcome(before, addresses(5)), 'queued');
    assert.equal(outcome(before, addresses(10)), 'MessageLimit');
    assert.equal(outcome(again(200), addresses(1)), 'MessageLimit');
  });

  it('are forgotten after a day', () => {
    const limits = { recipientsPerDayMax: 2 };
    const to = addresses(2);
    const at = CONTEXT.at - DAY_MS;
    assert.equal(outcome([{ to, at }], to, limits), 'queued');
    assert.equal(outcome([{ to, at: at + 1 }], to, limits), 'MessageLimit');
  });

  it('are as many as anybody likes without a limit', () => {
    assert.equal(outcome(again(200), addresses(5), { recipientsPerDayMax: 0 }), 'queued');
  });
});

describe('new recipients in 24 hours', () => {
  it('are two hundred at most', () => {
    const before = [{ to: addresses(199) }];
    assert.equal(outcome(before, addresses(1, 199)), 'queued');
    assert.equal(outcome(before, addresses(2, 199)), 'NewRecipientLimit');
    assert.equal(outcome([], addresses(201)), 'NewRecipientLimit');
  });

  it('are not those that were written to before, whenever that was', () => {
    const long = { to: addresses(300), at: CONTEXT.at - 30 * DAY_MS };
    assert.equal(outcome([long], addresses(300)), 'queued');
    const full = { to: addresses(200, 300) };
    assert.equal(outcome([long, full], addresses(300)), 'queued');
    assert.equal(outcome([long, full], addresses(1, 500)), 'NewRecipientLimit');
  });

  it('are as many as anybody likes without a limit', () => {
    assert.equal(outcome([], addresses(500), { newRecipientsPerDayMax: 0 }), 'queued');
  });
});

it('reports of the server do not count', () => {
  const limits = { recipientsPerDayMax: 1 };
  const report = { report: 'tls' } as const;
  assert.equal(outcome([{ to: addresses(1), options: report }], addresses(1), limits), 'queued');
  assert.equal(outcome([{ to: addresses(1) }], addresses(1), limits, report), 'queued');
});
