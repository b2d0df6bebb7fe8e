/**
 * The read models answer what the reference model of the domain answers, after any history.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryHistory, arbitraryQueueHistory, type History } from '../support/arbitrary.ts';
import { emptyViews, type PostedViews } from '../support/views.ts';
import type { AccountRecords } from '#domain/account-state';
import type { MailboxContents } from '#domain/message/state';
import { DELETED, SEEN } from '#domain/values/flags';
import type { MailboxId } from '#domain/values/ids';
import { uidSetOf, type UidSet } from '#domain/values/uid-set';

const RUNS = { numRuns: 60, seed: 20_260_501 };
const EVERYTHING: UidSet = [[1, 100_000]];

function everyHistory(
  check: (history: History, views: PostedViews) => void,
  histories: fc.Arbitrary<History> = arbitraryHistory(60),
): void {
  fc.assert(
    fc.property(histories, (history) => {
      using views = emptyViews();
      views.post(history.facts);
      check(history, views);
    }),
    RUNS,
  );
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('after any history', () => {
  it('decisions get the same answers about mailboxes', () => {
    everyHistory(({ state }, views) => {
      const names = [...state.mailboxRecords.mailboxes.values()].map(({ name }) => name);
      for (const name of [...names, 'a', 'nowhere']) {
        const found = views.state.mailboxNamed(name);
        const right = state.mailboxNamed(name);
        assert.equal(found?.mailboxId, right?.mailboxId);
        assert.equal(views.state.isSubscribed(name), state.isSubscribed(name));
        assert.deepEqual(
          views.state.mailboxesBelow(name).map((below) => below.name),
          state.mailboxesBelow(name).map((below) => below.name),
        );
      }
      for (const record of state.mailboxRecords.mailboxes.values()) {
        const found = views.state.mailbox(record.mailboxId);
        assert.partialDeepStrictEqual(plain(found), plain(record));
      }
      for (const use of ['\\Archive', '\\Junk', '\\Sent'] as const) {
        assert.equal(views.state.mailboxFor(use)?.mailboxId, state.mailboxFor(use)?.mailboxId);
      }
      for (const mailboxId of [undefined, ...state.mailboxRecords.mailboxes.keys()]) {
        const annotations = state.annotationsOf(mailboxId);
        assert.deepEqual(views.state.annotationsOf(mailboxId), annotations);
        assert.deepEqual(views.reader.annotations(mailboxId), annotations);
      }
      assert.deepEqual({ ...views.state.annotationTotals() }, state.annotationTotals());
      assert.equal(views.state.usedBytes(), state.usedBytes());
      assert.equal(views.reader.usedBytes(), state.usedBytes());
      assert.equal(views.state.mailboxCount(), state.mailboxCount());
      assert.deepEqual({ ...views.state.nextNumbers() }, state.nextNumbers());
    });
  });

  it('decisions get the same answers about messages', () => {
    everyHistory(({ state }, views) => {
      for (const mailboxId of state.mailboxRecords.mailboxes.keys()) {
        for (const uids of [EVERYTHING, uidSetOf([1, 3, 4, 7]), [[2, 9]] as const]) {
          assert.deepEqual(
            views.state.marksOf(mailboxId, uids).map((mark) => ({ ...mark })),
            state
              .marksOf(mailboxId, uids)
              .map(({ uid, bits, keywords, modSeq }) => ({ uid, bits, keywords, modSeq })),
          );
          assert.deepEqual(
            views.state.existingOf(mailboxId, uids),
            state.existingOf(mailboxId, uids),
          );
          assert.equal(views.state.bytesOf(mailboxId, uids), state.bytesOf(mailboxId, uids));
          assert.deepEqual(
            views.state.deletedOf(mailboxId, uids),
            state.deletedOf(mailboxId, uids),
          );
        }
      }
    });
  });

  it('decisions get the same answers about outgoing mail', () => {
    everyHistory(({ state, facts }, views) => {
      const { items, sent } = state.queueRecords;
      for (const queueId of [...items.keys(), ...sent.keys()]) {
        assert.deepEqual(views.state.queueItem(queueId), state.queueItem(queueId));
      }
      assert.deepEqual(views.state.openAttempts(), state.openAttempts());
      assert.equal(views.state.queuedBytes(), state.queuedBytes());
      const lastAt = facts.at(-1)?.at ?? 0;
      for (const since of [lastAt - 24 * 3_600_000, lastAt - 1000, lastAt]) {
        assert.equal(views.state.recipientsSince(since), state.recipientsSince(since));
        assert.equal(views.state.newRecipientsSince(since), state.newRecipientsSince(since));
      }
      for (const { recipient } of [...items.values(), ...sent.values()]) {
        assert.equal(views.state.hasWrittenTo(recipient), state.hasWrittenTo(recipient));
      }
      for (const { queueId, recipient, headerId, fromId = '', envelopeId = '' } of sent.values()) {
        const references = [
          { type: 'from-id', fromId },
          { type: 'envelope-id', envelopeId, recipient },
          { type: 'header-id', headerId, recipient },
        ] as const;
        for (const reference of references) {
          const found = views.state.sentItem(reference);
          assert.deepEqual(found && { ...found }, state.sentItem(reference));
        }
        for (const besides of [queueId, 0]) {
          const inRow = state.failuresInRow(recipient, besides);
          assert.equal(views.state.failuresInRow(recipient, besides), inRow);
        }
      }
      const last = facts.at(-1)?.at ?? 0;
      for (const upTo of [0, last, last + 600_001, last + 15 * 86_400_000]) {
        assert.equal(views.state.remembersUpTo(upTo), state.remembersUpTo(upTo));
      }
      for (const [base, suppression] of state.suppressionRecords.suppressions) {
        assert.deepEqual(views.state.suppression(base), suppression);
      }
      assert.equal(views.reader.suppressions().length, state.suppressionRecords.suppressions.size);
    }, arbitraryQueueHistory(60));
  });

  it('decisions get the same answers about webhooks', () => {
    everyHistory(({ state, facts }, views) => {
      const { hooks, keepUntil } = state.webhookRecords;
      for (const hookId of [...hooks.keys(), ...keepUntil.keys(), 1]) {
        assert.deepEqual(views.state.webhook(hookId), state.webhook(hookId));
        assert.deepEqual(views.reader.webhook(hookId), state.webhook(hookId));
      }
      for (const queueId of [
        ...state.queueRecords.items.keys(),
        ...state.queueRecords.sent.keys(),
      ]) {
        assert.deepEqual(views.state.pendingWebhooksOf(queueId), state.pendingWebhooksOf(queueId));
        assert.deepEqual(views.state.sentItemOf(queueId), state.sentItemOf(queueId));
      }
      assert.deepEqual(views.state.openWebhooks(), state.openWebhooks());
      assert.equal(views.state.nextHookNumber(), state.nextHookNumber());
      const last = facts.at(-1)?.at ?? 0;
      for (const upTo of [0, last - 400_000, last, last + 400_001]) {
        assert.equal(views.state.remembersWebhooksUpTo(upTo), state.remembersWebhooksUpTo(upTo));
      }
    }, arbitraryQueueHistory(60));
  });

  it('conversations see the messages, and counts that were never counted', () => {
    everyHistory(({ state }, views) => {
      for (const mailbox of state.mailboxRecords.mailboxes.values()) {
        const { mailboxId } = mailbox;
        const { messages, keywords } = contentsOf(state, mailboxId);
        const all = [...messages.values()];
        const deleted = all.filter(({ bits }) => (bits & DELETED) !== 0);
        const unseen = all.filter(({ bits }) => (bits & SEEN) === 0);
        const sum = (list: typeof all): number => list.reduce((n, m) => n + m.sizeBytes, 0);
        assert.partialDeepStrictEqual(views.reader.mailbox(mailboxId), {
          exists: all.length,
          unseen: unseen.length,
          deleted: deleted.length,
          deletedBytes: sum(deleted),
          sizeBytes: sum(all),
          highestModSeq: mailbox.highestModSeq,
          keywords: [...keywords].sort(),
        });
        assert.equal(views.reader.firstUnseen(mailboxId), unseen[0]?.uid);
        assert.deepEqual(views.reader.uidRuns(mailboxId).uids, uidSetOf(all.map(({ uid }) => uid)));
        assert.deepEqual(
          views.reader.rows(mailboxId, EVERYTHING).map((row) => ({ ...row })),
          all,
        );
        assert.deepEqual(
          views.reader.wire(mailboxId, EVERYTHING, 'envelope').map(({ text }) => text),
          all.map(({ body }) => `("envelope ${body.slice(0, 1)}")`),
        );
      }
    });
  });
});

describe('from any past modseq', () => {
  it('the changes lead to what is there now', () => {
    fc.assert(
      fc.property(arbitraryHistory(40), (history) => {
        using views = emptyViews();
        views.post(history.facts);
        for (let since = 0; since <= history.facts.length; since++) {
          agreesSince(history, views, since);
        }
      }),
      { ...RUNS, numRuns: 20 },
    );
  });
});

/** What the facts say about the time after `since`, against what the views say. */
function agreesSince(history: History, views: PostedViews, since: number): void {
  for (const mailboxId of history.state.mailboxRecords.mailboxes.keys()) {
    const { messages, tombstones } = contentsOf(history.state, mailboxId);
    assert.deepEqual(
      views.reader.changedSince(mailboxId, since, EVERYTHING).map(({ uid }) => uid),
      [...messages.values()].filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid),
    );
    assert.deepEqual(
      views.reader.vanishedSince(mailboxId, since, EVERYTHING),
      uidSetOf(tombstones.filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid)),
    );
    for (const { uid, modSeq } of tombstones) {
      assert.equal(views.reader.vanishedAt(mailboxId, uid), modSeq);
    }
  }
}

const NO_MESSAGES: MailboxContents = { messages: new Map(), tombstones: [], keywords: new Set() };

function contentsOf(state: AccountRecords, mailboxId: MailboxId): MailboxContents {
  return state.messageRecords.contents.get(mailboxId) ?? NO_MESSAGES;
}
