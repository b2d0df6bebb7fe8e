/**
 * News of one mailbox for the sessions that have it open: what a fact means for it, and what is
 * read and formatted once for all of them.
 *
 * Invariant: what is remembered here was read at the present revision of the views.
 */

import type { AccountFact } from '#domain/log/streams';
import type { MessagesCopied, MessagesMoved } from '#domain/message/events';
import type { MessageMark } from '#domain/message/state';
import { flagSetOf, type FlagEdit } from '#domain/values/flags';
import type { MailboxId, ModSeq, Revision, Uid } from '#domain/values/ids';
import {
  differenceOf,
  equalUidSets,
  NO_UIDS,
  parseUidSet,
  uidCount,
  uidRange,
  uidSetOf,
  type UidSet,
} from '#domain/values/uid-set';
import type { UidRuns } from '#domain/values/uid-runs';
import type { AccountViews, MailboxSummary } from '#projections/account-views';
import { KeptLists } from './kept-lists.ts';

/** What one fact did to one mailbox, as far as a session on it must know. */
export interface MailboxChange {
  readonly mailboxId: MailboxId;
  readonly revision: Revision;
  readonly modSeq: ModSeq;
  readonly added: UidSet;
  /** Messages whose flags were edited. */
  readonly edited: UidSet;
  /** Messages may have keywords that are new to the mailbox. */
  readonly mayTeach: boolean;
  /** Messages were removed. */
  readonly removes: boolean;
  /** The mailbox itself is gone. */
  readonly deletes: boolean;
}

/** From what a session was told to what is the case. */
export interface Step {
  readonly from: UidRuns;
  readonly to: UidRuns;
  readonly added: UidSet;
  readonly removed: UidSet;
}

/** Lines about new messages; undefined: too much to be kept for everybody. */
export type Arrivals = readonly Uint8Array[] | undefined;

export type MailboxListener = (change: MailboxChange) => void;
/** What a fact means for each mailbox whose messages it touches. */
export function mailboxChangesOf(fact: AccountFact): readonly MailboxChange[] {
  const { revision, modSeq, event } = fact;
  const unchanged = { added: NO_UIDS, edited: NO_UIDS, removes: false, deletes: false };
  const quiet = { revision, modSeq, mayTeach: false, ...unchanged };
  const arrival = { ...quiet, mayTeach: true };
  switch (event.type) {
    case 'MessageDelivered': {
      const { uid } = event.message;
      return [{ ...arrival, mailboxId: event.mailboxId, added: uidRange(uid, uid) }];
    }
    case 'MessagesAppended': {
      const added = uidSetOf(event.messages.map(({ uid }) => uid));
      return [{ ...arrival, mailboxId: event.mailboxId, added }];
    }
    case 'MessagesCopied':
      return [{ ...arrival, mailboxId: event.target, added: arrivedUids(event) }];
    case 'MessagesMoved':
      return [
        { ...quiet, mailboxId: event.source, removes: true },
        { ...arrival, mailboxId: event.target, added: arrivedUids(event) },
      ];
    case 'MessageReplaced': {
      const { mailboxId, target, message } = event;
      const added = uidRange(message.uid, message.uid);
      if (mailboxId === target) return [{ ...arrival, mailboxId, added, removes: true }];
      return [
        { ...quiet, mailboxId, removes: true },
        { ...arrival, mailboxId: target, added },
      ];
    }
    case 'FlagsChanged': {
      const { mailboxId, uids, edit } = event;
      return [{ ...quiet, mailboxId, edited: parseUidSet(uids), mayTeach: addsKeywords(edit) }];
    }
    case 'MessagesExpunged':
      return [{ ...quiet, mailboxId: event.mailboxId, removes: true }];
    case 'MailboxDeleted':
      return [{ ...quiet, mailboxId: event.mailboxId, deletes: true }];
    default:
      return [];
  }
}

function addsKeywords(edit: FlagEdit): boolean {
  const flags = 'exactly' in edit ? edit.exactly : edit.add;
  return flagSetOf(flags).keywords !== '';
}

function arrivedUids({ firstUid, uids }: MessagesCopied | MessagesMoved): UidSet {
  return uidRange(firstUid, firstUid + uidCount(parseUidSet(uids)) - 1);
}

/** How a FETCH line that nobody asked for looks. */
export type FlagsForm = 'uid' | 'uid-modseq' | 'uidonly' | 'uidonly-modseq';

