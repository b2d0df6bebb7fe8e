/**
 * What can be asked about one account: the questions of IMAP and of the queue, answered from the
 * account's read models. All answers are as of the last committed turn of the account's lane.
 */

import type { MessageIdentity, ReferencesRow, SortKey, ThreadRow } from './listing-reads.ts';
import type { SearchCondition } from './message-search.ts';
import type { TextSource } from './text-sources.ts';
import type { Annotation } from '#domain/mailbox/annotations';
import type { Mailbox } from '#domain/mailbox/state';
import type { MessageMark, MessageRecord } from '#domain/message/state';
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
import type { UidRuns } from '#domain/values/uid-runs';
import type { UidSet } from '#domain/values/uid-set';

/** A mailbox with what STATUS and SELECT tell of it; kept up to date per event, never counted. */
export interface MailboxSummary extends Mailbox {
  /** Last event that touched this mailbox or a message in it. RFC 7162 §3.1.1 HIGHESTMODSEQ. */
  readonly highestModSeq: ModSeq;
  readonly exists: number;
  readonly unseen: number;
  /** Messages flagged \Deleted, and their octets. */
  readonly deleted: number;
  readonly deletedBytes: number;
  readonly sizeBytes: number;
  /** Keywords that messages of this mailbox have had, sorted. */
  readonly keywords: readonly string[];
}

/** All that facts say about a message. */
export type MessageRow = MessageRecord;

/** Facts in wire form that FETCH copies; see MessageFacts. */
export interface MessageWire {
  readonly uid: Uid;
  readonly text: string;
}
export type WireItem = 'envelope' | 'body' | 'bodyStructure';

export interface AccountViews {
  /** Last event that the views have. */
  readonly revision: Revision;
  /** All mailboxes, by name. */
  mailboxes(): readonly MailboxSummary[];
  mailbox(mailboxId: MailboxId): MailboxSummary | undefined;
  mailboxNamed(name: string): MailboxSummary | undefined;
  /** Octets of all messages, each with its full size; kept up to date per event. */
  usedBytes(): number;
  /** Subscribed names, with or without a mailbox, sorted. */
  subscriptions(): readonly string[];
  /** Of a mailbox, or of the account itself, by name. */
  annotations(mailboxId: MailboxId | undefined): readonly Annotation[];
  /** The UIDs of a mailbox; the same object for every caller until the mailbox changes. */
  uidRuns(mailboxId: MailboxId): UidRuns;
  firstUnseen(mailboxId: MailboxId): Uid | undefined;
  /** Those of `uids` that exist, ascending. The three reads differ in what they cost. */
  marks(mailboxId: MailboxId, uids: UidSet): readonly MessageMark[];
  rows(mailboxId: MailboxId, uids: UidSet): readonly MessageRow[];
  wire(mailboxId: MailboxId, uids: UidSet, item: WireItem): readonly MessageWire[];
  /** RFC 7162 §3.1.4: of `uids`, those that exist and have a modseq above `since`, ascending. */
  changedSince(mailboxId: MailboxId, since: ModSeq, uids: UidSet): readonly MessageMark[];
  /**
   * RFC 7162 §3.2.5: of `uids`, those removed after `since`, also those created after it: who asks
   * may know them. When removals after `since` are forgotten: all of `uids` that are not there.
   */
  vanishedSince(mailboxId: MailboxId, since: ModSeq, uids: UidSet): UidSet;
  /** The modseq at which a UID was removed, at the latest; undefined if it was not. */
  vanishedAt(mailboxId: MailboxId, uid: Uid): ModSeq | undefined;
  /** UIDs for which the condition may be true; exactly those when it needs no body. */
  search(mailboxId: MailboxId, condition: SearchCondition): UidSet;
  /** Those of `uids` that exist, by one key after the other, and then by UID. RFC 5256 §3 */
  sorted(mailboxId: MailboxId, uids: UidSet, keys: readonly SortKey[]): readonly Uid[];
  /** Of those of `uids` that exist, ascending: what threads are made of, and who has ancestors. */
  threadRows(mailboxId: MailboxId, uids: UidSet): readonly ThreadRow[];
  references(mailboxId: MailboxId, uids: UidSet): readonly ReferencesRow[];
  /** Of those of `uids` that exist, ascending. RFC 8474 §5 */
  identities(mailboxId: MailboxId, uids: UidSet): readonly MessageIdentity[];
  /** Contents behind `after` in the order in which they came, for a full-text index. */
  textSources(after: MessageId, limit: number): readonly TextSource[];
  /** Ids of contents behind `after` that some message has, ascending. */
  liveContents(after: MessageId, limit: number): readonly MessageId[];
  /** The messages of a mailbox that have one of the contents. */
  uidsOfContents(mailboxId: MailboxId, contents: Float64Array): UidSet;
  /** The messages of a mailbox whose contents are behind `after`. */
  uidsOfContentsAfter(mailboxId: MailboxId, after: MessageId): UidSet;
  queueItem(queueId: QueueId): QueueItem | undefined;
  /** The items of a message that may go in one transaction; see QueuedMessage.baseId. */
  queueItemsWithBase(baseId: QueueId): readonly QueueItem[];
  /** One that waits, or is under way for the last time. */
  webhook(hookId: HookId): Webhook | undefined;
  /** Addresses that the account does not write to, by base address. */
  suppressions(): readonly Suppression[];
}
