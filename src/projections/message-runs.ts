/**
 * Read model of sets of UIDs per mailbox, as runs: which messages exist, which are unseen, which
 * are flagged \Deleted.
 *
 * The questions that every SELECT, EXPUNGE and FETCH begins with are answered at a cost that
 * follows the number of gaps, not the number of messages.
 */

import { sql as raw } from 'kysely';
import type { AccountEvent } from '#domain/log/streams';
import { DELETED, flagSetOf, SEEN } from '#domain/values/flags';
import type { MailboxId, Uid } from '#domain/values/ids';
import type { NewMessage } from '#domain/message/events';
import {
  differenceOf,
  intersectionOf,
  NO_UIDS,
  parseUidSet,
  uidRange,
  uidSetOf,
  unionOf,
  type UidRange,
  type UidSet,
} from '#domain/values/uid-set';
import { UidRuns } from '#domain/values/uid-runs';
import { effectOn, flagTerms, NO_EDIT, type FlagTerms } from './flag-edits.ts';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export const EXISTING = 0;
export const UNSEEN = 1;
export const TO_EXPUNGE = 2;
export type RunKind = typeof EXISTING | typeof UNSEEN | typeof TO_EXPUNGE;

const KINDS: readonly RunKind[] = [EXISTING, UNSEEN, TO_EXPUNGE];

export interface MessageRunTables {
  uid_runs: { mailbox_id: MailboxId; kind: RunKind; first_uid: Uid; last_uid: Uid };
}

const db = tables<MessageRunTables>();

export const messageRuns: AccountModel = {
  name: 'message-runs',
  version: 1,
  ddl: [
    `CREATE TABLE uid_runs (
      mailbox_id INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      first_uid INTEGER NOT NULL,
      last_uid INTEGER NOT NULL,
      PRIMARY KEY (mailbox_id, kind, first_uid)
    ) WITHOUT ROWID`,
  ],
  rows: [
    db
      .selectFrom('uid_runs')
      .selectAll()
      .orderBy('mailbox_id')
      .orderBy('kind')
      .orderBy('first_uid'),
  ],
  apply: ({ event }, write) => apply(event, write),
};

type RunSpot = { mailboxId: MailboxId; kind: RunKind };
type RunSpan = RunSpot & { from: Uid; to: Uid };

