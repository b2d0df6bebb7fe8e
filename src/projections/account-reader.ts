/**
 * AccountViews over a connection that sees committed turns only.
 *
 * UIDs and marks of what is asked for are kept, shared by all sessions: facts that were committed
 * are told by `learn`, the pages of marks that a turn has changed come with the commit.
 */

import type {
  AccountViews,
  MailboxSummary,
  MessageRow,
  MessageWire,
  WireItem,
} from './account-views.ts';
import type { AccountFact } from '#domain/log/streams';
import type { Annotation } from '#domain/mailbox/annotations';
import type { MessageMark } from '#domain/message/state';
import type { QueueItem } from '#domain/queue/state';
import type { Suppression } from '#domain/suppression/state';
import type { Webhook } from '#domain/webhook/state';
import type {
  HookId,
  MailboxId,
  MessageId,
  ModSeq,
  QueueId,
  Revision,
  Uid,
} from '#domain/values/ids';
import { UidRuns } from '#domain/values/uid-runs';
import {
  differenceOf,
  hasUid,
  intersectionOf,
  isEmptyUidSet,
  type UidSet,
} from '#domain/values/uid-set';
import { annotationsOf } from './annotations.ts';
import { removalsForgottenTo, uidVanishedAt, vanishedUidsSince } from './changes.ts';
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
import {
  allMailboxes,
  mailboxById,
  mailboxByName,
  subscriptions,
  usedBytes,
} from './mailbox-reads.ts';
import { MarkPages } from './mark-pages.ts';
import { firstUnseen, marksOf, marksSince } from './mark-reads.ts';
import { storedRowsOf, wiresOf, type StoredRow } from './message-reads.ts';
import { searchMessages, type SearchCondition } from './message-search.ts';
import type { Sql } from './query.ts';
import { queueItem, queueItemsWithBase } from './queue-items.ts';
import { suppressionsIn } from './suppressions.ts';
import {
  liveContentsAfter,
  textSourcesAfter,
  uidsOfContents,
  uidsOfContentsAfter,
  type TextSource,
} from './text-sources.ts';
import { uidChangesOf } from './uid-changes.ts';
import { runsOf } from './uid-runs.ts';
import { webhookIn } from './webhooks.ts';

/** Mailboxes whose UIDs are kept; those asked for longest ago are dropped first. */
const KEPT_RUNS_MAX = 64;

export class AccountReader implements AccountViews {
  /** Whoever writes puts here what was committed. */
  readonly pages: MarkPages;
  readonly #sql: () => Sql;
  readonly #runs = new Map<MailboxId, UidRuns>();
  /** Mailboxes, and their first unseen messages, as they were read at the present revision. */
  readonly #named = new Map<string, MailboxSummary>();
  readonly #unseen = new Map<MailboxId, Uid | undefined>();
  #revision: Revision;

