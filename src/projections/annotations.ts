/**
 * Read model of annotations: those of each mailbox, and those of the account itself.
 *
 * RFC 5464 §3
 */

import type { AccountFact } from '#domain/log/streams';
import {
  annotationBytes,
  OF_ACCOUNT,
  type Annotation,
  type AnnotationTotals,
} from '#domain/mailbox/annotations';
import type { MailboxId } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface AnnotationTables {
  annotations: {
    mailbox_id: MailboxId;
    name: string;
    /** Of name and value, as they count against the limit. */
    bytes: number;
    encoding: 'base64' | null;
    value: string;
  };
}

const db = tables<AnnotationTables>();

export const annotations: AccountModel = {
  name: 'annotations',
  version: 1,
  ddl: [
    `CREATE TABLE annotations (
      mailbox_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      encoding TEXT,
      value TEXT NOT NULL,
      PRIMARY KEY (mailbox_id, name)
    ) WITHOUT ROWID`,
  ],
  rows: [db.selectFrom('annotations').selectAll().orderBy('mailbox_id').orderBy('name')],
  apply,
};

const put = query((at: Markers<AnnotationTables['annotations']>) =>
  db
    .insertInto('annotations')
    .values({
      mailbox_id: at.mailbox_id,
      name: at.name,
      bytes: at.bytes,
      encoding: at.encoding,
      value: at.value,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['mailbox_id', 'name'])
        .doUpdateSet({ bytes: at.bytes, encoding: at.encoding, value: at.value }),
    ),
);

const drop = query((at: Markers<{ mailboxId: MailboxId; name: string }>) =>
  db.deleteFrom('annotations').where('mailbox_id', '=', at.mailboxId).where('name', '=', at.name),
);

const dropAll = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('annotations').where('mailbox_id', '=', at.mailboxId),
);

const all = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db
    .selectFrom('annotations')
    .select(['name', 'value', 'encoding'])
    .where('mailbox_id', '=', at.mailboxId)
    .orderBy('name'),
);

const totals = query(() =>
  db
    .selectFrom('annotations')
    .select((eb) => [
      eb.fn.countAll<number>().as('count'),
      eb.fn.coalesce(eb.fn.sum<number>('bytes'), eb.lit(0)).as('bytes'),
    ]),
);

function apply({ event }: AccountFact, write: Sql): void {
  if (event.type === 'MailboxDeleted') {
    dropAll.run(write, { mailboxId: event.mailboxId });
    return;
  }
  if (event.type !== 'AnnotationsSet') return;
  const mailboxId = event.mailboxId ?? OF_ACCOUNT;
  for (const { name, value, encoding } of event.entries) {
    if (value === null) {
      drop.run(write, { mailboxId, name });
      continue;
    }
    put.run(write, {
      mailbox_id: mailboxId,
      name,
      bytes: annotationBytes({ name, value, ...(encoding && { encoding }) }),
      encoding: encoding ?? null,
      value,
    });
  }
}

/** By name; those of the account itself when no mailbox is named. */
export function annotationsOf(sql: Sql, mailboxId: MailboxId | undefined): readonly Annotation[] {
  return all
    .all(sql, { mailboxId: mailboxId ?? OF_ACCOUNT })
    .map(({ name, value, encoding }) => ({ name, value, ...(encoding && { encoding }) }));
}

export function annotationTotals(sql: Sql): AnnotationTotals {
  return totals.get(sql, {}) ?? { count: 0, bytes: 0 };
}
