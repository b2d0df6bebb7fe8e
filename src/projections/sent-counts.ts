/**
 * Read model of how much an account sends: to how many recipients during the last day, and which
 * addresses it has ever written to.
 */

import type { AccountFact } from '#domain/log/streams';
import { countsAsSent, DAY_MS } from '#domain/queue/daily-limits';
import type { Instant } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface SentCountTables {
  /** One row for all messages of a millisecond; what is older than a day goes with the next. */
  sent_of_day: { at: Instant; recipients: number };
  written_to: { recipient: string; first_at: Instant };
}

const db = tables<SentCountTables>();

export const sentCounts: AccountModel = {
  name: 'sent-counts',
  version: 1,
  ddl: [
    'CREATE TABLE sent_of_day (at INTEGER PRIMARY KEY, recipients INTEGER NOT NULL)',
    `CREATE TABLE written_to (
      recipient TEXT PRIMARY KEY,
      first_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    'CREATE INDEX written_to_first ON written_to (first_at)',
  ],
  rows: [
    db.selectFrom('sent_of_day').selectAll().orderBy('at'),
    db.selectFrom('written_to').selectAll().orderBy('recipient'),
  ],
  apply,
};

const countSent = query((at: Markers<SentCountTables['sent_of_day']>) =>
  db
    .insertInto('sent_of_day')
    .values({ at: at.at, recipients: at.recipients })
    .onConflict((conflict) =>
      conflict.column('at').doUpdateSet((eb) => ({
        recipients: eb('sent_of_day.recipients', '+', eb.ref('excluded.recipients')),
      })),
    ),
);

const dropBefore = query((at: Markers<{ upTo: Instant }>) =>
  db.deleteFrom('sent_of_day').where('at', '<=', at.upTo),
);

const noteRecipient = query((at: Markers<{ recipient: string; firstAt: Instant }>) =>
  db
    .insertInto('written_to')
    .values({ recipient: at.recipient, first_at: at.firstAt })
    .onConflict((conflict) => conflict.column('recipient').doNothing()),
);

function apply({ event, at }: AccountFact, write: Sql): void {
  if (event.type !== 'MessageQueued' || !countsAsSent(event)) return;
  dropBefore.run(write, { upTo: at - DAY_MS });
  countSent.run(write, { at, recipients: event.items.length });
  for (const { recipient } of event.items) noteRecipient.run(write, { recipient, firstAt: at });
}

type Since = { since: Instant };

const sumSince = query((at: Markers<Since>) =>
  db
    .selectFrom('sent_of_day')
    .select((eb) => eb.fn.sum<number | null>('recipients').as('sum'))
    .where('at', '>', at.since),
);

const newSince = query((at: Markers<Since>) =>
  db
    .selectFrom('written_to')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('first_at', '>', at.since),
);

const written = query((at: Markers<{ recipient: string }>) =>
  db.selectFrom('written_to').select('first_at').where('recipient', '=', at.recipient),
);

export function recipientsSince(sql: Sql, since: Instant): number {
  return sumSince.get(sql, { since })?.sum ?? 0;
}

export function newRecipientsSince(sql: Sql, since: Instant): number {
  return newSince.get(sql, { since })?.count ?? 0;
}

export function hasWrittenTo(sql: Sql, recipient: string): boolean {
  return written.get(sql, { recipient }) !== undefined;
}