/** The last run that begins at `from` or before. */
const runBefore = query((at: Markers<RunSpot & { from: Uid }>) =>
  db
    .selectFrom('uid_runs')
    .select(['first_uid as first', 'last_uid as last'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('kind', '=', at.kind)
    .where('first_uid', '<=', at.from)
    .orderBy('first_uid', 'desc')
    .limit(raw.lit(1)),
);

const runsBehind = query((at: Markers<RunSpan>) =>
  db
    .selectFrom('uid_runs')
    .select(['first_uid as first', 'last_uid as last'])
    .where('mailbox_id', '=', at.mailboxId)
    .where('kind', '=', at.kind)
    .where('first_uid', '>', at.from)
    .where('first_uid', '<=', at.to)
    .orderBy('first_uid'),
);

const firstRun = query((at: Markers<RunSpot>) =>
  db
    .selectFrom('uid_runs')
    .select('first_uid as first')
    .where('mailbox_id', '=', at.mailboxId)
    .where('kind', '=', at.kind)
    .orderBy('first_uid')
    .limit(raw.lit(1)),
);

const putRun = query((at: Markers<RunSpot & { first: Uid; last: Uid }>) =>
  db
    .insertInto('uid_runs')
    .values({
      mailbox_id: at.mailboxId,
      kind: at.kind,
      first_uid: at.first,
      last_uid: at.last,
    })
    .onConflict((conflict) =>
      conflict.columns(['mailbox_id', 'kind', 'first_uid']).doUpdateSet({ last_uid: at.last }),
    ),
);

const dropRun = query((at: Markers<RunSpot & { first: Uid }>) =>
  db
    .deleteFrom('uid_runs')
    .where('mailbox_id', '=', at.mailboxId)
    .where('kind', '=', at.kind)
    .where('first_uid', '=', at.first),
);

const dropMailbox = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.deleteFrom('uid_runs').where('mailbox_id', '=', at.mailboxId),
);

/** The whole runs of which a part lies between `from` and `to`. */
function overlapping(sql: Sql, spot: RunSpot, from: Uid, to: Uid): UidSet {
  const before = runBefore.get(sql, { ...spot, from });
  const runs: UidRange[] = [];
  if (before !== undefined && before.last >= from) runs.push([before.first, before.last]);
  // The usual case, one message or one run of them, is over here.
  if (to === from || (before !== undefined && before.last >= to)) return runs;
  for (const { first, last } of runsBehind.all(sql, { ...spot, from, to }))
    runs.push([first, last]);
  return runs;
}

/** All UIDs of a kind. */
export function runsOf(sql: Sql, mailboxId: MailboxId, kind: RunKind): UidSet {
  return overlapping(sql, { mailboxId, kind }, 0, Number.MAX_SAFE_INTEGER);
}

/** Those of `uids` that are of a kind. */
export function membersOf(sql: Sql, mailboxId: MailboxId, kind: RunKind, uids: UidSet): UidSet {
  if (uids.length === 0) return NO_UIDS;
  const [from, to] = spanOf(uids);
  return intersectionOf(uids, overlapping(sql, { mailboxId, kind }, from, to));
}

export function lowestOf(sql: Sql, mailboxId: MailboxId, kind: RunKind): Uid | undefined {
  return firstRun.get(sql, { mailboxId, kind })?.first;
}

/** Which of `uids` are of a kind after an edit, when `before` were. */
function membersAfter(terms: FlagTerms, kind: RunKind, before: UidSet, uids: UidSet): UidSet {
  switch (effectOnKind(terms, kind)) {
    case 'joins':
      return uids;
    case 'leaves':
      return NO_UIDS;
    default:
      return before;
  }
}

/** Whether an edit brings every message it is applied to into the kind, or out of it. */
export function effectOnKind(terms: FlagTerms, kind: RunKind): 'joins' | 'leaves' | 'none' {
  if (kind === EXISTING) return 'none';
  const effect = effectOn(terms, kind === UNSEEN ? SEEN : DELETED);
  if (effect === 'none') return 'none';
  return (effect === 'set') === (kind === TO_EXPUNGE) ? 'joins' : 'leaves';
}

/** True for a message that enters with these flags. */
export function isOfKind(kind: RunKind, bits: number): boolean {
  if (kind === EXISTING) return true;
  return kind === UNSEEN ? (bits & SEEN) === 0 : (bits & DELETED) !== 0;
}

function apply(event: AccountEvent, write: Sql): void {
  switch (event.type) {
    case 'MessageDelivered':
      return arrive(write, event.mailboxId, [event.message]);
    case 'MessagesAppended':
      return arrive(write, event.mailboxId, event.messages);
    case 'MessagesCopied':
    case 'MessagesMoved': {
      const uids = parseUidSet(event.uids);
      const terms = flagTerms(event.edit ?? NO_EDIT);
      const order = new UidRuns(uids);
      for (const kind of KINDS) {
        const before = membersOf(write, event.source, kind, uids);
        const places = order.seqsOf(membersAfter(terms, kind, before, uids));
        const shift = event.firstUid - 1;
        const arrived = places.map(([a, b]): UidRange => [a + shift, b + shift]);
        append(write, { mailboxId: event.target, kind }, arrived);
        if (event.type === 'MessagesMoved') remove(write, event.source, kind, before);
      }
      return;
    }
    case 'FlagsChanged': {
      const uids = parseUidSet(event.uids);
      const terms = flagTerms(event.edit);
      for (const kind of [UNSEEN, TO_EXPUNGE] as const) {
        const effect = effectOnKind(terms, kind);
        if (effect === 'joins') add(write, event.mailboxId, kind, uids);
        if (effect === 'leaves') remove(write, event.mailboxId, kind, uids);
      }
      return;
    }
    case 'MessageReplaced': {
      arrive(write, event.target, [event.message]);
      const uids = uidRange(event.uid, event.uid);
      for (const kind of KINDS) remove(write, event.mailboxId, kind, uids);
      return;
    }
    case 'MessagesExpunged': {
      const uids = parseUidSet(event.uids);
      for (const kind of KINDS) remove(write, event.mailboxId, kind, uids);
      return;
    }
    case 'MailboxDeleted':
      dropMailbox.run(write, { mailboxId: event.mailboxId });
      return;
    default:
      return;
  }
}

function arrive(write: Sql, mailboxId: MailboxId, messages: readonly NewMessage[]): void {
  const arrived = messages.map(({ uid, flags }) => ({ uid, bits: flagSetOf(flags).bits }));
  for (const kind of KINDS) {
    const members = arrived.filter(({ bits }) => isOfKind(kind, bits));
    append(write, { mailboxId, kind }, uidSetOf(members.map(({ uid }) => uid)));
  }
}

/** Adds UIDs that are higher than all that the mailbox has had. RFC 9051 §2.3.1.1. */
function append(write: Sql, spot: RunSpot, uids: UidSet): void {
  if (uids.length === 0) return;
  const [from] = spanOf(uids);
  const tail = overlapping(write, spot, from - 1, from - 1);
  replace(write, spot, tail, unionOf(tail, uids));
}

function add(write: Sql, mailboxId: MailboxId, kind: RunKind, uids: UidSet): void {
  if (uids.length === 0) return;
  const [from, to] = spanOf(uids);
  // Runs that touch the new ones grow together with them.
  const runs = overlapping(write, { mailboxId, kind }, from - 1, to + 1);
  replace(write, { mailboxId, kind }, runs, unionOf(runs, uids));
}

function remove(write: Sql, mailboxId: MailboxId, kind: RunKind, uids: UidSet): void {
  if (uids.length === 0) return;
  const [from, to] = spanOf(uids);
  const runs = overlapping(write, { mailboxId, kind }, from, to);
  replace(write, { mailboxId, kind }, runs, differenceOf(runs, uids));
}

function replace(write: Sql, spot: RunSpot, before: UidSet, after: UidSet): void {
  if (before.length === 0 && after.length === 0) return;
  const lasts = new Map(before);
  for (const [first, last] of after) {
    if (lasts.get(first) !== last) putRun.run(write, { ...spot, first, last });
    lasts.delete(first);
  }
  for (const first of lasts.keys()) dropRun.run(write, { ...spot, first });
}

/** First and last member of a set that is not empty. */
function spanOf(uids: UidSet): UidRange {
  return [uids[0]?.[0] as Uid, uids.at(-1)?.[1] as Uid];
}
