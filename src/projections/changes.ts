/**
 * Read model of what was removed from each mailbox, one row per event that removed messages.
 *
 * Rows that lie far back are forgotten; how far they reached is remembered. Whoever comes back from
 * before that is told of every UID that is not there. What else has changed is seen by the marks of
 * the messages that are there.
 *
 * Invariant: what is forgotten follows from the facts alone, so that a replay forgets the same.
 * RFC 7162 §3.2.5 VANISHED (EARLIER).
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { MailboxId, ModSeq, Uid } from '#domain/values/ids';
import {
  formatUidSet,
  hasUid,
  isEmptyUidSet,
  NO_UIDS,
  normalUidSet,
  parseUidSet,
  type UidSet,
} from '#domain/values/uid-set';
import type { AccountModel, AccountWrite } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { uidChangesOf } from './uid-changes.ts';

export interface ChangeTables {
  removals: { mailbox_id: MailboxId; mod_seq: ModSeq; uids: string };
  /** Removals up to this modseq are forgotten; no row: none is. */
  forgotten: { mailbox_id: MailboxId; mod_seq: ModSeq };
}

/** How many modseqs of the account a removal is remembered. */
export const REMOVALS_KEPT: number = 2 ** 18;

const db = tables<ChangeTables>();

export const changes: AccountModel = {
  name: 'changes',
  version: 4,
  ddl: [
    `CREATE TABLE removals (
      mailbox_id INTEGER NOT NULL,
      mod_seq INTEGER NOT NULL,
      uids TEXT NOT NULL,
      PRIMARY KEY (mailbox_id, mod_seq)
    ) WITHOUT ROWID`,
    'CREATE TABLE forgotten (mailbox_id INTEGER PRIMARY KEY, mod_seq INTEGER NOT NULL)',
  ],
  rows: [
    db.selectFrom('removals').selectAll().orderBy('mailbox_id').orderBy('mod_seq'),
    db.selectFrom('forgotten').selectAll().orderBy('mailbox_id'),
  ],
  apply,
};

const addRemoval = query((at: Markers<ChangeTables['removals']>) =>
  db
    .insertInto('removals')
    .values({ mailbox_id: at.mailbox_id, mod_seq: at.mod_seq, uids: at.uids }),
);

const dropMailbox = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('removals').where('mailbox_id', '=', at.mailboxId),
);

const dropForgotten = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('forgotten').where('mailbox_id', '=', at.mailboxId),
);

const lastRemovalTo = query((at: Markers<{ mailboxId: MailboxId; upTo: ModSeq }>) =>
  db
    .selectFrom('removals')
    .select('mod_seq as modSeq')
    .where('mailbox_id', '=', at.mailboxId)
    .where('mod_seq', '<=', at.upTo)
    .orderBy('mod_seq', 'desc')
    .limit(raw.lit(1)),
);

const forgetTo = query((at: Markers<{ mailboxId: MailboxId; upTo: ModSeq }>) =>
  db.deleteFrom('removals').where('mailbox_id', '=', at.mailboxId).where('mod_seq', '<=', at.upTo),
);

const putForgotten = query((at: Markers<ChangeTables['forgotten']>) =>
  db
    .insertInto('forgotten')
    .values({ mailbox_id: at.mailbox_id, mod_seq: at.mod_seq })
    .onConflict((conflict) => conflict.column('mailbox_id').doUpdateSet({ mod_seq: at.mod_seq })),
);

const forgottenOf = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.selectFrom('forgotten').select('mod_seq as modSeq').where('mailbox_id', '=', at.mailboxId),
);

const removedAfter = query((at: Markers<{ mailboxId: MailboxId; since: ModSeq }>) =>
  db
    .selectFrom('removals')
    .select(['uids', 'mod_seq as modSeq'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('mod_seq', '>', at.since)
    .orderBy('mod_seq'),
);

function apply({ event, modSeq }: AccountFact, write: AccountWrite): void {
  if (event.type === 'MailboxDeleted') {
    dropMailbox.run(write, { mailboxId: event.mailboxId });
    dropForgotten.run(write, { mailboxId: event.mailboxId });
    return;
  }
  for (const { mailboxId, removed } of uidChangesOf(event)) {
    if (isEmptyUidSet(removed)) continue;
    addRemoval.run(write, { mailbox_id: mailboxId, mod_seq: modSeq, uids: formatUidSet(removed) });
    const upTo = modSeq - write.removalsKept;
    if (upTo > 0) forget(write, mailboxId, upTo);
  }
}

function forget(write: Sql, mailboxId: MailboxId, upTo: ModSeq): void {
  const last = lastRemovalTo.get(write, { mailboxId, upTo });
  if (last === undefined) return;
  forgetTo.run(write, { mailboxId, upTo });
  putForgotten.run(write, { mailbox_id: mailboxId, mod_seq: last.modSeq });
}

/** The modseq up to which removals are forgotten; 0: all are known. */
export function removalsForgottenTo(sql: Sql, mailboxId: MailboxId): ModSeq {
  return forgottenOf.get(sql, { mailboxId })?.modSeq ?? 0;
}

/**
 * UIDs that were removed after `since`, also those created after it: a client may have seen such a
 * message and lost the connection before it could note the new modseq. Forgotten ones are missing.
 */
export function vanishedUidsSince(sql: Sql, mailboxId: MailboxId, since: ModSeq): UidSet {
  const rows = removedAfter.all(sql, { mailboxId, since });
  if (rows.length === 0) return NO_UIDS;
  return normalUidSet(rows.flatMap(({ uids }) => parseUidSet(uids)));
}

/** Undefined when it was not removed, or that is forgotten. */
export function uidVanishedAt(sql: Sql, mailboxId: MailboxId, uid: Uid): ModSeq | undefined {
  const rows = removedAfter.all(sql, { mailboxId, since: 0 });
  return rows.find(({ uids }) => hasUid(parseUidSet(uids), uid))?.modSeq;
}
