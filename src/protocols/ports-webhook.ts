/**
 * What webhooks need from the world. Ports like those of `ports.ts`.
 */

import type { Observable } from 'rxjs';
import type { Buffer } from 'node:buffer';
import type { Cause } from '#domain/log/event';
import type { Refusal } from '#domain/values/decision';
import type { AccountId, Instant, SecretRef } from '#domain/values/ids';
import type { Rescheduling } from '#domain/values/rescheduling';
import type { EndedSort, ListPage, WaitingSort } from '#projections/list-pages';
import type { DueWebhook } from '#projections/due-webhooks';
import type {
  PendingWebhook,
  RetiredWebhook,
  RetiredWebhookFilter,
  WebhookFilter,
} from '#projections/webhook-lists';
import type { HookResult } from '#projections/webhook-results';
import type { AdministeredAccount } from './ports-admin.ts';
import type { ByAccountName } from './ports-queue.ts';

/** HTTP to receivers of webhooks. */
export interface HttpPost {
  /** One request; a redirect is an answer like others. Never throws for what receivers do. */
  post(request: PostRequest): Promise<Posted>;
}

export interface PostRequest {
  /** http or https. */
  readonly url: URL;
  /** Besides Host and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** How much of the answer is wanted; the rest is not read. */
  readonly answerBytesMax: number;
  /** For everything together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export type Posted =
  | {
      readonly type: 'answer';
      readonly status: number;
      /** What the receiver calls the status; may be ''. */
      readonly reason: string;
      /** As it stands in the header; '' when there is none. */
      readonly location: string;
      readonly body: Buffer;
    }
  | {
      readonly type: 'failed';
      readonly why: 'unreachable' | 'timeout' | 'cancelled';
      readonly text: string;
    };

/** Webhooks of all accounts that wait for their time; kept up to date with the log. */
export interface WaitingWebhooks {
  /**
   * What is due, the longest due first, one for each URL; nothing for those that are busy, nor of
   * the accounts that are to be left alone.
   */
  due(now: Instant, without: LeftOut, limit: number): readonly DueWebhook[];
  /** When something is due next that is not due at `now`. */
  nextDueAfter(now: Instant): Instant | undefined;
  /** Accounts with attempts that have begun and not ended. */
  accountsInAttempt(): readonly AccountId[];
  /** Webhooks came, or are due at another time than before. */
  readonly changes: Observable<void>;
}

export interface LeftOut {
  readonly urls: ReadonlySet<string>;
  readonly accounts: ReadonlySet<AccountId>;
}

/** What is to stand in the Authorization field of a call. */
export interface HookAuthorizations {
  /** Throws a Fault when it cannot be read. */
  text(authorization: SecretRef): Promise<string>;
}

/** Whom accounts have called, for whoever administers them. */
export interface AdministeredWebhookSettings {
  /** What is left out stays, but an Authorization does not go along to another origin. */
  set(
    account: string,
    direction: HookDirection,
    changes: WebhookChanges,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal>;
  /** Nobody is called any more, but for what waits already. */
  remove(
    account: string,
    direction: HookDirection,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal>;
}

/** About mail that was sent, or mail that came in. */
export type HookDirection = 'outgoing' | 'incoming';

export interface WebhookChanges {
  readonly url?: string;
  /** The text of the field; '' for none. */
  readonly authorization?: string;
  /** Of mail that was sent, what is told; empty for everything. */
  readonly events?: readonly string[];
}

/** Webhooks of all accounts, for whoever administers them. */
export interface AdministeredWebhooks {
  /** What waits and fits. */
  pending(
    filter: ByAccountName<WebhookFilter>,
    page: ListPage<WaitingSort>,
  ): readonly AdministeredHook<PendingWebhook>[] | Refusal;
  /** What has ended and fits. */
  retired(
    filter: ByAccountName<RetiredWebhookFilter>,
    page: ListPage<EndedSort>,
  ): readonly AdministeredHook<RetiredWebhook>[] | Refusal;
  /** Changes what waits and fits, `limit` at most, the lowest ids first; gives how many. */
  change(
    filter: ByAccountName<WebhookFilter>,
    limit: number | undefined,
    change: WebhookChange,
    cause: Cause,
  ): Promise<number | Refusal>;
}

/** With what came of its calls, in their order. */
export type AdministeredHook<Hook> = Hook & {
  /** Name of the account. */
  readonly account: string;
  /** Of the message that it is about, with its empty line; undefined when it is gone. */
  readonly header: Buffer | undefined;
  readonly results: readonly HookResult[];
};

export type WebhookChange =
  | {
      readonly type: 'reschedule';
      readonly to: Rescheduling;
    }
  /** Nobody is called any more. */
  | { readonly type: 'cancel' };
