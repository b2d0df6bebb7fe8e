/**
 * The open mailbox of one session: which message has which sequence number, what the client has
 * been told, and what it has still to hear.
 *
 * Invariants: `told` is exactly what the client can know from EXISTS, EXPUNGE and VANISHED; it
 * changes only in `flush`. After a flush that may tell removals it is the mailbox's own list of
 * UIDs, shared with every other session. A message that came and went unseen is never mentioned.
 *
 * RFC 9051 §7.5.1, RFC 7162 §3.2.10: when EXPUNGE and VANISHED may be sent.
 */

import { FIXED_FLAGS } from '#domain/values/flags';
import type { MailboxId, ModSeq, Revision, SeqNo, Uid } from '#domain/values/ids';
import type { AccountFact } from '#domain/log/streams';
import type { MessageMark } from '#domain/message/state';
import {
  differenceOf,
  hasUid,
  isEmptyUidSet,
  NO_UIDS,
  unionOf,
  type UidSet,
} from '#domain/values/uid-set';
import type { UidRuns } from '#domain/values/uid-runs';
import { IMAP_PENDING_CHANGES_MAX } from '../limits.ts';
import { type FlagsForm, type MailboxChange, type MailboxNews, type Step } from './mailbox-news.ts';
import { existingUids, rangesUpTo, uidsAtSeqs } from './sequence-set.ts';
import type { SequenceSet } from './words.ts';
import { fetchStart, flagSetText, linesOf, vanishedLines } from './writer.ts';

/** What may be told now. */
export interface Topics {
  /** EXISTS */
  readonly additions: boolean;
  /** EXPUNGE and VANISHED */
  readonly removals: boolean;
  /** FETCH with the flags that others have edited */
  readonly flags: boolean;
}

/** What holds for a flush. */
export interface Telling extends Topics {
  readonly condstore: boolean;
  /** VANISHED instead of EXPUNGE. */
  readonly vanished: boolean;
  /** RFC 9586: UIDFETCH instead of FETCH. */
  readonly uidOnly: boolean;
  /** RFC 5465 §5.2: new messages of others are to be described. */
  readonly arrivals: boolean;
}

const NOTHING_OWED: Topics = { additions: false, removals: false, flags: false };

export interface OpenedAs {
  readonly readOnly: boolean;
  /** Called when there is something to tell. */
  readonly wake: () => void;
}

export class Selected {
  readonly mailboxId: MailboxId;
  readonly uidValidity: number;
  readonly readOnly: boolean;
  /** RFC 5182: the messages that `$` stands for. */
  saved: UidSet = NO_UIDS;
  readonly #news: MailboxNews;
  readonly #stop: () => void;
  #told: UidRuns;
  #keywordsTold: readonly string[];
  /** The mailbox may have keywords that are not told. */
  #mayKnowMore = false;
  #pending: MailboxChange[] = [];
  #pendingCount = 0;
  /** Modseq of the first change that the client was not told of when it happened. */
  #held: ModSeq | undefined;
  /** Flags that were edited after this modseq are still to be told. */
  #flagsToldTo: ModSeq | undefined;
  /** Highest modseq sent in a FETCH since the last flush that told everything. */
  #shown: ModSeq = 0;
  /** What the session's own commands did is told, whatever else is. */
  #owed: Topics = NOTHING_OWED;
  /** Messages that this session added, not told yet. */
  #own: UidSet = NO_UIDS;
  /** Messages of others that were told and are still to be described. */
  #arrivals: UidSet = NO_UIDS;
  #gone = false;

