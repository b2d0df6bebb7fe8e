/** Rules about mailboxes: names, parents, special uses, what renaming does. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ARCHIVE_ID,
  ARRIVAL,
  delivered,
  given,
  INBOX_ID,
  NEXT_MAILBOX_ID,
  NEXT_UID_VALIDITY,
  OPENED,
  stored,
} from '../../../support/given.ts';
import { hookQueued } from '../../../support/hooks.ts';
import { QUEUED } from '../../../support/queued.ts';
import type { MailboxEvent, NewMailbox, SpecialUse } from '#domain/mailbox/events';

/** The n-th mailbox that is created after opening. */
function nth(n: number, name: string, specialUse?: SpecialUse): NewMailbox {
  return {
    mailboxId: NEXT_MAILBOX_ID + n,
    name,
    uidValidity: NEXT_UID_VALIDITY + n,
    ...(specialUse === undefined ? {} : { specialUse }),
  };
}

function created(...names: readonly string[]): MailboxEvent {
  return { type: 'MailboxesCreated', mailboxes: names.map((name, i) => nth(i, name)) };
}

describe('opening an account', () => {
  it('makes the default mailboxes, with UIDVALIDITY from the time of opening', () => {
    given().when({ type: 'OpenAccount' }).gives([OPENED]);
  });

  it('does nothing a second time', () => {
    given(OPENED).when({ type: 'OpenAccount' }).gives([], { created: [] });
  });
});

describe('creating a mailbox', () => {
  it('makes missing parents first, and subscribes to each', () => {
    const state = given(OPENED)
      .when({ type: 'CreateMailbox', name: 'a/b/c' })
      .gives([created('a', 'a/b', 'a/b/c')]);
    for (const name of ['a', 'a/b', 'a/b/c']) assert.ok(state.isSubscribed(name));
  });

  it('drops one slash at the end and writes Inbox one way', () => {
    given(OPENED)
      .when({ type: 'CreateMailbox', name: 'x/' })
      .gives([created('x')]);
    given(OPENED)
      .when({ type: 'CreateMailbox', name: 'iNBOX/x' })
      .gives([created('Inbox/x')]);
  });

  it('refuses names that exist or that no mailbox can have', () => {
    given(OPENED).when({ type: 'CreateMailbox', name: 'inbox' }).refused('MailboxExists');
    given(OPENED).when({ type: 'CreateMailbox', name: 'Sent/' }).refused('MailboxExists');
    for (const name of ['', '/', '#x', '/x', 'x//', 'x//y', 'x/../y', '.', 'a\u0001', 'A\u0308']) {
      given(OPENED).when({ type: 'CreateMailbox', name }).refused('MailboxNameForbidden');
    }
  });

  it('takes a special use away from the mailbox that had it, in the same event', () => {
    const state = given(OPENED)
      .when({ type: 'CreateMailbox', name: 'Old', specialUse: '\\Archive' })
      .gives([
        {
          type: 'MailboxesCreated',
          mailboxes: [nth(0, 'Old', '\\Archive')],
          specialUseTakenFrom: ARCHIVE_ID,
        },
      ]);
    assert.equal(state.mailboxFor('\\Archive')?.name, 'Old');
    assert.equal(state.mailbox(ARCHIVE_ID)?.highestModSeq, 2);
    assert.equal(state.mailboxNamed('Old')?.highestModSeq, 2);
  });

  it('never gives a UIDVALIDITY or an id twice', () => {
    given(OPENED, created('a'), {
      type: 'MailboxDeleted',
      mailboxId: NEXT_MAILBOX_ID,
      name: 'a',
    })
      .when({ type: 'CreateMailbox', name: 'a' })
      .gives([{ type: 'MailboxesCreated', mailboxes: [nth(1, 'a')] }]);
  });

  it('refuses more mailboxes than an account may have', () => {
    const mailboxes = Array.from({ length: 9_994 }, (_, i) => nth(i, `m${i}`));
    const full = given(OPENED, { type: 'MailboxesCreated', mailboxes });
    full.when({ type: 'CreateMailbox', name: 'x' }).refused('TooManyMailboxes');
    full.when({ type: 'RenameMailbox', from: 'm1', to: 'x/y' }).refused('TooManyMailboxes');
  });
});