/** One mailbox that sessions have open; shared by them. */
export class MailboxNews {
  readonly mailboxId: MailboxId;
  /** As SORT tells them, by what is compared. */
  readonly orders: KeptLists<readonly Uid[]> = new KeptLists(() => this.runs());
  /** As THREAD tells them, by how they are made and what messages are called. */
  readonly threads: KeptLists<string> = new KeptLists(() => this.runs());
  readonly #views: AccountViews;
  readonly #summary: () => MailboxSummary | undefined;
  readonly #listeners = new Set<MailboxListener>();
  readonly #closed: () => void;
  /** Revision of the views that the fields below were read at. */
  #readAt: Revision = -1;
  #marks: { readonly uids: UidSet; readonly marks: readonly MessageMark[] } | undefined;
  #step: Step | undefined;
  #arrivals:
    | {
        readonly told: UidRuns;
        readonly uids: UidSet;
        readonly key: string;
        readonly arrivals: Promise<Arrivals>;
      }
    | undefined;
  #lines:
    | {
        readonly marks: readonly MessageMark[];
        readonly told: UidRuns;
        readonly form: FlagsForm;
        readonly text: string;
      }
    | undefined;

  /** `closed` is called when the last session has left. */
  constructor(
    mailboxId: MailboxId,
    views: AccountViews,
    summary: () => MailboxSummary | undefined,
    closed: () => void,
  ) {
    this.mailboxId = mailboxId;
    this.#views = views;
    this.#summary = summary;
    this.#closed = closed;
  }

  /** Undefined when the mailbox is gone. */
  summary(): MailboxSummary | undefined {
    return this.#summary();
  }

  runs(): UidRuns {
    return this.#views.uidRuns(this.mailboxId);
  }

  /** The present flags and modseqs of those of `uids` that exist. */
  marks(uids: UidSet): readonly MessageMark[] {
    this.#refresh();
    const known = this.#marks;
    if (known !== undefined && equalUidSets(known.uids, uids)) return known.marks;
    const marks = this.#views.marks(this.mailboxId, uids);
    this.#marks = { uids, marks };
    return marks;
  }

  /** Those of `uids` whose flags were edited after `since`, or that came after it. */
  changedSince(since: ModSeq, uids: UidSet): UidSet {
    return uidSetOf(this.#views.changedSince(this.mailboxId, since, uids).map(({ uid }) => uid));
  }

  /** What happened to the messages since a session was told `from`. */
  stepFrom(from: UidRuns): Step {
    const to = this.runs();
    const known = this.#step;
    if (known !== undefined && known.from === from && known.to === to) return known;
    const step =
      from === to
        ? { from, to, added: NO_UIDS, removed: NO_UIDS }
        : {
            from,
            to,
            added: differenceOf(to.uids, from.uids),
            removed: differenceOf(from.uids, to.uids),
          };
    this.#step = step;
    return step;
  }

  /** `format` of these arguments, remembered for the next session that was told the same. */
  lines(
    marks: readonly MessageMark[],
    told: UidRuns,
    form: FlagsForm,
    format: (marks: readonly MessageMark[], told: UidRuns, form: FlagsForm) => string,
  ): string {
    const known = this.#lines;
    if (known?.marks === marks && known.told === told && known.form === form) return known.text;
    const text = format(marks, told, form);
    this.#lines = { marks, told, form, text };
    return text;
  }

  /** What `make` makes of new messages, once for all sessions that ask with the same key. */
  arrivals(
    told: UidRuns,
    uids: UidSet,
    key: string,
    make: () => Promise<Arrivals>,
  ): Promise<Arrivals> {
    this.#refresh();
    const known = this.#arrivals;
    const isSame = known?.told === told && known.key === key && equalUidSets(known.uids, uids);
    if (isSame) return known.arrivals;
    const arrivals = make();
    this.#arrivals = { told, uids, key, arrivals };
    return arrivals;
  }

  /** Returns how to stop. */
  listen(listener: MailboxListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#closed();
    };
  }

  tell(change: MailboxChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #refresh(): void {
    if (this.#readAt === this.#views.revision) return;
    this.#readAt = this.#views.revision;
    this.#marks = undefined;
    this.#arrivals = undefined;
    this.#lines = undefined;
  }
}
