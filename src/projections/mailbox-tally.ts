/**
 * What the messages of a fact count for in their mailbox, as they were before it.
 */

import { sql as raw } from 'kysely';
import { DELETED, SEEN } from '#domain/values/flags';
import type { MailboxId, Uid } from '#domain/values/ids';
import { differenceOf, uidCount, UidSetBuilder, type UidSet } from '#domain/values/uid-set';
import { effectOn, type FlagTerms } from './flag-edits.ts';
import { eachMark } from './mark-reads.ts';
import type { MessageTables } from './message-tables.ts';
import type { AccountWrite } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { NO_TALLY, type Tally } from './tally.ts';

const db = tables<MessageTables>();

type Spans = { mailboxId: MailboxId; spans: string };

const sizeOf = query((at: Markers<Spans>) =>
  db
    .selectFrom(raw<{ value: string }>`json_each(${at.spans})`.as('span'))
    .crossJoin('messages')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('size_bytes'), eb.lit(0)).as('bytes'))
    .where('mailbox_id', '=', at.mailboxId)
    .where('uid', '>=', raw<number>`span.value ->> 0`)
    .where('uid', '<=', raw<number>`span.value ->> 1`),
);

/** As sizeOf, for one run: the usual case. */
const sizeOfRun = query((at: Markers<{ mailboxId: MailboxId; from: Uid; to: Uid }>) =>
  db
    .selectFrom('messages')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('size_bytes'), eb.lit(0)).as('bytes'))
    .where('mailbox_id', '=', at.mailboxId)
    .where('uid', '>=', at.from)
    .where('uid', '<=', at.to),
);

/** Octets of these messages. */
export function bytesOf(sql: Sql, mailboxId: MailboxId, uids: UidSet): number {
  const [first, ...others] = uids;
  if (first === undefined) return 0;
  if (others.length === 0) {
    return sizeOfRun.get(sql, { mailboxId, from: first[0], to: first[1] })?.bytes ?? 0;
  }
  return sizeOf.get(sql, { mailboxId, spans: JSON.stringify(uids) })?.bytes ?? 0;
}

export function tallyOf(write: AccountWrite, mailboxId: MailboxId, uids: UidSet): Tally {
  const { unseen, deleted } = kindsOf(write, mailboxId, uids);
  return {
    messages: uidCount(uids),
    unseen,
    deleted: uidCount(deleted),
    deletedBytes: bytesOf(write.arrived(), mailboxId, deleted),
    sizeBytes: bytesOf(write.arrived(), mailboxId, uids),
  };
}

/** How many of these messages are unseen, and which are flagged \Deleted. */
function kindsOf(
  { marks }: AccountWrite,
  mailboxId: MailboxId,
  uids: UidSet,
): { readonly unseen: number; readonly deleted: UidSet } {
  let unseen = 0;
  const deleted = new UidSetBuilder();
  eachMark(marks, mailboxId, uids, (uid, bits) => {
    if ((bits & SEEN) === 0) unseen++;
    if ((bits & DELETED) !== 0) deleted.add(uid);
  });
  return { unseen, deleted: deleted.build() };
}

/** What an edit of these messages adds to the tally of their mailbox. */
export function tallyOfEdit(
  write: AccountWrite,
  mailboxId: MailboxId,
  uids: UidSet,
  terms: FlagTerms,
): Tally {
  const seen = effectOn(terms, SEEN);
  const expunge = effectOn(terms, DELETED);
  if (seen === 'none' && expunge === 'none') return NO_TALLY;
  const before = kindsOf(write, mailboxId, uids);
  let { unseen, deleted, deletedBytes } = NO_TALLY;
  if (seen !== 'none') unseen = (seen === 'set' ? 0 : uidCount(uids)) - before.unseen;
  if (expunge !== 'none') {
    const joining = expunge === 'set';
    const moved = joining ? differenceOf(uids, before.deleted) : before.deleted;
    const sign = joining ? 1 : -1;
    deleted = sign * uidCount(moved);
    deletedBytes = sign * bytesOf(write.arrived(), mailboxId, moved);
  }
  return { ...NO_TALLY, unseen, deleted, deletedBytes };
}
