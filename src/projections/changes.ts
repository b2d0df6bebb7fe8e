/**
 * Read model of what was removed from each mailbox, one row per event that removed messages.
 *
 * Rows are kept as long as the mailbox: whoever comes back is told exactly. What else has changed
 * is seen by the marks of the messages that are there.
 *
 * RFC 7162 §3.2.5 VANISHED (EARLIER).
 */

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
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { uidChangesOf } from './uid-changes.ts';

export interface ChangeTables {
  removals: { mailbox_id: MailboxId; mod_seq: ModSeq; uids: string };
}

const db = tables<ChangeTables>();

export const changes: AccountModel = {
  name: 'changes',
  version: 3,
  ddl: [
    `CREATE TABLE removals (
      mailbox_id INTEGER NOT NULL,
      mod_seq INTEGER NOT NULL,
      uids TEXT NOT NULL,
      PRIMARY KEY (mailbox_id, mod_seq)
    ) WITHOUT ROWID`,
  ],
  rows: [db.selectFrom('removals').selectAll().orderBy('mailbox_id').orderBy('mod_seq')],
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

const removedAfter = query((at: Markers<{ mailboxId: MailboxId; since: ModSeq }>) =>
  db
    .selectFrom('removals')
    .select(['uids', 'mod_seq as modSeq'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('mod_seq', '>', at.since)
    .orderBy('mod_seq'),
);

function apply({ event, modSeq }: AccountFact, write: Sql): void {
  if (event.type === 'MailboxDeleted') {
    dropMailbox.run(write, { mailboxId: event.mailboxId });
    return;
  }
  for (const { mailboxId, removed } of uidChangesOf(event)) {
    if (isEmptyUidSet(removed)) continue;
    addRemoval.run(write, { mailbox_id: mailboxId, mod_seq: modSeq, uids: formatUidSet(removed) });
  }
}

/**
 * UIDs that were removed after `since`, also those created after it: a client may have seen such a
 * message and lost the connection before it could note the new modseq.
 */
export function vanishedUidsSince(sql: Sql, mailboxId: MailboxId, since: ModSeq): UidSet {
  const rows = removedAfter.all(sql, { mailboxId, since });
  if (rows.length === 0) return NO_UIDS;
  return normalUidSet(rows.flatMap(({ uids }) => parseUidSet(uids)));
}

export function uidVanishedAt(sql: Sql, mailboxId: MailboxId, uid: Uid): ModSeq | undefined {
  const rows = removedAfter.all(sql, { mailboxId, since: 0 });
  return rows.find(({ uids }) => hasUid(parseUidSet(uids), uid))?.modSeq;
}