  /** `sql` gives the connection; it is asked for every time, so that it may be closed meanwhile. */
  constructor(sql: () => Sql, revision: Revision) {
    this.#sql = sql;
    this.pages = new MarkPages(sql);
    this.#revision = revision;
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** Asks what it likes of the rows, and writes none. */
  read<Answer>(question: (sql: Sql) => Answer): Answer {
    return question(this.#sql());
  }

  /** These facts were committed, the first one right behind `revision`. */
  learn(facts: readonly AccountFact[]): void {
    this.#forgetPresent();
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
    this.forget();
    this.#revision = revision;
  }

  /** Gives back memory; nothing is lost. */
  forget(): void {
    this.#forgetPresent();
    this.#runs.clear();
    this.pages.forget();
  }

  #forgetPresent(): void {
    this.#named.clear();
    this.#unseen.clear();
  }

  mailboxes(): readonly MailboxSummary[] {
    return allMailboxes(this.#sql());
  }

  mailbox(mailboxId: MailboxId): MailboxSummary | undefined {
    return mailboxById(this.#sql(), mailboxId);
  }

  mailboxNamed(name: string): MailboxSummary | undefined {
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    const mailbox = mailboxByName(this.#sql(), name);
    if (mailbox !== undefined) this.#named.set(name, mailbox);
    return mailbox;
  }

  usedBytes(): number {
    return usedBytes(this.#sql());
  }

  subscriptions(): readonly string[] {
    return subscriptions(this.#sql());
  }

  annotations(mailboxId: MailboxId | undefined): readonly Annotation[] {
    return annotationsOf(this.#sql(), mailboxId);
  }

  uidRuns(mailboxId: MailboxId): UidRuns {
    const known = this.#runs.get(mailboxId);
    if (known !== undefined) return known;
    const read = runsOf(this.#sql(), mailboxId);
    const runs = isEmptyUidSet(read) ? UidRuns.empty : new UidRuns(read);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size >= KEPT_RUNS_MAX && oldest !== undefined) this.#runs.delete(oldest);
    this.#runs.set(mailboxId, runs);
    return runs;
  }

  firstUnseen(mailboxId: MailboxId): Uid | undefined {
    if (!this.#unseen.has(mailboxId)) {
      this.#unseen.set(mailboxId, firstUnseen(this.pages, mailboxId));
    }
    return this.#unseen.get(mailboxId);
  }

  marks(mailboxId: MailboxId, uids: UidSet): readonly MessageMark[] {
    return marksOf(this.pages, mailboxId, this.#existing(mailboxId, uids));
  }

  rows(mailboxId: MailboxId, uids: UidSet): readonly MessageRow[] {
    const existing = this.#existing(mailboxId, uids);
    const marks = marksOf(this.pages, mailboxId, existing);
    const rows = storedRowsOf(this.#sql(), mailboxId, existing);
    return rows.map((row, i) => rowWith(row, marks[i]));
  }

  wire(mailboxId: MailboxId, uids: UidSet, item: WireItem): readonly MessageWire[] {
    return wiresOf(this.#sql(), mailboxId, this.#existing(mailboxId, uids), item);
  }

  changedSince(mailboxId: MailboxId, since: ModSeq, uids: UidSet): readonly MessageMark[] {
    return marksSince(this.pages, mailboxId, since, uids);
  }

  vanishedSince(mailboxId: MailboxId, since: ModSeq, uids: UidSet): UidSet {
    const sql = this.#sql();
    if (since < removalsForgottenTo(sql, mailboxId)) {
      return differenceOf(uids, this.uidRuns(mailboxId).uids);
    }
    return intersectionOf(vanishedUidsSince(sql, mailboxId, since), uids);
  }

  vanishedAt(mailboxId: MailboxId, uid: Uid): ModSeq | undefined {
    const sql = this.#sql();
    const at = uidVanishedAt(sql, mailboxId, uid);
    if (at !== undefined) return at;
    const forgottenTo = removalsForgottenTo(sql, mailboxId);
    const existed = uid < (this.mailbox(mailboxId)?.uidNext ?? 0);
    if (forgottenTo === 0 || !existed || hasUid(this.uidRuns(mailboxId).uids, uid)) {
      return undefined;
    }
    return forgottenTo;
  }

  search(mailboxId: MailboxId, condition: SearchCondition): UidSet {
    const existing = this.uidRuns(mailboxId).uids;
    return searchMessages(condition, { sql: this.#sql(), pages: this.pages, mailboxId, existing });
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

  textSources(after: MessageId, limit: number): readonly TextSource[] {
    return textSourcesAfter(this.#sql(), after, limit);
  }

  liveContents(after: MessageId, limit: number): readonly MessageId[] {
    return liveContentsAfter(this.#sql(), after, limit);
  }

  uidsOfContents(mailboxId: MailboxId, contents: Float64Array): UidSet {
    return uidsOfContents(this.#sql(), mailboxId, contents);
  }

  uidsOfContentsAfter(mailboxId: MailboxId, after: MessageId): UidSet {
    return uidsOfContentsAfter(this.#sql(), mailboxId, after);
  }

  queueItem(queueId: QueueId): QueueItem | undefined {
    return queueItem(this.#sql(), queueId);
  }

  queueItemsWithBase(baseId: QueueId): readonly QueueItem[] {
    return queueItemsWithBase(this.#sql(), baseId);
  }

  webhook(hookId: HookId): Webhook | undefined {
    return webhookIn(this.#sql(), hookId);
  }

  suppressions(): readonly Suppression[] {
    return suppressionsIn(this.#sql());
  }

  #existing(mailboxId: MailboxId, uids: UidSet): UidSet {
    return intersectionOf(uids, this.uidRuns(mailboxId).uids);
  }
}

/** A message with what commands change about it. */
function rowWith(row: StoredRow, mark: MessageMark | undefined): MessageRow {
  if (mark?.uid !== row.uid) throw new Error(`message ${row.uid} has no marks`);
  const { bits, keywords, modSeq } = mark;
  return { ...row, bits, keywords, modSeq };
}
