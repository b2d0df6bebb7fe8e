/**
 * What messages count for in the mailbox that holds them, before and after a fact.
 */

import { sql as raw } from 'kysely';
import type { NewMessage } from '#domain/message/events';
import { flagSetOf } from '#domain/values/flags';
import type { MailboxId, Uid } from '#domain/values/ids';
import { differenceOf, uidCount, type UidSet } from '#domain/values/uid-set';
import type { FlagTerms } from './flag-edits.ts';
import { effectOnKind, isOfKind, membersOf, TO_EXPUNGE, UNSEEN } from './message-runs.ts';
import type { MessageTables } from './message-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export type Tally = {
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly deletedBytes: number;
  readonly sizeBytes: number;
};

const NOTHING: Tally = { messages: 0, unseen: 0, deleted: 0, deletedBytes: 0, sizeBytes: 0 };

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

const keywordsAmong = query((at: Markers<Spans>) =>
  db
    .selectFrom(raw<{ value: string }>`json_each(${at.spans})`.as('span'))
    .crossJoin('messages')
    .select('keywords')
    .distinct()
    .where('mailbox_id', '=', at.mailboxId)
    .where('uid', '>=', raw<number>`span.value ->> 0`)
    .where('uid', '<=', raw<number>`span.value ->> 1`),
);

/** Octets of these messages. */
function bytesOf(sql: Sql, mailboxId: MailboxId, uids: UidSet): number {
  const [first, ...others] = uids;
  if (first === undefined) return 0;
  if (others.length === 0) {
    return sizeOfRun.get(sql, { mailboxId, from: first[0], to: first[1] })?.bytes ?? 0;
  }
  return sizeOf.get(sql, { mailboxId, spans: JSON.stringify(uids) })?.bytes ?? 0;
}

/** The sets of keywords that these messages have. */
export function keywordsIn(sql: Sql, mailboxId: MailboxId, uids: UidSet): readonly string[] {
  const spans = JSON.stringify(uids);
  return keywordsAmong.all(sql, { mailboxId, spans }).map(({ keywords }) => keywords);
}

export function tallyOf(sql: Sql, mailboxId: MailboxId, uids: UidSet): Tally {
  const deleted = membersOf(sql, mailboxId, TO_EXPUNGE, uids);
  return {
    messages: uidCount(uids),
    unseen: uidCount(membersOf(sql, mailboxId, UNSEEN, uids)),
    deleted: uidCount(deleted),
    deletedBytes: bytesOf(sql, mailboxId, deleted),
    sizeBytes: bytesOf(sql, mailboxId, uids),
  };
}

export function tallyOfNew(messages: readonly NewMessage[]): Tally {
  let { unseen, deleted, deletedBytes, sizeBytes } = NOTHING;
  for (const message of messages) {
    const { bits } = flagSetOf(message.flags);
    sizeBytes += message.sizeBytes;
    if (isOfKind(UNSEEN, bits)) unseen++;
    if (!isOfKind(TO_EXPUNGE, bits)) continue;
    deleted++;
    deletedBytes += message.sizeBytes;
  }
  return { messages: messages.length, unseen, deleted, deletedBytes, sizeBytes };
}

export function tallyNegated(tally: Tally): Tally {
  return {
    messages: -tally.messages,
    unseen: -tally.unseen,
    deleted: -tally.deleted,
    deletedBytes: -tally.deletedBytes,
    sizeBytes: -tally.sizeBytes,
  };
}

/** The tally of messages when their flags are edited. */
export function tallyAfter(before: Tally, terms: FlagTerms): Tally {
  const { messages, sizeBytes } = before;
  const after = { ...before };
  const unseen = effectOnKind(terms, UNSEEN);
  if (unseen !== 'none') after.unseen = unseen === 'joins' ? messages : 0;
  const deleted = effectOnKind(terms, TO_EXPUNGE);
  if (deleted !== 'none') {
    after.deleted = deleted === 'joins' ? messages : 0;
    after.deletedBytes = deleted === 'joins' ? sizeBytes : 0;
  }
  return after;
}

/** What an edit of these messages adds to the tally of their mailbox. */
export function tallyOfEdit(sql: Sql, mailboxId: MailboxId, uids: UidSet, terms: FlagTerms): Tally {
  let { unseen, deleted, deletedBytes } = NOTHING;
  const unseenEffect = effectOnKind(terms, UNSEEN);
  if (unseenEffect !== 'none') {
    const before = uidCount(membersOf(sql, mailboxId, UNSEEN, uids));
    unseen = unseenEffect === 'joins' ? uidCount(uids) - before : -before;
  }
  const deletedEffect = effectOnKind(terms, TO_EXPUNGE);
  if (deletedEffect !== 'none') {
    const before = membersOf(sql, mailboxId, TO_EXPUNGE, uids);
    const joining = deletedEffect === 'joins';
    const moved = joining ? differenceOf(uids, before) : before;
    const sign = joining ? 1 : -1;
    deleted = sign * uidCount(moved);
    deletedBytes = sign * bytesOf(sql, mailboxId, moved);
  }
  return { ...NOTHING, unseen, deleted, deletedBytes };
}