describe('a mailbox that a delivery needs', () => {
  const mail = { type: 'DeliverMessage', message: stored(), arrival: ARRIVAL } as const;

  it('queue 34: is made with its parents, in the same append', () => {
    given(OPENED)
      .when({ ...mail, mailbox: 'a/b', makeMailbox: true })
      .gives([created('a', 'a/b'), delivered(NEXT_MAILBOX_ID + 1, 1)], {
        mailboxId: NEXT_MAILBOX_ID + 1,
        uid: 1,
      });
  });

  it('is taken when it is there', () => {
    given(OPENED, created('a', 'a/b'), delivered(NEXT_MAILBOX_ID + 1, 1))
      .when({ ...mail, mailbox: 'a/b', makeMailbox: true })
      .gives([delivered(NEXT_MAILBOX_ID + 1, 2)]);
  });

  it('needs a name that may be one', () => {
    given(OPENED)
      .when({ ...mail, mailbox: 'a//b', makeMailbox: true })
      .refused('MailboxNameForbidden');
  });
});

describe('deleting a mailbox', () => {
  it('leaves the subscription', () => {
    const state = given(OPENED)
      .when({ type: 'DeleteMailbox', name: 'Archive' })
      .gives([{ type: 'MailboxDeleted', mailboxId: ARCHIVE_ID, name: 'Archive' }]);
    assert.ok(state.isSubscribed('Archive'));
  });

  it('refuses Inbox, mailboxes with children, and what does not exist', () => {
    const tree = given(OPENED, created('a', 'a/b'));
    tree.when({ type: 'DeleteMailbox', name: 'a' }).refused('MailboxHasChildren');
    tree.when({ type: 'DeleteMailbox', name: 'INBOX' }).refused('MailboxIsInbox');
    tree.when({ type: 'DeleteMailbox', name: 'none' }).refused('NoSuchMailbox');
  });
});

describe('renaming a mailbox', () => {
  it('takes the children along, makes missing parents, keeps ids and UIDVALIDITY', () => {
    const state = given(OPENED, created('a', 'a/b'))
      .when({ type: 'RenameMailbox', from: 'a', to: 'new/a' })
      .gives(
        [
          {
            type: 'MailboxesRenamed',
            renames: [
              { mailboxId: NEXT_MAILBOX_ID, from: 'a', to: 'new/a' },
              { mailboxId: NEXT_MAILBOX_ID + 1, from: 'a/b', to: 'new/a/b' },
            ],
            created: [nth(2, 'new')],
          },
        ],
        { created: [nth(2, 'new')] },
      );
    assert.equal(state.mailboxNamed('new/a/b')?.uidValidity, NEXT_UID_VALIDITY + 1);
    assert.equal(state.mailboxNamed('a'), undefined);
    assert.ok(state.isSubscribed('a') && state.isSubscribed('new'));
    assert.ok(!state.isSubscribed('new/a'));
  });

  it('may move a mailbox below its own old name', () => {
    const state = given(OPENED, created('a', 'a/b', 'a/b/c'))
      .when({ type: 'RenameMailbox', from: 'a/b', to: 'a/b/x/y' })
      .gives([
        {
          type: 'MailboxesRenamed',
          renames: [
            { mailboxId: NEXT_MAILBOX_ID + 1, from: 'a/b', to: 'a/b/x/y' },
            { mailboxId: NEXT_MAILBOX_ID + 2, from: 'a/b/c', to: 'a/b/x/y/c' },
          ],
          created: [nth(3, 'a/b'), nth(4, 'a/b/x')],
        },
      ]);
    assert.equal(state.mailboxNamed('a/b')?.mailboxId, NEXT_MAILBOX_ID + 3);
  });

  it('refuses a missing source, a taken or forbidden destination', () => {
    const tree = given(OPENED, created('a', 'a/b'));
    tree.when({ type: 'RenameMailbox', from: 'none', to: 'x' }).refused('NoSuchMailbox');
    tree.when({ type: 'RenameMailbox', from: 'a', to: 'Sent' }).refused('MailboxExists');
    tree.when({ type: 'RenameMailbox', from: 'a', to: 'a' }).refused('MailboxExists');
    tree.when({ type: 'RenameMailbox', from: 'a', to: 'inbox' }).refused('MailboxExists');
    tree.when({ type: 'RenameMailbox', from: 'a', to: 'x/' }).refused('MailboxNameForbidden');
    // The child would pass the limit.
    tree
      .when({ type: 'RenameMailbox', from: 'a', to: 'x'.repeat(499) })
      .refused('MailboxNameForbidden');
  });

  it('of Inbox moves its messages; Inbox and its children stay', () => {
    const tree = given(
      OPENED,
      created('Inbox/x'),
      delivered(INBOX_ID, 1),
      delivered(INBOX_ID, 2),
      { type: 'MessagesExpunged', mailboxId: INBOX_ID, uids: '1' },
      delivered(INBOX_ID, 3),
    );
    const state = tree.when({ type: 'RenameMailbox', from: 'Inbox', to: 'old/mail' }).gives([
      { type: 'MailboxesCreated', mailboxes: [nth(1, 'old'), nth(2, 'old/mail')] },
      {
        type: 'MessagesMoved',
        source: INBOX_ID,
        uids: '2:3',
        target: NEXT_MAILBOX_ID + 2,
        firstUid: 1,
      },
    ]);
    assert.equal(state.mailboxNamed('Inbox')?.uidNext, 4);
    assert.equal(state.mailboxNamed('old/mail')?.uidNext, 3);
    assert.ok(state.mailboxNamed('Inbox/x') !== undefined);
  });

  it('of an empty Inbox only makes the destination', () => {
    given(OPENED)
      .when({ type: 'RenameMailbox', from: 'INBOX', to: 'old' })
      .gives([created('old')]);
  });
});

