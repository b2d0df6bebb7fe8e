/**
 * Given facts, when a command, then facts and an answer, or a refusal: how rules are tested.
 *
 * The account has number 7, its clock stands at 1,000,000 s, and `opened` gives it the six default
 * mailboxes with ids 1 … 6 and UIDVALIDITY 1,000,000 … 1,000,005.
 */

import assert from 'node:assert/strict';
import { decideAccount, type AccountCommand, type AnswerTo } from '#domain/account';
import { emptyAccountState, evolveAccount, type AccountRecords } from '#domain/account-state';
import { DEFAULT_POLICY, type AccountSettings } from '#domain/directory/settings';
import { modSeqAt, type AccountEvent, type AccountFact } from '#domain/log/streams';
import type { Arrival, MessageDelivered, NewMessage } from '#domain/message/events';
import type { StoredMessage } from '#domain/message/enter';
import type { DecisionContext, RefusalCode } from '#domain/values/decision';
import type { Instant, MailboxId, Revision } from '#domain/values/ids';

export const CONTEXT: DecisionContext = {
  accountId: 7,
  at: 1_000_000_000,
  policy: DEFAULT_POLICY,
};
export const INBOX_ID = 1;
export const ARCHIVE_ID = 2;
export const JUNK_ID = 4;
export const TRASH_ID = 6;
/** The first id that an opened account has not given out. */
export const NEXT_MAILBOX_ID = 7;
export const NEXT_UID_VALIDITY = 1_000_006;

export const OPENED: AccountEvent = {
  type: 'MailboxesCreated',
  mailboxes: [
    { mailboxId: INBOX_ID, name: 'Inbox', uidValidity: 1_000_000 },
    { mailboxId: ARCHIVE_ID, name: 'Archive', uidValidity: 1_000_001, specialUse: '\\Archive' },
    { mailboxId: 3, name: 'Drafts', uidValidity: 1_000_002, specialUse: '\\Drafts' },
    { mailboxId: JUNK_ID, name: 'Junk', uidValidity: 1_000_003, specialUse: '\\Junk' },
    { mailboxId: 5, name: 'Sent', uidValidity: 1_000_004, specialUse: '\\Sent' },
    { mailboxId: TRASH_ID, name: 'Trash', uidValidity: 1_000_005, specialUse: '\\Trash' },
  ],
};

export const ARRIVAL: Arrival = {
  mailFrom: 'sender@example.org',
  rcptTo: 'daybook@localhost',
  helo: 'mail.example.org',
  ip: '192.0.2.1',
  tls: 'TLSv1.3',
  receipt: 'r1',
};

/** A stored message with the given flags. */
export function stored(...flags: readonly string[]): StoredMessage {
  return {
    body: 'ab'.repeat(32),
    prefix: 'Received: by localhost\r\n',
    sizeBytes: 1000,
    flags,
    receivedAt: 900_000_000,
    zoneMinutes: 60,
  };
}

/** The message as it stands in an event, with the same number as UID and as message id. */
export function message(id: number, ...flags: readonly string[]): NewMessage {
  return { uid: id, messageId: id, ...stored(...flags) };
}

/** Mail arrived, with the same number as UID and as message id. */
export function delivered(
  mailboxId: MailboxId,
  id: number,
  ...flags: readonly string[]
): MessageDelivered {
  return {
    type: 'MessageDelivered',
    mailboxId,
    message: message(id, ...flags),
    arrival: ARRIVAL,
  };
}

/** Events in their places, as if they had been appended from `revision` on. */
export function recorded(
  events: readonly AccountEvent[],
  revision: Revision = 0,
  at: Instant = CONTEXT.at,
): readonly AccountFact[] {
  return events.map((event, i) => ({
    revision: revision + i,
    modSeq: modSeqAt(revision + i, 0),
    at,
    cause: { actor: 'test' },
    event,
  }));
}

export interface When<C extends AccountCommand> {
  /** Exactly these events; what is left out of `answer` is not looked at. */
  gives(events: readonly AccountEvent[], answer?: Partial<AnswerTo<C>>): AccountRecords;
  refused(code: RefusalCode): void;
}

export interface Given {
  readonly state: AccountRecords;
  /** The same, with decisions made at another time or by another policy. */
  under(context: Partial<DecisionContext>): Given;
  /** `settings` are those of the account that are other than everybody's. */
  when<C extends AccountCommand>(command: C, settings?: Partial<AccountSettings>): When<C>;
}

export function given(...events: readonly AccountEvent[]): Given {
  return givenUnder(CONTEXT, events);
}

function givenUnder(context: DecisionContext, events: readonly AccountEvent[]): Given {
  const state = emptyAccountState();
  for (const fact of recorded(events)) evolveAccount(state, fact);
  return {
    state,
    under: (changes) => givenUnder({ ...context, ...changes }, events),
    when(command, changes = {}) {
      const { settings } = context.policy;
      const policy = { ...context.policy, settings: { ...settings, ...changes } };
      const decision = decideAccount(command, state, { ...context, policy });
      return {
        gives(expected, answer) {
          assert.ok(!('refused' in decision), `refused: ${JSON.stringify(decision)}`);
          assert.deepEqual(decision.events, expected);
          if (answer !== undefined) assert.partialDeepStrictEqual(decision.answer, answer);
          for (const fact of recorded(decision.events, events.length, context.at)) {
            evolveAccount(state, fact);
          }
          return state;
        },
        refused(code) {
          assert.ok('refused' in decision, 'not refused');
          assert.equal(decision.refused, code);
        },
      };
    },
  };
}
