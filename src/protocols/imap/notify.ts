/**
 * News on their way to sessions: what the facts of an account mean for the mailboxes that sessions
 * have open.
 *
 * One subscription per account and one `MailboxNews` per open mailbox serve all sessions, so a
 * change is read from the views and formatted once, however many sessions wait for it, and a change
 * of a mailbox that nobody has open costs nothing.
 *
 * Invariant: news arrive after the views have them, so what is read here is never older than the
 * change that was announced, and it may be newer.
 */

import type { AccountFact } from '#domain/log/streams';
import type { MessageMark } from '#domain/message/state';
import type { AccountId, MailboxId, ModSeq, Revision } from '#domain/values/ids';
import {
  differenceOf,
  equalUidSets,
  NO_UIDS,
  parseUidSet,
  type UidSet,
} from '#domain/values/uid-set';
import type { UidRuns } from '#domain/values/uid-runs';
import type { AccountViews, MailboxSummary } from '#projections/account-views';
import type { Announcement, Changes } from '../ports.ts';

/** What one fact did to one mailbox, as far as a session on it must know. */
export interface MailboxChange {
  readonly mailboxId: MailboxId;
  readonly revision: Revision;
  readonly modSeq: ModSeq;
  /** Messages whose flags were edited. */
  readonly edited: UidSet;
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

export type MailboxListener = (change: MailboxChange) => void;
/** Hears of mailboxes that were made, renamed, deleted, subscribed or unsubscribed. */
export type NamesListener = (fact: AccountFact) => void;

/** What a fact means for each mailbox whose messages it touches. */
export function mailboxChangesOf(fact: AccountFact): readonly MailboxChange[] {
  const { revision, modSeq, event } = fact;
  const quiet = { revision, modSeq, edited: NO_UIDS, removes: false, deletes: false };
  switch (event.type) {
    case 'MessageDelivered':
    case 'MessagesAppended':
      return [{ ...quiet, mailboxId: event.mailboxId }];
    case 'MessagesCopied':
      return [{ ...quiet, mailboxId: event.target }];
    case 'MessagesMoved':
      return [
        { ...quiet, mailboxId: event.source, removes: true },
        { ...quiet, mailboxId: event.target },
      ];
    case 'FlagsChanged':
      return [{ ...quiet, mailboxId: event.mailboxId, edited: parseUidSet(event.uids) }];
    case 'MessagesExpunged':
      return [{ ...quiet, mailboxId: event.mailboxId, removes: true }];
    case 'MailboxDeleted':
      return [{ ...quiet, mailboxId: event.mailboxId, deletes: true }];
    default:
      return [];
  }
}

function concernsNames(fact: AccountFact): boolean {
  switch (fact.event.type) {
    case 'MailboxesCreated':
    case 'MailboxesRenamed':
    case 'MailboxDeleted':
    case 'MailboxSubscribed':
    case 'MailboxUnsubscribed':
      return true;
    default:
      return false;
  }
}

/** How a FETCH line that nobody asked for looks. */
export type FlagsForm = 'uid' | 'uid-modseq' | 'uidonly' | 'uidonly-modseq';

/** One mailbox that sessions have open; shared by them. */
export class MailboxNews {
  readonly mailboxId: MailboxId;
  readonly #views: AccountViews;
  readonly #listeners = new Set<MailboxListener>();
  readonly #closed: () => void;
  /** Revision of the views that the fields below were read at. */
  #readAt: Revision = -1;
  #summary: MailboxSummary | undefined;
  #marks: { readonly uids: UidSet; readonly marks: readonly MessageMark[] } | undefined;
  #step: Step | undefined;
  #lines:
    | {
        readonly marks: readonly MessageMark[];
        readonly told: UidRuns;
        readonly form: FlagsForm;
        readonly text: string;
      }
    | undefined;

  constructor(mailboxId: MailboxId, views: AccountViews, closed: () => void) {
    this.mailboxId = mailboxId;
    this.#views = views;
    this.#closed = closed;
  }

  /** Undefined when the mailbox is gone. */
  summary(): MailboxSummary | undefined {
    this.#refresh();
    return (this.#summary ??= this.#views.mailbox(this.mailboxId));
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
    this.#summary = undefined;
    this.#marks = undefined;
    this.#lines = undefined;
  }
}

/** One account with sessions; shared by them. */
export class AccountNews {
  readonly views: AccountViews;
  readonly #mailboxes = new Map<MailboxId, MailboxNews>();
  readonly #listeners = new Set<NamesListener>();
  readonly #stop: () => void;

  constructor(accountId: AccountId, views: AccountViews, changes: Changes, closed: () => void) {
    this.views = views;
    const subscription = changes
      .of(accountId)
      .subscribe((announcement) => this.#announce(announcement));
    this.#stop = () => {
      subscription.unsubscribe();
      closed();
    };
  }

  /** The shared news of a mailbox; to be listened to at once. */
  mailbox(mailboxId: MailboxId): MailboxNews {
    const known = this.#mailboxes.get(mailboxId);
    if (known !== undefined) return known;
    const news = new MailboxNews(mailboxId, this.views, () => {
      this.#mailboxes.delete(mailboxId);
    });
    this.#mailboxes.set(mailboxId, news);
    return news;
  }

  /** One call per session; the subscription ends with the last one that stops. */
  listen(listener: NamesListener): () => void {
    this.#listeners.add(listener);
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  #announce(announcement: Announcement): void {
    for (const fact of announcement.facts) {
      for (const change of mailboxChangesOf(fact)) {
        this.#mailboxes.get(change.mailboxId)?.tell(change);
      }
      if (concernsNames(fact)) for (const listener of this.#listeners) listener(fact);
    }
  }
}

/** The accounts that have sessions. */
export class NewsDesk {
  readonly #changes: Changes;
  readonly #accounts = new Map<AccountId, AccountNews>();

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** The shared news of an account; to be listened to at once. */
  account(accountId: AccountId, views: AccountViews): AccountNews {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const news = new AccountNews(accountId, views, this.#changes, () => {
      this.#accounts.delete(accountId);
    });
    this.#accounts.set(accountId, news);
    return news;
  }
}
