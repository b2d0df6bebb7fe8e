/**
 * News of accounts, from the lanes to whoever listens: one subject per account that has listeners.
 *
 * Listeners are called at once, in the order of the log, after the views have the facts; one that
 * throws does not keep the others from hearing.
 */

import { Observable, Subject } from 'rxjs';
import type { AccountId } from '#domain/values/ids';
import type { Announcement, Changes } from '#protocols/ports';

export class Live implements Changes {
  readonly #subjects = new Map<AccountId, Subject<Announcement>>();

  of(accountId: AccountId): Observable<Announcement> {
    return new Observable((listener) => {
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

  /** Ends every subscription. */
  close(): void {
    for (const subject of this.#subjects.values()) subject.complete();
    this.#subjects.clear();
  }
}
