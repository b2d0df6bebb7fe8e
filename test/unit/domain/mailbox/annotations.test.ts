/** Rules about annotations: names, limits, what counts as a change, and where they go. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ARCHIVE_ID, given, INBOX_ID, NEXT_MAILBOX_ID, OPENED } from '../../../support/given.ts';
import type { SetAnnotations } from '#domain/mailbox/annotations';
import type { AnnotationEntry, AnnotationsSet } from '#domain/mailbox/events';

function set(entries: readonly AnnotationEntry[], mailbox?: string): SetAnnotations {
  return { type: 'SetAnnotations', entries, ...(mailbox !== undefined && { mailbox }) };
}

function annotated(entries: readonly AnnotationEntry[], mailboxId?: number): AnnotationsSet {
  return { type: 'AnnotationsSet', ...(mailboxId !== undefined && { mailboxId }), entries };
}

function comment(value: string | null): AnnotationEntry {
  return { name: '/private/comment', value };
}

/** So many annotations of the account. */
function many(count: number): readonly AnnotationEntry[] {
  return Array.from({ length: count }, (_, i) => ({ name: `/private/n${i}`, value: 'x' }));
}

describe('setting annotations', () => {
  it('imap 94: raises HIGHESTMODSEQ of the mailbox by this one event', () => {
    const state = given(OPENED)
      .when(set([comment('x'), { name: '/shared/comment', value: null }], 'inbox'))
      .gives([annotated([comment('x')], INBOX_ID)]);
    assert.equal(state.mailbox(INBOX_ID)?.highestModSeq, 2);
    assert.equal(state.mailbox(ARCHIVE_ID)?.highestModSeq, 1);
    assert.deepEqual(state.annotationsOf(INBOX_ID), [comment('x')]);
    assert.deepEqual(state.annotationsOf(undefined), []);
  });

  it('of the account raises no mailbox', () => {
    const state = given(OPENED)
      .when(set([comment('x')]))
      .gives([annotated([comment('x')])]);
    assert.equal(state.mailbox(INBOX_ID)?.highestModSeq, 1);
    assert.deepEqual(state.annotationsOf(undefined), [comment('x')]);
  });

  it('records what really changes, and the last of entries with one name', () => {
    const account = given(OPENED, annotated([comment('x')], INBOX_ID));
    account.when(set([comment('x')], 'Inbox')).gives([]);
    account.when(set([{ name: '/private/none', value: null }], 'Inbox')).gives([]);
    account
      .when(set([comment('y'), comment(null)], 'Inbox'))
      .gives([annotated([comment(null)], INBOX_ID)]);
  });

  it('tells octets from the text that looks like their base64', () => {
    const octets = { ...comment('AAA='), encoding: 'base64' } as const;
    const account = given(OPENED, annotated([comment('AAA=')]));
    const state = account.when(set([octets])).gives([annotated([octets])]);
    assert.equal(state.annotationTotals().bytes, '/private/comment'.length + 2);
  });

  it('imap 95: refuses names neither private nor shared, and vendors without names', () => {
    const account = given(OPENED);
    for (const name of ['/other/x', '/private', '/private/vendor/x', '/shared/vendor']) {
      account.when(set([{ name, value: 'y' }])).refused('AnnotationNameForbidden');
    }
    const vendors = [{ name: '/private/vendor/x/y', value: 'y' }];
    account.when(set(vendors)).gives([annotated(vendors)]);
  });

  it('refuses mailboxes that do not exist, and special uses', () => {
    given(OPENED)
      .when(set([comment('x')], 'none'))
      .refused('NoSuchMailbox');
    given(OPENED)
      .when(set([{ name: '/private/specialuse', value: '\\Junk' }], 'Archive'))
      .refused('SpecialUseUnknown');
  });

  it('imap 98: refuses more than 1000 in the account, in whichever mailbox', () => {
    const account = given(OPENED, annotated(many(999)));
    account.when(set([comment('x')], 'Sent')).gives([annotated([comment('x')], 5)]);
    const full = given(OPENED, annotated(many(1000)));
    full.when(set([comment('x')], 'Sent')).refused('TooManyAnnotations');
    full
      .when(set([{ name: '/private/n0', value: 'y' }]))
      .gives([annotated([{ name: '/private/n0', value: 'y' }])]);
    full
      .when(set([{ name: '/private/n0', value: null }, comment('x')]))
      .gives([annotated([{ name: '/private/n0', value: null }, comment('x')])]);
  });

  it('refuses more than 1 MB in the account, unless it becomes less', () => {
    const large = Array.from({ length: 5 }, (_, i) => ({
      name: `/private/n${i}`,
      value: 'ä'.repeat(100_000 - 6),
    }));
    const account = given(OPENED, annotated(large));
    assert.equal(account.state.annotationTotals().bytes, 999_995);
    account.when(set([comment('x')])).refused('AnnotationsTooLarge');
    account
      .when(set([{ name: '/private/n0', value: 'x' }, comment('x')]))
      .gives([annotated([{ name: '/private/n0', value: 'x' }, comment('x')])]);
  });

  it('becomes two facts, or none, when one cannot hold it', () => {
    const value = 'x'.repeat(150_000);
    const entries = [1, 2, 3].map((n) => ({ name: `/private/n${n}`, value }));
    given(OPENED)
      .when(set(entries.slice(0, 2)))
      .gives([annotated(entries.slice(0, 1)), annotated(entries.slice(1, 2))]);
    given(OPENED).when(set(entries)).refused('TooMuchAtOnce');
  });
});

describe('annotations of a mailbox', () => {
  it('are copied by RENAME of Inbox', () => {
    const account = given(OPENED, annotated([comment('x')], INBOX_ID));
    const state = account.when({ type: 'RenameMailbox', from: 'Inbox', to: 'old' }).gives([
      {
        type: 'MailboxesCreated',
        mailboxes: [{ mailboxId: NEXT_MAILBOX_ID, name: 'old', uidValidity: 1_000_006 }],
      },
      annotated([comment('x')], NEXT_MAILBOX_ID),
    ]);
    assert.deepEqual(state.annotationsOf(INBOX_ID), [comment('x')]);
    assert.deepEqual(state.annotationsOf(NEXT_MAILBOX_ID), [comment('x')]);
  });

  it('stay with it when it is renamed, and go with it when it is deleted', () => {
    const account = given(OPENED, annotated([comment('x')], ARCHIVE_ID));
    account.when({ type: 'RenameMailbox', from: 'Archive', to: 'old' }).gives([
      {
        type: 'MailboxesRenamed',
        renames: [{ mailboxId: ARCHIVE_ID, from: 'Archive', to: 'old' }],
        created: [],
      },
    ]);
    assert.deepEqual(account.state.annotationsOf(ARCHIVE_ID), [comment('x')]);
    account
      .when({ type: 'DeleteMailbox', name: 'old' })
      .gives([{ type: 'MailboxDeleted', mailboxId: ARCHIVE_ID, name: 'old' }]);
    assert.deepEqual(account.state.annotationTotals(), { count: 0, bytes: 0 });
  });
});
