/**
 * AccountViews over a connection that sees committed turns only.
 *
 * The UIDs of mailboxes that are asked for are kept, so that every session on a mailbox shares one
 * object; facts that were committed are told by `learn` and move them on.
 */

import type {
  AccountViews,
  MailboxSummary,
  MessageRow,
  MessageWire,
  QueueRow,
  WireItem,
} from './account-views.ts';
import type { AccountFact } from '#domain/log/streams';
import type { MessageMark } from '#domain/message/state';
import type { MailboxId, ModSeq, QueueId, Revision, Uid } from '#domain/values/ids';
import { UidRuns } from '#domain/values/uid-runs';
import { intersectionOf, isEmptyUidSet, type UidSet } from '#domain/values/uid-set';
import { changedUidsSince, uidVanishedAt, vanishedUidsSince } from './changes.ts';
import {
  identitiesOf,
  referencesOf,
  sortedUids,
  threadRowsOf,
  type MessageIdentity,
  type ReferencesRow,
  type SortKey,
  type ThreadRow,
} from './listing-reads.ts';
import { allMailboxes, mailboxById, mailboxByName, subscriptions } from './mailbox-reads.ts';
import { marksOf, messageRowsOf, newerMarksOf, wiresOf } from './message-reads.ts';
import { EXISTING, lowestOf, runsOf, UNSEEN } from './message-runs.ts';
import { searchMessages, type SearchCondition } from './message-search.ts';
import type { Sql } from './query.ts';
import { queueItem } from './queue.ts';
import { uidChangesOf } from './uid-changes.ts';

/** Mailboxes whose UIDs are kept; those asked for longest ago are dropped first. */
const KEPT_RUNS_MAX = 64;

/** Changes that are read one by one, at least; more, and a scan of the mailbox is cheaper. */
const CHANGES_READ_MIN = 1000;

export class AccountReader implements AccountViews {
  readonly #sql: () => Sql;
  readonly #runs = new Map<MailboxId, UidRuns>();
  #revision: Revision;

  /** `sql` gives the connection; it is asked for every time, so that it may be closed meanwhile. */
  constructor(sql: () => Sql, revision: Revision) {
    this.#sql = sql;
    this.#revision = revision;
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** These facts were committed, the first one right behind `revision`. */
  learn(facts: readonly AccountFact[]): void {
    for (const { event, revision } of facts) {
      this.#revision = revision;
      if (event.type === 'MailboxDeleted') this.#runs.delete(event.mailboxId);
      if (this.#runs.size === 0) continue;
      for (const { mailboxId, created, removed } of uidChangesOf(event)) {
        const runs = this.#runs.get(mailboxId);
        if (runs === undefined) continue;
        let next = runs;
        if (!isEmptyUidSet(created)) next = next.with(created);
        if (!isEmptyUidSet(removed)) next = next.without(removed);
        this.#runs.set(mailboxId, next);
      }
    }
  }

  /** The database was made anew, up to `revision`. */
  reset(revision: Revision): void {
    this.#runs.clear();
    this.#revision = revision;
  }

  /** Gives back memory; nothing is lost. */
  forget(): void {
    this.#runs.clear();
  }

  mailboxes(): readonly MailboxSummary[] {
    return allMailboxes(this.#sql());
  }

  mailbox(mailboxId: MailboxId): MailboxSummary | undefined {
    return mailboxById(this.#sql(), mailboxId);
  }

  mailboxNamed(name: string): MailboxSummary | undefined {
    return mailboxByName(this.#sql(), name);
  }

  subscriptions(): readonly string[] {
    return subscriptions(this.#sql());
  }

  uidRuns(mailboxId: MailboxId): UidRuns {
    const known = this.#runs.get(mailboxId);
    if (known !== undefined) return known;
    const read = runsOf(this.#sql(), mailboxId, EXISTING);
    const runs = isEmptyUidSet(read) ? UidRuns.empty : new UidRuns(read);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size >= KEPT_RUNS_MAX && oldest !== undefined) this.#runs.delete(oldest);
    this.#runs.set(mailboxId, runs);
    return runs;
  }

  firstUnseen(mailboxId: MailboxId): Uid | undefined {
    return lowestOf(this.#sql(), mailboxId, UNSEEN);
  }

  marks(mailboxId: MailboxId, uids: UidSet): readonly MessageMark[] {
    return marksOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids));
  }

  rows(mailboxId: MailboxId, uids: UidSet): readonly MessageRow[] {
    return messageRowsOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids));
  }

  wire(mailboxId: MailboxId, uids: UidSet, item: WireItem): readonly MessageWire[] {
    return wiresOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids), item);
  }

  changedSince(mailboxId: MailboxId, since: ModSeq, uids: UidSet): readonly MessageMark[] {
    const existing = this.#existing(mailboxId, uids);
    if (isEmptyUidSet(existing)) return [];
    const limit = Math.max(CHANGES_READ_MIN, this.uidRuns(mailboxId).count >> 2);
    const changed = changedUidsSince(this.#sql(), mailboxId, since, limit);
    const asked = changed === undefined ? existing : intersectionOf(changed, existing);
    return newerMarksOf(this.#sql(), mailboxId, asked, since);
  }

  vanishedSince(mailboxId: MailboxId, since: ModSeq, uids: UidSet): UidSet {
    return intersectionOf(vanishedUidsSince(this.#sql(), mailboxId, since), uids);
  }

  vanishedAt(mailboxId: MailboxId, uid: Uid): ModSeq | undefined {
    return uidVanishedAt(this.#sql(), mailboxId, uid);
  }

  search(mailboxId: MailboxId, condition: SearchCondition): UidSet {
    return searchMessages(this.#sql(), mailboxId, condition, this.uidRuns(mailboxId).uids);
  }

  sorted(mailboxId: MailboxId, uids: UidSet, keys: readonly SortKey[]): readonly Uid[] {
    return sortedUids(this.#sql(), mailboxId, this.#existing(mailboxId, uids), keys);
  }

  threadRows(mailboxId: MailboxId, uids: UidSet): readonly ThreadRow[] {
    return threadRowsOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids));
  }

  references(mailboxId: MailboxId, uids: UidSet): readonly ReferencesRow[] {
    return referencesOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids));
  }

  identities(mailboxId: MailboxId, uids: UidSet): readonly MessageIdentity[] {
    return identitiesOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids));
  }

  queueItem(queueId: QueueId): QueueRow | undefined {
    return queueItem(this.#sql(), queueId);
  }

  #existing(mailboxId: MailboxId, uids: UidSet): UidSet {
    return intersectionOf(uids, this.uidRuns(mailboxId).uids);
  }
}
