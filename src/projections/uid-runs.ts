/**
 * The UIDs that exist in each mailbox, as runs: the table, its reads, and what a turn has changed.
 *
 * The question that every SELECT and every set of a client begins with is answered at a cost that
 * follows the number of gaps, not the number of messages.
 */

import { sql as raw } from 'kysely';
import type { MailboxId, Uid } from '#domain/values/ids';
import {
  differenceOf,
  intersectionOf,
  NO_UIDS,
  normalUidSet,
  unionOf,
  UidSetBuilder,
  type UidRange,
  type UidSet,
} from '#domain/values/uid-set';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface RunTables {
  uid_runs: { mailbox_id: MailboxId; first_uid: Uid; last_uid: Uid };
}

export const RUN_DDL: readonly string[] = [
  `CREATE TABLE uid_runs (
      mailbox_id INTEGER NOT NULL,
      first_uid INTEGER NOT NULL,
      last_uid INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, first_uid)
    ) WITHOUT ROWID`,
];

const db = tables<RunTables>();

type Spot = { mailboxId: MailboxId };
type Span = Spot & { from: Uid; to: Uid };

/** The last run that begins at `from` or before. */
const runBefore = query((at: Markers<Spot & { from: Uid }>) =>
  db
    .selectFrom('uid_runs')
    .select(['first_uid as first', 'last_uid as last'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('first_uid', '<=', at.from)
    .orderBy('first_uid', 'desc')
    .limit(raw.lit(1)),
);

const runsBehind = query((at: Markers<Span>) =>
  db
    .selectFrom('uid_runs')
    .select(['first_uid as first', 'last_uid as last'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('first_uid', '>', at.from)
    .where('first_uid', '<=', at.to)
    .orderBy('first_uid'),
);

const putRun = query((at: Markers<Spot & { first: Uid; last: Uid }>) =>
  db
    .insertInto('uid_runs')
    .values({
      mailbox_id: at.mailboxId,
      first_uid: at.first,
      last_uid: at.last,
    })
    .onConflict((conflict) =>
      conflict.columns(['mailbox_id', 'first_uid']).doUpdateSet({ last_uid: at.last }),
    ),
);

const dropRun = query((at: Markers<Spot & { first: Uid }>) =>
  db
    .deleteFrom('uid_runs')
    .where('mailbox_id', '=', at.mailboxId)
    .where('first_uid', '=', at.first),
);

const dropMailbox = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('uid_runs').where('mailbox_id', '=', at.mailboxId),
);

/** The whole runs of which a part lies between `from` and `to`. */
function overlapping(sql: Sql, mailboxId: MailboxId, from: Uid, to: Uid): UidSet {
  const before = runBefore.get(sql, { mailboxId, from });
  const runs: UidRange[] = [];
  if (before !== undefined && before.last >= from) runs.push([before.first, before.last]);
  // The usual case, one message or one run of them, is over here.
  if (to === from || (before !== undefined && before.last >= to)) return runs;
  for (const { first, last } of runsBehind.all(sql, { mailboxId, from, to }))
    runs.push([first, last]);
  return runs;
}

/** All UIDs of a mailbox. */
export function runsOf(sql: Sql, mailboxId: MailboxId): UidSet {
  return overlapping(sql, mailboxId, 0, Number.MAX_SAFE_INTEGER);
}

/** Those of `uids` that exist. */
export function existingOf(sql: Sql, mailboxId: MailboxId, uids: UidSet): UidSet {
  if (uids.length === 0) return NO_UIDS;
  const [from, to] = spanOf(uids);
  return intersectionOf(uids, overlapping(sql, mailboxId, from, to));
}

/** UIDs that came and went, not yet written. A UID that went never comes again. */
export class RunDrafts {
  /** RFC 9051 §2.3.1.1: in the order in which they came. */
  readonly #created = new Map<MailboxId, UidSetBuilder>();
  readonly #removed = new Map<MailboxId, UidRange[]>();

  change(mailboxId: MailboxId, created: UidSet, removed: UidSet): void {
    for (const [first, last] of created) {
      oneIn(this.#created, mailboxId, () => new UidSetBuilder()).addRange(first, last);
    }
    if (removed.length > 0) oneIn(this.#removed, mailboxId, () => []).push(...removed);
  }

  /** Takes out a mailbox with all its UIDs. */
  dropMailbox(write: Sql, mailboxId: MailboxId): void {
    this.#created.delete(mailboxId);
    this.#removed.delete(mailboxId);
    dropMailbox.run(write, { mailboxId });
  }

  /** To be called before the rows are read, and before the transaction is committed. */
  write(write: Sql): void {
    for (const [mailboxId, uids] of this.#created) append(write, mailboxId, uids.build());
    for (const [mailboxId, uids] of this.#removed) remove(write, mailboxId, normalUidSet(uids));
    this.drop();
  }

  drop(): void {
    this.#created.clear();
    this.#removed.clear();
  }
}

function oneIn<Of>(all: Map<MailboxId, Of>, mailboxId: MailboxId, make: () => Of): Of {
  let one = all.get(mailboxId);
  if (one === undefined) all.set(mailboxId, (one = make()));
  return one;
}

/** Adds UIDs that are higher than all that the mailbox has had. RFC 9051 §2.3.1.1. */
function append(write: Sql, mailboxId: MailboxId, uids: UidSet): void {
  const [from] = spanOf(uids);
  const tail = overlapping(write, mailboxId, from - 1, from - 1);
  replace(write, mailboxId, tail, unionOf(tail, uids));
}

function remove(write: Sql, mailboxId: MailboxId, uids: UidSet): void {
  const [from, to] = spanOf(uids);
  const runs = overlapping(write, mailboxId, from, to);
  replace(write, mailboxId, runs, differenceOf(runs, uids));
}

function replace(write: Sql, mailboxId: MailboxId, before: UidSet, after: UidSet): void {
  const lasts = new Map(before);
  for (const [first, last] of after) {
    if (lasts.get(first) !== last) putRun.run(write, { mailboxId, first, last });
    lasts.delete(first);
  }
  for (const first of lasts.keys()) dropRun.run(write, { mailboxId, first });
}

/** First and last member of a set that is not empty. */
function spanOf(uids: UidSet): UidRange {
  return [uids[0]?.[0] as Uid, uids.at(-1)?.[1] as Uid];
}
