/** Rules about messages: UIDs, flags and UNCHANGEDSINCE, copies, moves, expunge. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ARCHIVE_ID,
  ARRIVAL,
  delivered,
  given,
  INBOX_ID,
  JUNK_ID,
  message,
  OPENED,
  stored,
  TRASH_ID,
} from '../../../support/given.ts';
import { EVENT_BYTES_MAX } from '#domain/log/event-log';
import type { AccountEvent } from '#domain/log/streams';
import type { FlagEdit } from '#domain/values/flags';
import type { MailboxId } from '#domain/values/ids';

const JUNK_EDIT: FlagEdit = { add: ['$Junk'], remove: ['$NotJunk'] };

function expunged(mailboxId: MailboxId, uids: string): AccountEvent {
  return { type: 'MessagesExpunged', mailboxId, uids };
}

describe('delivering a message', () => {
  it('gives the next UID and message id', () => {
    given(OPENED, delivered(INBOX_ID, 1))
      .when({
        type: 'DeliverMessage',
        mailbox: 'inbox',
        message: stored('\\Seen'),
        arrival: ARRIVAL,
      })
      .gives([delivered(INBOX_ID, 2, '\\Seen')], { mailboxId: INBOX_ID, uid: 2 });
  });

  it('never gives a UID twice', () => {
    given(OPENED, delivered(INBOX_ID, 1), expunged(INBOX_ID, '1'))
      .when({ type: 'DeliverMessage', mailbox: 'Inbox', message: stored(), arrival: ARRIVAL })
      .gives([delivered(INBOX_ID, 2)]);
  });

  it('into the junk mailbox marks as junk', () => {
    given(OPENED)
      .when({
        type: 'DeliverMessage',
        mailbox: 'Junk',
        message: stored('$NotJunk', '\\Seen'),
        arrival: ARRIVAL,
      })
      .gives([delivered(JUNK_ID, 1, '\\Seen', '$Junk')]);
  });

  it('refuses a mailbox that does not exist or has no UIDs left', () => {
    given(OPENED)
      .when({ type: 'DeliverMessage', mailbox: 'none', message: stored(), arrival: ARRIVAL })
      .refused('NoSuchTarget');
    given(OPENED, delivered(INBOX_ID, 2 ** 32 - 2))
      .when({ type: 'DeliverMessage', mailbox: 'Inbox', message: stored(), arrival: ARRIVAL })
      .refused('UidsExhausted');
    given(OPENED, delivered(INBOX_ID, 2 ** 32 - 3))
      .when({ type: 'DeliverMessage', mailbox: 'Inbox', message: stored(), arrival: ARRIVAL })
      .gives([
        {
          ...delivered(INBOX_ID, 1),
          message: { ...message(1), uid: 2 ** 32 - 2, messageId: 2 ** 32 - 2 },
        },
      ]);
  });
});

describe('appending messages', () => {
  it('is one event for all of a command, with flags in their stored form', () => {
    given(OPENED, delivered(INBOX_ID, 1))
      .when({
        type: 'AppendMessages',
        mailbox: 'Inbox',
        messages: [stored('work', '\\Seen', 'work'), stored('$Junk', '$NotJunk')],
      })
      .gives(
        [
          {
            type: 'MessagesAppended',
            mailboxId: INBOX_ID,
            messages: [message(2, '\\Seen', 'work'), message(3, '$Junk')],
          },
        ],
        { mailboxId: INBOX_ID, uidValidity: 1_000_000, uids: [[2, 3]] },
      );
  });

  it('refuses a missing mailbox and more than one append can hold', () => {
    given(OPENED)
      .when({ type: 'AppendMessages', mailbox: 'none', messages: [stored()] })
      .refused('NoSuchTarget');
    given(OPENED)
      .when({ type: 'AppendMessages', mailbox: 'Inbox', messages: Array(5000).fill(stored()) })
      .refused('TooMuchAtOnce');
  });
});

describe('changing flags', () => {
  const three = [delivered(INBOX_ID, 1, '\\Seen'), delivered(INBOX_ID, 2), delivered(INBOX_ID, 3)];

  it('records only messages that really change', () => {
    given(OPENED, ...three)
      .when({
        type: 'ChangeFlags',
        mailboxId: INBOX_ID,
        uids: [[1, 9]],
        op: 'add',
        flags: ['\\Seen'],
      })
      .gives(
        [
          {
            type: 'FlagsChanged',
            mailboxId: INBOX_ID,
            uids: '2:3',
            edit: { add: ['\\Seen'], remove: [] },
          },
        ],
        { changed: [[2, 3]], leftAlone: [], missing: [[4, 9]] },
      );
  });

  it('has no event when nothing changes', () => {
    const same = given(OPENED, ...three);
    for (const op of ['add', 'replace'] as const) {
      same
        .when({ type: 'ChangeFlags', mailboxId: INBOX_ID, uids: [[1, 1]], op, flags: ['\\Seen'] })
        .gives([], { changed: [] });
    }
    same
      .when({
        type: 'ChangeFlags',
        mailboxId: INBOX_ID,
        uids: [[1, 3]],
        op: 'remove',
        flags: ['work'],
      })
      .gives([], { changed: [] });
  });

  it('leaves alone what changed after UNCHANGEDSINCE', () => {
    // Modseqs: the mailboxes 1, the messages 2, 3 and 4.
    const state = given(OPENED, ...three);
    state
      .when({
        type: 'ChangeFlags',
        mailboxId: INBOX_ID,
        uids: [[1, 3]],
        op: 'replace',
        flags: ['work'],
        unchangedSince: 3,
      })
      .gives(
        [
          {
            type: 'FlagsChanged',
            mailboxId: INBOX_ID,
            uids: '1:2',
            edit: { exactly: ['work'] },
          },
        ],
        { changed: [[1, 2]], leftAlone: [[3, 3]], missing: [] },
      );
    given(OPENED, ...three)
      .when({
        type: 'ChangeFlags',
        mailboxId: INBOX_ID,
        uids: [[1, 3]],
        op: 'add',
        flags: ['work'],
        unchangedSince: 0,
      })
      .gives([], { changed: [], leftAlone: [[1, 3]] });
  });

  it('clears $NotJunk where $Junk is set, and the other way around', () => {
    given(OPENED, delivered(INBOX_ID, 1, '$NotJunk'))
      .when({
        type: 'ChangeFlags',
        mailboxId: INBOX_ID,
        uids: [[1, 1]],
        op: 'add',
        flags: ['$Junk'],
      })
      .gives([{ type: 'FlagsChanged', mailboxId: INBOX_ID, uids: '1', edit: JUNK_EDIT }]);
  });

  it('refuses a mailbox that is gone', () => {
    given(OPENED)
      .when({ type: 'ChangeFlags', mailboxId: 99, uids: [[1, 1]], op: 'add', flags: [] })
      .refused('NoSuchMailbox');
  });

  it('tells a scattered change as several events, none of them too big', () => {
    const messages = Array.from({ length: 120_001 }, (_, i) => message(i + 1));
    const account = given(OPENED, {
      type: 'MessagesAppended',
      mailboxId: INBOX_ID,
      messages,
    });
    const everySecond = Array.from({ length: 60_000 }, (_, i) => [2 * i + 1, 2 * i + 1] as const);
    const decision = account.when({
      type: 'ChangeFlags',
      mailboxId: INBOX_ID,
      uids: everySecond,
      op: 'add',
      flags: ['\\Seen'],
    });
    const edit = { add: ['\\Seen'], remove: [] };
    const uids = everySecond.map(([uid]) => String(uid));
    const first = uids.join(',').lastIndexOf(',', EVENT_BYTES_MAX - 8 * 1024 - 1);
    const texts = [uids.join(',').slice(0, first), uids.join(',').slice(first + 1)];
    decision.gives(
      texts.map((text) => ({
        type: 'FlagsChanged',
        mailboxId: INBOX_ID,
        uids: text,
        edit,
      })),
      { changed: everySecond },
    );
    assert.ok(texts.every((text) => text.length < EVENT_BYTES_MAX));
    assert.equal(account.state.mailbox(INBOX_ID)?.highestModSeq, 4);
  });
});

describe('copying messages', () => {
  const two = [delivered(INBOX_ID, 1, '$NotJunk'), delivered(INBOX_ID, 2)];

  it('gives new UIDs and message ids, and leaves the source as it was', () => {
    const state = given(OPENED, ...two)
      .when({ type: 'CopyMessages', source: INBOX_ID, uids: [[1, 9]], target: 'Archive' })
      .gives(
        [
          {
            type: 'MessagesCopied',
            source: INBOX_ID,
            uids: '1:2',
            target: ARCHIVE_ID,
            firstUid: 1,
            firstMessageId: 3,
          },
        ],
        { uids: [[1, 2]], target: ARCHIVE_ID, uidValidity: 1_000_001, firstUid: 1 },
      );
    assert.equal(state.mailbox(INBOX_ID)?.highestModSeq, 3);
    assert.equal(state.mailbox(ARCHIVE_ID)?.highestModSeq, 4);
    assert.equal(state.nextNumbers().messageId, 5);
  });

  it('into the junk mailbox marks as junk', () => {
    const state = given(OPENED, ...two)
      .when({ type: 'CopyMessages', source: INBOX_ID, uids: [[1, 1]], target: 'Junk' })
      .gives([
        {
          type: 'MessagesCopied',
          source: INBOX_ID,
          uids: '1',
          target: JUNK_ID,
          firstUid: 1,
          firstMessageId: 3,
          edit: JUNK_EDIT,
        },
      ]);
    assert.equal(state.marksOf(JUNK_ID, [[1, 1]])[0]?.bits, 64);
    assert.equal(state.marksOf(INBOX_ID, [[1, 1]])[0]?.bits, 128);
  });

  it('of nothing is no event', () => {
    given(OPENED, ...two)
      .when({ type: 'CopyMessages', source: INBOX_ID, uids: [[99, 99]], target: 'Archive' })
      .gives([], { uids: [] });
  });

  it('refuses missing mailboxes and the same mailbox', () => {
    const account = given(OPENED, ...two);
    const uids = [[1, 1]] as const;
    account
      .when({ type: 'CopyMessages', source: 99, uids, target: 'Archive' })
      .refused('NoSuchMailbox');
    account
      .when({ type: 'CopyMessages', source: INBOX_ID, uids, target: 'x' })
      .refused('NoSuchTarget');
    account
      .when({ type: 'CopyMessages', source: INBOX_ID, uids, target: 'inbox' })
      .refused('SameMailbox');
    account
      .when({ type: 'MoveMessages', source: INBOX_ID, uids, target: 'Inbox' })
      .refused('SameMailbox');
  });
});

describe('moving messages', () => {
  it('keeps the message ids and leaves tombstones', () => {
    const state = given(OPENED, delivered(INBOX_ID, 1), delivered(INBOX_ID, 2))
      .when({ type: 'MoveMessages', source: INBOX_ID, uids: [[2, 2]], target: 'Archive' })
      .gives([
        { type: 'MessagesMoved', source: INBOX_ID, uids: '2', target: ARCHIVE_ID, firstUid: 1 },
      ]);
    assert.equal(state.messageRecords.contents.get(ARCHIVE_ID)?.messages.get(1)?.messageId, 2);
    assert.deepEqual(state.messageRecords.contents.get(INBOX_ID)?.tombstones, [
      { uid: 2, createSeq: 3, modSeq: 4 },
    ]);
  });

  it('out of the junk mailbox takes the mark back, but not into the trash', () => {
    const junk = given(OPENED, delivered(JUNK_ID, 1, '$Junk'));
    junk
      .when({ type: 'MoveMessages', source: JUNK_ID, uids: [[1, 1]], target: 'Trash' })
      .gives([
        { type: 'MessagesMoved', source: JUNK_ID, uids: '1', target: TRASH_ID, firstUid: 1 },
      ]);
    given(OPENED, delivered(JUNK_ID, 1, '$Junk'))
      .when({ type: 'MoveMessages', source: JUNK_ID, uids: [[1, 1]], target: 'Inbox' })
      .gives([
        {
          type: 'MessagesMoved',
          source: JUNK_ID,
          uids: '1',
          target: INBOX_ID,
          firstUid: 1,
          edit: { add: ['$NotJunk'], remove: ['$Junk'] },
        },
      ]);
  });
});

describe('replacing a message', () => {
  const replacing = { type: 'ReplaceMessage', source: INBOX_ID, uid: 1 } as const;

  it('adds one and removes the other in one event', () => {
    given(OPENED, delivered(INBOX_ID, 1))
      .when({ ...replacing, target: 'Inbox', message: stored('\\Draft') })
      .gives(
        [
          {
            type: 'MessageReplaced',
            mailboxId: INBOX_ID,
            uid: 1,
            target: INBOX_ID,
            message: message(2, '\\Draft'),
          },
        ],
        { mailboxId: INBOX_ID, uid: 2 },
      );
  });

  it('may put it into another mailbox, whose ways with junk hold', () => {
    const replaced = { type: 'MessageReplaced', mailboxId: INBOX_ID, uid: 1 } as const;
    given(OPENED, delivered(INBOX_ID, 1))
      .when({ ...replacing, target: 'Junk', message: stored() })
      .gives([{ ...replaced, target: JUNK_ID, message: { ...message(2, '$Junk'), uid: 1 } }]);
  });

  it('refuses a message that is gone, and mailboxes that are not there', () => {
    const gone = given(OPENED, delivered(INBOX_ID, 1), expunged(INBOX_ID, '1'));
    gone.when({ ...replacing, target: 'Inbox', message: stored() }).refused('NoSuchMessage');
    gone.when({ ...replacing, target: 'none', message: stored() }).refused('NoSuchTarget');
    gone
      .when({ ...replacing, source: 99, target: 'Inbox', message: stored() })
      .refused('NoSuchMailbox');
  });
});

describe('expunging messages', () => {
  const three = [
    delivered(INBOX_ID, 1, '\\Deleted'),
    delivered(INBOX_ID, 2),
    delivered(INBOX_ID, 3, '\\Deleted'),
  ];

  it('removes only what is flagged \\Deleted, of the UIDs asked for', () => {
    given(OPENED, ...three)
      .when({ type: 'ExpungeMessages', mailboxId: INBOX_ID, uids: [[1, 2]] })
      .gives([expunged(INBOX_ID, '1')], { expunged: [[1, 1]] });
    given(OPENED, ...three)
      .when({ type: 'ExpungeMessages', mailboxId: INBOX_ID })
      .gives([expunged(INBOX_ID, '1,3')]);
  });

  it('of nothing is no event', () => {
    given(OPENED, delivered(INBOX_ID, 1))
      .when({ type: 'ExpungeMessages', mailboxId: INBOX_ID })
      .gives([], { expunged: [] });
    given(OPENED).when({ type: 'ExpungeMessages', mailboxId: 99 }).refused('NoSuchMailbox');
  });
});
