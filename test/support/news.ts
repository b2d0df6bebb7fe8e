/**
 * Account 7 with six messages in Inbox, where things happen as told: the views have each fact, then
 * it is announced.
 */

import { Observable, Subject } from 'rxjs';
import { delivered, INBOX_ID, OPENED, recorded } from './given.ts';
import { emptyViews } from './views.ts';
import type { AccountEvent, AccountFact } from '#domain/log/streams';
import type { AccountReader } from '#projections/account-reader';
import type { Announcement } from '#protocols/ports';
import { NewsDesk, type AccountNews } from '#protocols/imap/notify';

export interface NewsStage extends Disposable {
  readonly reader: AccountReader;
  readonly desk: NewsDesk;
  /** Subscriptions to the account at this moment. */
  readonly subscriptions: number;
  news(): AccountNews;
  happen(...events: readonly AccountEvent[]): readonly AccountFact[];
}

export function newsStage(): NewsStage {
  const views = emptyViews();
  const announcements = new Subject<Announcement>();
  let subscriptions = 0;
  let revision = 0;
  const record = (events: readonly AccountEvent[]): readonly AccountFact[] => {
    const facts = recorded(events, revision);
    revision += facts.length;
    views.post(facts);
    return facts;
  };
  record([OPENED, ...[1, 2, 3, 4, 5, 6].map((uid) => delivered(INBOX_ID, uid))]);
  const desk = new NewsDesk({
    of: () =>
      new Observable((listener) => {
        subscriptions++;
        const subscription = announcements.subscribe(listener);
        return () => {
          subscriptions--;
          subscription.unsubscribe();
        };
      }),
  });
  return {
    reader: views.reader,
    desk,
    get subscriptions() {
      return subscriptions;
    },
    news: () => desk.account(7, views.reader),
    happen(...events) {
      const facts = record(events);
      announcements.next({ accountId: 7, facts });
      return facts;
    },
    [Symbol.dispose]: () => views[Symbol.dispose](),
  };
}

/** Flags of messages in Inbox were changed. */
export function flagged(uids: string, ...flags: readonly string[]): AccountEvent {
  return { type: 'FlagsChanged', mailboxId: INBOX_ID, uids, edit: { add: flags, remove: [] } };
}

export function expunged(uids: string): AccountEvent {
  return { type: 'MessagesExpunged', mailboxId: INBOX_ID, uids };
}
