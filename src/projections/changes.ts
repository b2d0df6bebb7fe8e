/**
 * Read model of what happened to each mailbox, one row per event that touched its messages.
 *
 * It answers CONDSTORE and QRESYNC at a cost that follows the number of changes, and lets the flags
 * of messages be written without an index on their modseq. Rows are kept as long as the mailbox.
 *
 * RFC 7162 §3.1.4 CHANGEDSINCE, §3.2.5 VANISHED (EARLIER).
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { MailboxId, ModSeq, Uid } from '#domain/values/ids';
import {
  formatUidSet,
  hasUid,
  NO_UIDS,
  normalUidSet,
  parseUidSet,
  unionOf,
  type UidSet,
} from '#domain/values/uid-set';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { uidChangesOf } from './uid-changes.ts';

export interface ChangeTables {
  changes: {
    mailbox_id: MailboxId;
    mod_seq: ModSeq;
    /** UIDs that were created or got other flags. */
    changed: string;
    vanished: string;
  };
}

const db = tables<ChangeTables>();

export const changes: AccountModel = {
  name: 'changes',
  version: 2,
  ddl: [
    `CREATE TABLE changes (
      mailbox_id INTEGER NOT NULL,
      mod_seq INTEGER NOT NULL,
      changed TEXT NOT NULL,
      vanished TEXT NOT NULL,
      PRIMARY KEY (mailbox_id, mod_seq)
    ) WITHOUT ROWID`,
    `CREATE INDEX changes_vanished ON changes (mailbox_id, mod_seq) WHERE vanished <> ''`,
  ],
  rows: [db.selectFrom('changes').selectAll().orderBy('mailbox_id').orderBy('mod_seq')],
  apply,
};

const addChange = query((at: Markers<ChangeTables['changes']>) =>
  db.insertInto('changes').values({
    mailbox_id: at.mailbox_id,
    mod_seq: at.mod_seq,
    changed: at.changed,
    vanished: at.vanished,
  }),
);

const dropMailbox = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('changes').where('mailbox_id', '=', at.mailboxId),
);

type Since = { mailboxId: MailboxId; since: ModSeq };

const changedAfter = query((at: Markers<Since & { limit: number }>) =>
  db
    .selectFrom('changes')
    .select('changed')
    .where('mailbox_id', '=', at.mailboxId)
    .where('mod_seq', '>', at.since)
    .orderBy('mod_seq')
    .limit(at.limit),
);

const vanishedAfter = query((at: Markers<Since>) =>
  db
    .selectFrom('changes')
    .select(['vanished', 'mod_seq as modSeq'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('mod_seq', '>', at.since)
    .where('vanished', '<>', raw.lit(''))
    .orderBy('mod_seq'),
);

function apply({ event, modSeq }: AccountFact, write: Sql): void {
  if (event.type === 'MailboxDeleted') {
    dropMailbox.run(write, { mailboxId: event.mailboxId });
    return;
  }
  for (const { mailboxId, created, edited, removed } of uidChangesOf(event)) {
    addChange.run(write, {
      mailbox_id: mailboxId,
      mod_seq: modSeq,
      changed: formatUidSet(unionOf(created, edited)),
      vanished: formatUidSet(removed),
    });
  }
}

/** UIDs created or edited after `since`; undefined when that took more than `limit` events. */
export function changedUidsSince(
  sql: Sql,
  mailboxId: MailboxId,
  since: ModSeq,
  limit: number,
): UidSet | undefined {
  const rows = changedAfter.all(sql, { mailboxId, since, limit: limit + 1 });
  if (rows.length > limit) return undefined;
  return unionOfTexts(rows.map(({ changed }) => changed));
}

/**
 * UIDs that were removed after `since`, also those created after it: a client may have seen such a
 * message and lost the connection before it could note the new modseq.
 */
export function vanishedUidsSince(sql: Sql, mailboxId: MailboxId, since: ModSeq): UidSet {
  const rows = vanishedAfter.all(sql, { mailboxId, since });
  return unionOfTexts(rows.map(({ vanished }) => vanished));
}

export function uidVanishedAt(sql: Sql, mailboxId: MailboxId, uid: Uid): ModSeq | undefined {
  const rows = vanishedAfter.all(sql, { mailboxId, since: 0 });
  return rows.find(({ vanished }) => hasUid(parseUidSet(vanished), uid))?.modSeq;
}

function unionOfTexts(texts: readonly string[]): UidSet {
  if (texts.length === 0) return NO_UIDS;
  return normalUidSet(texts.flatMap((text) => parseUidSet(text)));
}
