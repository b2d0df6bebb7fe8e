/** What holds after any history of an account, whatever was commanded. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arbitraryHistory, type History } from '../support/arbitrary.ts';
import { CONTEXT } from '../support/given.ts';
import { decideAccount } from '#domain/account';
import { emptyAccountState, evolveAccount } from '#domain/account-state';
import { FLAG_BITS } from '#domain/values/flags';
import type { MailboxId, ModSeq, Uid } from '#domain/values/ids';
import { canonicalMailboxName, parentNames } from '#domain/values/mailbox-name';
import { parseUidSet, uidCount } from '#domain/values/uid-set';

const RUNS = { seed: 20260103, numRuns: 60 };
const histories = arbitraryHistory(60);

/** Every UID with the mailbox it was given in, in the order in which they were given. */
function uidsGiven({ facts }: History): readonly (readonly [MailboxId, Uid, number])[] {
  return facts.flatMap(({ event }): (readonly [MailboxId, Uid, number])[] => {
    switch (event.type) {
      case 'MessageDelivered':
        return [[event.mailboxId, event.message.uid, 1]];
      case 'MessagesAppended':
        return event.messages.map(({ uid }) => [event.mailboxId, uid, 1]);
      case 'MessageReplaced':
        return [[event.target, event.message.uid, 1]];
      case 'MessagesCopied':
      case 'MessagesMoved':
        return [[event.target, event.firstUid, uidCount(parseUidSet(event.uids))]];
      default:
        return [];
    }
  });
}

describe('any history of an account', () => {
  it('gives UIDs in order, each once', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const next = new Map<MailboxId, Uid>();
        for (const [mailboxId, uid, count] of uidsGiven(history)) {
          assert.equal(uid, next.get(mailboxId) ?? 1);
          next.set(mailboxId, uid + count);
        }
        for (const { mailboxId, uidNext } of history.state.mailboxRecords.mailboxes.values()) {
          assert.equal(uidNext, next.get(mailboxId) ?? 1);
        }
      }),
      RUNS,
    );
  });

  it('keeps every parent, Inbox, one mailbox per name and per special use', () => {
    fc.assert(
      fc.property(histories, ({ state }) => {
        const mailboxes = [...state.mailboxRecords.mailboxes.values()];
        const names = new Set(mailboxes.map(({ name }) => name));
        assert.equal(names.size, mailboxes.length);
        assert.ok(names.has('Inbox'));
        for (const name of names) {
          assert.equal(canonicalMailboxName(name), name);
          for (const parent of parentNames(name)) assert.ok(names.has(parent), parent);
        }
        const uses = mailboxes.flatMap(({ specialUse }) => specialUse ?? []);
        assert.equal(new Set(uses).size, uses.length);
        const validities = mailboxes.map(({ uidValidity }) => uidValidity);
        assert.equal(new Set(validities).size, validities.length);
      }),
      RUNS,
    );
  });

  it('leaves no message junk and not junk, none without its mailbox, no id twice', () => {
    fc.assert(
      fc.property(histories, ({ state }) => {
        const ids: number[] = [];
        for (const [mailboxId, { messages, tombstones }] of state.messageRecords.contents) {
          assert.ok(state.mailbox(mailboxId) !== undefined || messages.size === 0);
          const highest: ModSeq = state.mailbox(mailboxId)?.highestModSeq ?? 0;
          for (const message of messages.values()) {
            const both = FLAG_BITS.$Junk | FLAG_BITS.$NotJunk;
            assert.notEqual(message.bits & both, both);
            assert.ok(message.createSeq <= message.modSeq && message.modSeq <= highest);
            ids.push(message.messageId);
          }
          for (const { uid, createSeq, modSeq } of tombstones) {
            assert.ok(!messages.has(uid));
            assert.ok(createSeq < modSeq && modSeq <= highest);
          }
        }
        assert.equal(new Set(ids).size, ids.length);
      }),
      RUNS,
    );
  });

  it('says the same when it is told again', () => {
    fc.assert(
      fc.property(histories, ({ facts, state }) => {
        const again = facts.reduce(evolveAccount, emptyAccountState());
        assert.deepEqual(again.mailboxRecords, state.mailboxRecords);
        assert.deepEqual(again.messageRecords, state.messageRecords);
      }),
      RUNS,
    );
  });
});

describe('any command', () => {
  it('that has just been carried out changes no flags a second time', () => {
    fc.assert(
      fc.property(histories, ({ commands, state }) => {
        const last = commands.at(-1);
        if (last?.type !== 'ChangeFlags') return;
        const context = { ...CONTEXT, at: 2_000_000_000 };
        const decision = decideAccount(last, state, context);
        if (!('refused' in decision)) assert.deepEqual(decision.events, []);
      }),
      RUNS,
    );
  });

  it('decides the same on the same state', () => {
    fc.assert(
      fc.property(histories, ({ commands, state }) => {
        const context = { ...CONTEXT, at: 2_000_000_000 };
        for (const command of commands) {
          const first = decideAccount(command, state, context);
          assert.deepEqual(decideAccount(command, state, context), first);
        }
      }),
      { ...RUNS, numRuns: 20 },
    );
  });
});