  constructor(news: MailboxNews, uidValidity: number, as: OpenedAs) {
    this.mailboxId = news.mailboxId;
    this.uidValidity = uidValidity;
    this.readOnly = as.readOnly;
    this.#news = news;
    this.#told = news.runs();
    this.#keywordsTold = news.summary()?.keywords ?? [];
    this.#stop = news.listen((change) => {
      this.#hear(change);
      as.wake();
    });
  }

  /** The messages that the client knows. */
  get told(): UidRuns {
    return this.#told;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  /** RFC 9051 §7.1: the client lags too far behind and must begin anew. */
  get isOverrun(): boolean {
    return this.#pendingCount > IMAP_PENDING_CHANGES_MAX;
  }

  /** Changes that the client has not heard of, or does not want to. */
  get pendingCount(): number {
    return this.#pendingCount;
  }

  /** The mailbox's modseq up to which the client has been told everything. */
  get reportedModSeq(): ModSeq {
    const highest = this.#news.summary()?.highestModSeq ?? 1;
    return this.#held === undefined ? highest : Math.min(highest, this.#held - 1);
  }

  get keywords(): readonly string[] {
    return this.#keywordsTold;
  }

  /** A FETCH with this modseq is being sent. */
  show(modSeq: ModSeq): void {
    if (modSeq > this.#shown) this.#shown = modSeq;
  }

  /**
   * These facts are of the session itself: the command that made them tells the flags, the next
   * `flush` which messages came and went.
   */
  claim(facts: readonly AccountFact[]): void {
    const own = new Set<Revision>(facts.map((fact) => fact.revision));
    const isOwn = (change: MailboxChange): boolean => own.has(change.revision);
    for (const { added, removes } of this.#pending.filter(isOwn)) {
      this.#own = unionOf(this.#own, added);
      const additions = this.#owed.additions || !isEmptyUidSet(added);
      this.#owed = { additions, removals: this.#owed.removals || removes, flags: false };
    }
    this.#pending = this.#pending.filter((change) => !isOwn(change));
  }

  /** New messages that were told and not described yet. */
  takeArrivals(): UidSet {
    const arrivals = this.#arrivals;
    this.#arrivals = NO_UIDS;
    return arrivals;
  }

  /** Shared with the other sessions on this mailbox. */
  get news(): MailboxNews {
    return this.#news;
  }

  /** The messages of a set of sequence numbers. Throws BadSyntax for one that is not there. */
  uidsOfSeqs(set: SequenceSet): UidSet {
    return uidsAtSeqs(set, this.#told, this.saved);
  }

  /** The messages of a set of UIDs; those that the client does not know are left out. */
  uidsOfUids(set: SequenceSet): UidSet {
    return existingUids(set, this.#told, this.saved);
  }

  /** A set of UIDs as asked, whether they exist or not, up to the highest that ever existed. */
  askedUids(set: SequenceSet): UidSet {
    return rangesUpTo(set, (this.#news.summary()?.uidNext ?? 1) - 1, this.saved);
  }

  seqOf(uid: Uid): SeqNo | undefined {
    return this.#told.seqOf(uid);
  }

  /**
   * The untagged responses for everything that happened since the last flush and may be told now;
   * '' when there is nothing.
   */
  flush(telling: Telling): string {
    if (this.#pendingCount === 0 && this.#held === undefined) return '';
    if (this.#gone) return '';
    const step = this.#news.stepFrom(this.#told);
    const topics: Topics = {
      additions: telling.additions || this.#owed.additions,
      removals: telling.removals || this.#owed.removals,
      flags: telling.flags,
    };
    let text = this.#tellMessages(step, topics, telling);
    const edited = topics.flags ? this.#editedUids() : NO_UIDS;
    if (!isEmptyUidSet(edited)) text += this.keywordLine() + this.#tellFlags(edited, step, telling);
    this.#settle(step, topics);
    if (telling.condstore) text += this.#loweredModSeq();
    return text;
  }

  /** In place of `flush` when nothing may be told until later. */
  withhold(condstore: boolean): string {
    this.#held ??= this.#pending[0]?.modSeq;
    return condstore ? this.#loweredModSeq() : '';
  }

  /** Nothing is told any more of what happened so far, unless it is asked for again. */
  hold(): void {
    this.#settle(this.#news.stepFrom(this.#told), NOTHING_OWED);
  }

  /** RFC 9051 §7.3.1: a new FLAGS line when keywords are new since the last one, else ''. */
  keywordLine(): string {
    if (!this.#mayKnowMore) return '';
    this.#mayKnowMore = false;
    const keywords = this.#news.summary()?.keywords ?? this.#keywordsTold;
    if (keywords.length === this.#keywordsTold.length) return '';
    this.#keywordsTold = keywords;
    return `* FLAGS (${flagsOfMailbox(keywords)})\r\n`;
  }

  close(): void {
    this.#stop();
  }

  #hear(change: MailboxChange): void {
    this.#pendingCount++;
    if (change.deletes) this.#gone = true;
    if (change.mayTeach) this.#mayKnowMore = true;
    if (!this.isOverrun) this.#pending.push(change);
  }

  #editedUids(): UidSet {
    let edited = NO_UIDS;
    for (const change of this.#pending) edited = unionOf(edited, change.edited);
    if (this.#flagsToldTo === undefined) return edited;
    return unionOf(edited, this.#news.changedSince(this.#flagsToldTo, this.#told.uids));
  }

  #tellMessages(step: Step, topics: Topics, telling: Telling): string {
    const adds = topics.additions && !isEmptyUidSet(step.added);
    let text = '';
    if (adds) {
      this.#told = isEmptyUidSet(step.removed) ? step.to : this.#told.with(step.added);
      text += `* ${this.#told.count} EXISTS\r\n`;
      if (telling.arrivals) {
        this.#arrivals = unionOf(this.#arrivals, differenceOf(step.added, this.#own));
      }
      this.#own = NO_UIDS;
    }
    if (!topics.removals || isEmptyUidSet(step.removed)) return text;
    text += telling.vanished
      ? linesOf(vanishedLines(step.removed, false))
      : expungeLines(step.removed, this.#told);
    const knowsAll = adds || isEmptyUidSet(step.added);
    this.#told = knowsAll ? step.to : this.#told.without(step.removed);
    return text;
  }

  /** Forgets what was told, and notes what was not. */
  #settle(step: Step, told: Topics): void {
    const untold = this.#pending.filter(
      ({ added, removes, edited }) =>
        (!told.additions && !isEmptyUidSet(added)) ||
        (!told.removals && removes) ||
        (!told.flags && !isEmptyUidSet(edited)),
    );
    const firstEdit = told.flags ? undefined : untold.find(({ edited }) => !isEmptyUidSet(edited));
    if (told.flags) this.#flagsToldTo = undefined;
    else if (firstEdit !== undefined) this.#flagsToldTo ??= firstEdit.modSeq - 1;
    const knowsAll =
      (told.additions || isEmptyUidSet(step.added)) &&
      (told.removals || isEmptyUidSet(step.removed)) &&
      this.#flagsToldTo === undefined;
    if (knowsAll) {
      this.#held = undefined;
      this.#shown = 0;
    } else {
      this.#held ??= untold[0]?.modSeq;
    }
    this.#owed = NOTHING_OWED;
    this.#pending = [];
    this.#pendingCount = 0;
  }

  #tellFlags(edited: UidSet, step: Step, telling: Telling): string {
    const form = flagsForm(telling.condstore, telling.uidOnly);
    const marks = this.#news.marks(edited);
    if (telling.condstore) for (const mark of marks) this.show(mark.modSeq);
    // Messages that this flush announces are new to the client, which asks for their flags itself.
    if (isEmptyUidSet(step.added))
      return this.#news.lines(marks, this.#told, form, fetchFlagsLines);
    const old = marks.filter((mark) => !hasUid(step.added, mark.uid));
    return fetchFlagsLines(old, this.#told, form);
  }

  /**
   * RFC 7162 §3.2.12: a client that stores the modseq of a FETCH must not miss the removal that is
   * held back, so it is told to which modseq it is really up to date.
   */
  #loweredModSeq(): string {
    if (this.#held === undefined || this.#shown < this.#held) return '';
    this.#shown = 0;
    return `* OK [HIGHESTMODSEQ ${this.#held - 1}] some changes are yet to be told\r\n`;
  }
}

/** All flags that a mailbox knows, for FLAGS and PERMANENTFLAGS. */
export function flagsOfMailbox(keywords: readonly string[]): string {
  return [...FIXED_FLAGS, ...keywords].join(' ');
}

/** RFC 9051 §7.5.1: each number is valid at the moment its line is sent. */
function expungeLines(removed: UidSet, told: UidRuns): string {
  let text = '';
  let shift = 0;
  for (const [first, last] of removed) {
    const seq = told.seqOf(first);
    if (seq === undefined) continue;
    text += `* ${seq - shift} EXPUNGE\r\n`.repeat(last - first + 1);
    shift += last - first + 1;
  }
  return text;
}

export function flagsForm(withModSeq: boolean, uidOnly: boolean): FlagsForm {
  if (uidOnly) return withModSeq ? 'uidonly-modseq' : 'uidonly';
  return withModSeq ? 'uid-modseq' : 'uid';
}

/** FETCH lines with the flags of messages; those that are not in `told` are left out. */
export function fetchFlagsLines(
  marks: readonly MessageMark[],
  told: UidRuns,
  form: FlagsForm,
): string {
  const uidOnly = form === 'uidonly' || form === 'uidonly-modseq';
  const withModSeq = form === 'uid-modseq' || form === 'uidonly-modseq';
  let text = '';
  for (const mark of marks) {
    const seq = told.seqOf(mark.uid);
    if (seq === undefined) continue;
    const uid = uidOnly ? '' : `UID ${mark.uid} `;
    const modSeq = withModSeq ? ` MODSEQ (${mark.modSeq})` : '';
    text += `${fetchStart(seq, mark.uid, uidOnly)}${uid}FLAGS ${flagSetText(mark)}${modSeq})\r\n`;
  }
  return text;
}
