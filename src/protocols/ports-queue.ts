/**
 * What the command line and the pages of administrators ask of the running server about outgoing
 * mail of all accounts. Ports like those of `ports.ts`.
 */

import type { Buffer } from 'node:buffer';
import type { Observable } from 'rxjs';
import type { PauseReason } from '#domain/directory/events';
import type { HoldRule } from '#domain/directory/hold-rules';
import type { Cause } from '#domain/log/event';
import type { Refusal } from '#domain/values/decision';
import type { QueueId } from '#domain/values/ids';
import type { Rescheduling } from '#domain/values/rescheduling';
import type { EndedSort, ListPage, WaitingSort } from '#projections/list-pages';
import type { QueueResult } from '#projections/attempt-results';
import type { QueuedItem, QueueFilter, RetiredFilter, RetiredItem } from '#projections/queue-lists';
import type { AccountSuppression } from '#projections/server-suppressions';

/** The pause of all outgoing delivery, which everybody heeds who sends anything. */
export interface DeliveryPause {
  /** True: nothing new may be begun. */
  isPaused(): boolean;
  /** Now it may. */
  readonly resumed: Observable<void>;
}

/** A filter with the account by its name. */
export type ByAccountName<Filter> = Omit<Filter, 'accountId'> & { readonly account?: string };

export interface AdministeredQueue {
  /** What waits and fits. */
  queued(
    filter: ByAccountName<QueueFilter>,
    page: ListPage<WaitingSort>,
  ): readonly AdministeredItem<QueuedItem>[] | Refusal;
  /** What has left and fits. */
  retired(
    filter: ByAccountName<RetiredFilter>,
    page: ListPage<EndedSort>,
  ): readonly AdministeredItem<RetiredItem>[] | Refusal;
  /** The fields that stand above a message; '' for one that has left meanwhile. */
  prefixOf(queueId: QueueId): Promise<string>;
  /** The octets that go to the next hop, from `start` to before `end`. */
  dump(queueId: QueueId, start: number, end: number): Promise<Buffer | Refusal>;
  /**
   * Changes what waits and fits, `limit` items at most, the lowest ids first; gives how many were
   * changed, or will be when their attempt ends.
   */
  change(
    filter: ByAccountName<QueueFilter>,
    limit: number | undefined,
    change: QueueChange,
    cause: Cause,
  ): Promise<number | Refusal>;
  /** Why nothing is sent; null when mail goes. */
  pausedFor(): PauseReason | null;
  /** When it resolves, nothing new begins any more. */
  pause(cause: Cause): Promise<void>;
  resume(cause: Cause): Promise<void>;
  holdRules(): readonly NamedHoldRule[];
  /** Also holds what waits and matches; gives how many that were. */
  addHoldRule(
    rule: Omit<NamedHoldRule, 'ruleId'>,
    cause: Cause,
  ): Promise<{ readonly ruleId: number; readonly held: number } | Refusal>;
  /** What it held stays held. */
  removeHoldRule(ruleId: number, cause: Cause): Promise<object | Refusal>;
  /** By account; of one account, and with the base of one address, where these are given. */
  suppressions(
    account: string | undefined,
    address: string | undefined,
  ): readonly NamedSuppression[] | Refusal;
  suppress(account: string, address: string, cause: Cause): Promise<object | Refusal>;
  unsuppress(account: string, address: string, cause: Cause): Promise<object | Refusal>;
}

/** With what became of its attempts, in their order. */
export type AdministeredItem<Item> = Item & {
  /** Name of the account. */
  readonly account: string;
  /** Of the message as it was handed in, with its empty line; undefined when it is gone. */
  readonly header: Buffer | undefined;
  readonly results: readonly QueueResult[];
};

export type QueueChange =
  | { readonly type: 'hold' }
  | { readonly type: 'release' }
  | {
      readonly type: 'reschedule';
      readonly to: Rescheduling;
    }
  /** '' gives it back to the routes. */
  | { readonly type: 'transport'; readonly transport: string }
  | { readonly type: 'require-tls'; readonly requireTls: boolean | null }
  /** Ends it, and tells the sender. */
  | { readonly type: 'fail' }
  /** Ends it, and tells nobody. */
  | { readonly type: 'drop' };

export interface NamedHoldRule extends Omit<HoldRule, 'accountId'> {
  /** Name of the account. */
  readonly account?: string;
}

export interface NamedSuppression extends Omit<AccountSuppression, 'accountId'> {
  /** Name of the account. */
  readonly account: string;
}
