/**
 * News on their way to sessions. One subscription per account and one `MailboxNews` per open
 * mailbox serve all sessions, so a change is read from the views and formatted once, however many
 * sessions wait for it, and a change of a mailbox that nobody has open or watches costs nothing.
 *
 * Invariant: news arrive after the views have them, so what is read here is never older than the
 * change that was announced, and it may be newer.
 */

import type { AccountFact } from '#domain/log/streams';
import type { AccountId, MailboxId, Revision } from '#domain/values/ids';
import type { AccountViews, MailboxSummary } from '#projections/account-views';
import type { Announcement, Changes } from '../ports.ts';
import { mailboxChangesOf, MailboxNews, type MailboxListener } from './mailbox-news.ts';

export interface NamesListener {
  /** Mailboxes were made, renamed, deleted, subscribed, unsubscribed or annotated. */
  heard(fact: AccountFact): void;
  /** The account is being removed. */
  over(): void;
}

function concernsNames(fact: AccountFact): boolean {
  switch (fact.event.type) {
    case 'MailboxesCreated':
    case 'MailboxesRenamed':
    case 'MailboxDeleted':
    case 'MailboxSubscribed':
    case 'MailboxUnsubscribed':
    case 'AnnotationsSet':
      return true;
    default:
      return false;
  }
}

/** One account with sessions; shared by them. */
export class AccountNews {
  readonly views: AccountViews;
  readonly #mailboxes = new Map<MailboxId, MailboxNews>();
  readonly #listeners = new Set<NamesListener>();
  readonly #watchers = new Set<MailboxListener>();
  readonly #stop: () => void;
  #isOver = false;
  /** Revision of the views that the fields below were read at. */
  #readAt: Revision = -1;
  readonly #summaries = new Map<MailboxId, MailboxSummary | undefined>();
  readonly #existing = new Map<string, boolean>();
  #subscribed: ReadonlySet<string> | undefined;

  constructor(accountId: AccountId, views: AccountViews, changes: Changes, closed: () => void) {
    this.views = views;
    const subscription = changes.of(accountId).subscribe({
      next: (announcement) => this.#announce(announcement),
      complete: () => this.#end(),
    });
    this.#stop = () => {
      subscription.unsubscribe();
      closed();
    };
  }

  /** The shared news of a mailbox; to be listened to at once. */
  mailbox(mailboxId: MailboxId): MailboxNews {
    const known = this.#mailboxes.get(mailboxId);
    if (known !== undefined) return known;
    const news = new MailboxNews(
      mailboxId,
      this.views,
      () => this.summary(mailboxId),
      () => void this.#mailboxes.delete(mailboxId),
    );
    this.#mailboxes.set(mailboxId, news);
    return news;
  }

  /** One call per session; the subscription ends with the last one that stops. */
  listen(listener: NamesListener): () => void {
    this.#listeners.add(listener);
    if (this.#isOver) listener.over();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  /** Hears of the messages of every mailbox. Returns how to stop. */
  watch(watcher: MailboxListener): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Undefined when there is no such mailbox. */
  summary(mailboxId: MailboxId): MailboxSummary | undefined {
    this.#refresh();
    if (!this.#summaries.has(mailboxId)) {
      this.#summaries.set(mailboxId, this.views.mailbox(mailboxId));
    }
    return this.#summaries.get(mailboxId);
  }

  isSubscribed(name: string): boolean {
    this.#refresh();
    this.#subscribed ??= new Set(this.views.subscriptions());
    return this.#subscribed.has(name);
  }

  exists(name: string): boolean {
    this.#refresh();
    const known = this.#existing.get(name);
    if (known !== undefined) return known;
    const exists = this.views.mailboxNamed(name) !== undefined;
    this.#existing.set(name, exists);
    return exists;
  }

  #refresh(): void {
    if (this.#readAt === this.views.revision) return;
    this.#readAt = this.views.revision;
    this.#summaries.clear();
    this.#existing.clear();
    this.#subscribed = undefined;
  }

  #end(): void {
    this.#isOver = true;
    for (const listener of this.#listeners) listener.over();
  }

  #announce(announcement: Announcement): void {
    for (const fact of announcement.facts) {
      for (const change of mailboxChangesOf(fact)) {
        this.#mailboxes.get(change.mailboxId)?.tell(change);
        for (const watcher of this.#watchers) watcher(change);
      }
      if (concernsNames(fact)) for (const listener of this.#listeners) listener.heard(fact);
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
