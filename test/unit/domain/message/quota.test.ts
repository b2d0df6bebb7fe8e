/** The quota: what it stops, and what it never does. A message of these tests has 1000 octets. */

import { describe, it } from 'node:test';
import {
  ARCHIVE_ID,
  ARRIVAL,
  delivered,
  given,
  INBOX_ID,
  OPENED,
  stored,
  type Given,
} from '../../../support/given.ts';
import { FIRST, notice, QUEUED, REPLY, started } from '../../../support/queued.ts';

const TWO: Given = given(OPENED, delivered(INBOX_ID, 1), delivered(INBOX_ID, 2));

const DELIVER = {
  type: 'DeliverMessage',
  mailbox: 'Inbox',
  message: stored(),
  arrival: ARRIVAL,
} as const;

describe('a quota', () => {
  it('takes mail up to its last octet', () => {
    TWO.when(DELIVER, { quotaBytes: 2999 }).refused('OverQuota');
    given(OPENED, delivered(INBOX_ID, 1))
      .when(DELIVER, { quotaBytes: 2000 })
      .gives([delivered(INBOX_ID, 2)]);
  });

  it('of 0 is none', () => {
    given(OPENED, delivered(INBOX_ID, 1))
      .when(DELIVER, { quotaBytes: 0 })
      .gives([delivered(INBOX_ID, 2)]);
  });

  it('imap 109: stops all of an APPEND when one message is too much', () => {
    const append = { type: 'AppendMessages', mailbox: 'Inbox' } as const;
    const settings = { quotaBytes: 3000 };
    TWO.when({ ...append, messages: [stored(), stored()] }, settings).refused('OverQuota');
    TWO.when({ ...append, mailbox: 'none', messages: [stored()] }, { quotaBytes: 1 }).refused(
      'NoSuchTarget',
    );
  });

  it('counts copies with their full size', () => {
    const copy = { type: 'CopyMessages', source: INBOX_ID, target: 'Archive' } as const;
    const both = { ...copy, uids: [[1, 9]] as const };
    TWO.when(both, { quotaBytes: 3999 }).refused('OverQuota');
    TWO.when({ ...copy, uids: [[7, 9]] }, { quotaBytes: 1 }).gives([]);
    given(OPENED, delivered(INBOX_ID, 1))
      .when({ ...copy, uids: [[1, 1]] }, { quotaBytes: 2000 })
      .gives([
        {
          type: 'MessagesCopied',
          source: INBOX_ID,
          uids: '1',
          target: ARCHIVE_ID,
          firstUid: 1,
          firstMessageId: 2,
        },
      ]);
  });

  it('counts what a REPLACE adds to the message that goes', () => {
    const replace = { type: 'ReplaceMessage', source: INBOX_ID, uid: 1, target: 'Inbox' } as const;
    const larger = { ...stored(), sizeBytes: 1500 };
    TWO.when({ ...replace, message: larger }, { quotaBytes: 2400 }).refused('OverQuota');
    const { uid: _, messageId: __, ...message } = delivered(INBOX_ID, 1).message;
    given(OPENED, delivered(INBOX_ID, 1))
      .when({ ...replace, message: stored() }, { quotaBytes: 1 })
      .gives([
        {
          type: 'MessageReplaced',
          mailboxId: INBOX_ID,
          uid: 1,
          target: INBOX_ID,
          message: { ...message, uid: 2, messageId: 2 },
        },
      ]);
  });

  it('imap 120: never stops a MOVE', () => {
    given(OPENED, delivered(INBOX_ID, 1))
      .when(
        { type: 'MoveMessages', source: INBOX_ID, uids: [[1, 1]], target: 'Archive' },
        { quotaBytes: 1 },
      )
      .gives([
        {
          type: 'MessagesMoved',
          source: INBOX_ID,
          uids: '1',
          target: ARCHIVE_ID,
          firstUid: 1,
        },
      ]);
  });

  it('does not stop what the queue brings back: a notice of failure, a copy in local mode', () => {
    const trying = given(OPENED, QUEUED, started(1));
    const end = { type: 'FinishAttempt', queueId: FIRST, attempt: 1, attemptsMax: 8 } as const;
    const settings = { quotaBytes: 1 };
    const ended = { queueId: FIRST, attempt: 1 } as const;
    trying
      .when({ ...end, outcome: { type: 'delivered', reply: REPLY, copy: notice() } }, settings)
      .gives([
        { type: 'AttemptSucceeded', ...ended, ...REPLY },
        { type: 'MessageRetired', queueId: FIRST, outcome: 'delivered' },
        delivered(INBOX_ID, 1),
      ]);
    const failure = { type: 'failed', reply: REPLY, permanent: true } as const;
    given(OPENED, QUEUED, started(1))
      .when({ ...end, outcome: { ...failure, notices: { failed: notice() } } }, settings)
      .gives([
        { type: 'AttemptFailed', ...ended, ...REPLY, permanent: true },
        { type: 'MessageRetired', queueId: FIRST, outcome: 'failed' },
        delivered(INBOX_ID, 1),
      ]);
  });

  it('gives back what was removed, with a mailbox too', () => {
    const account = given(
      OPENED,
      delivered(ARCHIVE_ID, 1),
      delivered(INBOX_ID, 1),
      { type: 'MessagesExpunged', mailboxId: INBOX_ID, uids: '1' },
      { type: 'MailboxDeleted', mailboxId: ARCHIVE_ID, name: 'Archive' },
    );
    const message = { ...stored(), sizeBytes: 2000 };
    account.when({ ...DELIVER, message }, { quotaBytes: 1999 }).refused('OverQuota');
    account
      .when({ ...DELIVER, message: { ...message, sizeBytes: 1999 } }, { quotaBytes: 1999 })
      .gives([
        {
          ...delivered(INBOX_ID, 2),
          message: { ...delivered(INBOX_ID, 2).message, sizeBytes: 1999 },
        },
      ]);
  });
});
