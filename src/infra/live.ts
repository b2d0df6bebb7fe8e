/**
 * News of accounts, from the lanes to whoever listens: one subject per account that has listeners.
 *
 * Listeners are called at once, in the order of the log, after the views have the facts; one that
 * throws does not keep the others from hearing. An account that is over has no news: that is heard
 * at once, also by whoever begins to listen later.
 */

import { Observable, Subject } from 'rxjs';
import type { AccountId } from '#domain/values/ids';
import type { Announcement, Changes } from '#protocols/ports';

export class Live implements Changes {
  readonly #subjects = new Map<AccountId, Subject<Announcement>>();
  readonly #over = new Set<AccountId>();

  of(accountId: AccountId): Observable<Announcement> {
    return new Observable((listener) => {
      if (this.#over.has(accountId)) {
        listener.complete();
        return undefined;
      }
      const subject = this.#subjects.get(accountId) ?? new Subject<Announcement>();
      this.#subjects.set(accountId, subject);
      const subscription = subject.subscribe(listener);
      return () => {
        subscription.unsubscribe();
        if (!subject.observed) this.#subjects.delete(accountId);
      };
    });
  }

  announce(announcement: Announcement): void {
    this.#subjects.get(announcement.accountId)?.next(announcement);
  }

  /** Ends every subscription to an account that is being removed. */
  end(accountId: AccountId): void {
    this.#over.add(accountId);
    this.#subjects.get(accountId)?.complete();
  }

  /** Ends every subscription. */
  close(): void {
    for (const subject of this.#subjects.values()) subject.complete();
    this.#subjects.clear();
  }
}
