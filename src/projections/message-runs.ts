/**
 * Read model of the UIDs that exist in each mailbox, as runs.
 */

import type { AccountEvent } from '#domain/log/streams';
import type { AccountModel, AccountWrite } from './model.ts';
import { tables } from './query.ts';
import { uidChangesOf } from './uid-changes.ts';
import { RUN_DDL, type RunTables } from './uid-runs.ts';

const db = tables<RunTables>();

export const messageRuns: AccountModel = {
  name: 'message-runs',
  version: 2,
  ddl: RUN_DDL,
  rows: [db.selectFrom('uid_runs').selectAll().orderBy('mailbox_id').orderBy('first_uid')],
  apply: ({ event }, write) => apply(event, write),
};

function apply(event: AccountEvent, write: AccountWrite): void {
  if (event.type === 'MailboxDeleted') return write.runs.dropMailbox(write, event.mailboxId);
  for (const { mailboxId, created, removed } of uidChangesOf(event)) {
    write.runs.change(mailboxId, created, removed);
  }
}