describe('subscribing', () => {
  it('works for names without a mailbox, once', () => {
    const ghost = given(OPENED, { type: 'MailboxSubscribed', name: 'ghost' });
    ghost.when({ type: 'SubscribeMailbox', name: 'ghost' }).gives([], { exists: false });
    given(OPENED)
      .when({ type: 'SubscribeMailbox', name: 'ghost' })
      .gives([{ type: 'MailboxSubscribed', name: 'ghost' }], { exists: false });
    given(OPENED).when({ type: 'SubscribeMailbox', name: 'x//y' }).refused('MailboxNameForbidden');
  });

  it('ends for what was subscribed; a mailbox without a subscription is no error', () => {
    given(OPENED, { type: 'MailboxSubscribed', name: 'ghost' })
      .when({ type: 'UnsubscribeMailbox', name: 'ghost' })
      .gives([{ type: 'MailboxUnsubscribed', name: 'ghost' }], {});
    given(OPENED, { type: 'MailboxUnsubscribed', name: 'Inbox' })
      .when({ type: 'UnsubscribeMailbox', name: 'inbox' })
      .gives([], { mailboxId: INBOX_ID });
    given(OPENED).when({ type: 'UnsubscribeMailbox', name: 'never' }).refused('NotSubscribed');
    given(OPENED).when({ type: 'UnsubscribeMailbox', name: 'x//y' }).refused('NotSubscribed');
  });
});

describe('the reference model of mailboxes', () => {
  it('lists what is below a name in the order of names', () => {
    const { state } = given(OPENED, created('a', 'a/c', 'a/b', 'ab'));
    assert.deepEqual(
      state.mailboxesBelow('a').map(({ name }) => name),
      ['a/b', 'a/c'],
    );
    assert.equal(state.mailboxCount(), 10);
  });
});

describe('renumbering mailboxes after an older log was put back', () => {
  const RENUMBERED: MailboxEvent = {
    type: 'MailboxesRenumbered',
    uidValidityRaise: 2 ** 20,
    modSeqRaise: 2 ** 20,
  };

  it('gives each a UIDVALIDITY that none had, in one event', () => {
    const state = given(OPENED).when({ type: 'RenumberMailboxes' }).gives([RENUMBERED], {
      mailboxes: 6,
    });
    const inbox = state.mailbox(INBOX_ID);
    assert.equal(inbox?.uidValidity, 1_000_000 + 2 ** 20);
    assert.equal(state.mailbox(ARCHIVE_ID)?.uidValidity, 1_000_001 + 2 ** 20);
    assert.equal(state.nextNumbers().uidValidity, NEXT_UID_VALIDITY + 2 ** 20);
  });

  it('gives no number again that others have seen', () => {
    const before = given(OPENED, QUEUED, hookQueued(1)).state;
    const { state } = given(OPENED, QUEUED, hookQueued(1), RENUMBERED);
    const raised = Object.entries(before.nextNumbers()).map(([of, next]) => [of, next + 2 ** 20]);
    assert.deepEqual(state.nextNumbers(), Object.fromEntries(raised));
    assert.equal(state.nextHookNumber(), before.nextHookNumber() + 2 ** 20);
  });

  it('does nothing in an account that was never opened', () => {
    given().when({ type: 'RenumberMailboxes' }).gives([], { mailboxes: 0 });
  });
});
