/**
 * A turn that is under way: decisions are answered as the facts so far have it, whatever of them is
 * written and whatever was asked before; and a turn that is rolled back leaves nothing behind.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryHistory, arbitraryQueueHistory, type History } from '../support/arbitrary.ts';
import { emptyViews } from '../support/views.ts';
import type { AccountState } from '#domain/account';
import { emptyAccountState, evolveAccount, type AccountRecords } from '#domain/account-state';
import type { Instant } from '#domain/values/ids';
import type { UidSet } from '#domain/values/uid-set';

const RUNS = { numRuns: 40, seed: 20_261_201 };
const EVERYTHING: UidSet = [[1, 100_000]];
const SOME: UidSet = [
  [1, 2],
  [4, 9],
];
const BODIES = [...'0123456789abcdef'].map((digit) => digit.repeat(64));

type Question = (state: AccountState) => unknown;

/** What decisions may ask where `records` are right; the first is to be asked more often. */
function questionsOf({ mailboxRecords, queueRecords }: AccountRecords, at: Instant): Question[] {
  const mailboxIds = [...mailboxRecords.mailboxes.keys()];
  const queueIds = [...queueRecords.items.keys(), ...queueRecords.sent.keys()];
  return [
    (state) => BODIES.map((body) => state.bodyRelease(body)),
    ...mailboxIds.flatMap((id): Question[] => [
      (state) => state.marksOf(id, EVERYTHING).map(({ uid, bits, modSeq }) => [uid, bits, modSeq]),
      (state) => state.existingOf(id, EVERYTHING),
      (state) => state.deletedOf(id, EVERYTHING),
      (state) => [state.bytesOf(id, EVERYTHING), state.bytesOf(id, SOME)],
      (state) => state.mailbox(id)?.uidNext,
    ]),
    ...queueIds.flatMap((id): Question[] => [
      (state) => state.queueItem(id),
      (state) => state.sentItemOf(id),
      (state) => state.pendingWebhooksOf(id),
    ]),
    ...BODIES.map(
      (body): Question =>
        (state) =>
          state.bodyRelease(body),
    ),
    (state) => [state.usedBytes(), state.mailboxCount(), state.queuedBytes()],
    (state) => ({ ...state.nextNumbers() }),
    (state) => state.openAttempts(),
    (state) => [state.openWebhooks(), state.nextHookNumber()],
    (state) => [state.recipientsSince(at), state.newRecipientsSince(at)],
  ];
}

/** Asks some of everything behind each fact, first in a turn that comes to nothing. */
function answersRightly({ facts }: History, picks: readonly number[]): void {
  using views = emptyViews();
  let n = 0;
  const pick = (below: number): number => (picks[n++ % picks.length] ?? 0) % Math.max(1, below);
  const records = emptyAccountState();
  for (let from = 0; from < facts.length;) {
    const turn = facts.slice(from, from + 1 + pick(40));
    from += turn.length;
    views.attempt(turn, (fact) => {
      evolveAccount(records, fact);
      const questions = questionsOf(records, fact.at);
      for (let i = pick(4); i > 0; i--) {
        const question = questions[pick(pick(2) * questions.length)] as Question;
        assert.deepEqual(question(views.state), question(records), String(question));
      }
    });
    views.post(turn);
  }
  using whole = emptyViews();
  whole.post(facts);
  assert.deepEqual(views.digests(), whole.digests());
}

describe('a turn', () => {
  const picks = fc.array(fc.nat(), { minLength: 200, maxLength: 200, size: 'max' });

  it('has what its facts have changed about messages', () => {
    fc.assert(fc.property(arbitraryHistory(80), picks, answersRightly), RUNS);
  });

  it('has what its facts have changed about outgoing mail', () => {
    fc.assert(fc.property(arbitraryQueueHistory(80), picks, answersRightly), RUNS);
  });
});
