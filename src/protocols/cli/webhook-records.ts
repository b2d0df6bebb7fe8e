/**
 * Webhooks as administrators get them in JSON, under the names that programs for such lists know.
 *
 * Invariant: of an Authorization nobody learns more than that there is one.
 */

import type { PendingWebhook, RetiredWebhook } from '#projections/webhook-lists';
import type { HookResult } from '#projections/webhook-results';
import { valueOf } from '../message/header.ts';
import type { AdministeredHook } from '../ports-webhook.ts';
import { durationOf, headerOf, subjectOf, timeOf } from './record-values.ts';

export interface HookResultRecord {
  readonly Start: string;
  readonly Duration: number;
  readonly URL: string;
  readonly Success: boolean;
  /** 0 when there was no answer. */
  readonly Code: number;
  readonly Error: string;
  /** The beginning of the answer. */
  readonly Response: string;
  /** Who did it, where somebody did. */
  readonly Actor: string;
}

interface HookRecord {
  readonly ID: number;
  /** 0 for mail that came in. */
  readonly QueueMsgID: number;
  readonly FromID: string;
  readonly MessageID: string;
  /** As people read it; '' when the message is gone. */
  readonly Subject: string;
  readonly Extra: Readonly<Record<string, string>>;
  readonly Account: string;
  readonly URL: string;
  readonly Authorization: boolean;
  readonly IsIncoming: boolean;
  /** '' for mail that came in. */
  readonly OutgoingEvent: string;
  readonly Submitted: string;
  readonly Attempts: number;
  readonly Results: readonly HookResultRecord[];
}

export interface PendingHookRecord extends HookRecord {
  readonly NextAttempt: string;
}

export interface RetiredHookRecord extends HookRecord {
  /** 0 for none. */
  readonly SupersededByID: number;
  readonly Success: boolean;
  /** `delivered`, `failed`, `superseded` or `canceled`. */
  readonly Outcome: string;
  readonly LastActivity: string;
  readonly KeepUntil: string;
}

/** What the receiver is told, which a list leaves out. */
export interface WithPayload {
  /** JSON. */
  readonly Payload: string;
}

export function pendingHookRecord(hook: AdministeredHook<PendingWebhook>): PendingHookRecord {
  return { ...hookRecord(hook), NextAttempt: timeOf(hook.nextAttemptAt) };
}

export function retiredHookRecord(hook: AdministeredHook<RetiredWebhook>): RetiredHookRecord {
  return {
    ...hookRecord(hook),
    SupersededByID: hook.supersededBy,
    Success: hook.outcome === 'delivered',
    Outcome: hook.outcome,
    LastActivity: timeOf(hook.lastActivityAt),
    KeepUntil: timeOf(hook.keepUntil),
  };
}

function hookRecord(
  hook: AdministeredHook<PendingWebhook> | AdministeredHook<RetiredWebhook>,
): HookRecord {
  const { occasion, url } = hook;
  const about = occasion.type === 'outgoing' ? occasion : undefined;
  const header = headerOf(hook.header);
  return {
    ID: hook.hookId,
    QueueMsgID: about?.queueId ?? 0,
    FromID: about?.fromId ?? '',
    MessageID: about?.headerId ?? valueOf(header, 'message-id') ?? '',
    Subject: subjectOf(header),
    Extra: about?.extra ?? {},
    Account: hook.account,
    URL: url,
    Authorization: hook.hasAuthorization,
    IsIncoming: about === undefined,
    OutgoingEvent: about?.event ?? '',
    Submitted: timeOf(hook.queuedAt),
    Attempts: hook.attempts,
    Results: hook.results.map((result) => resultRecord(result, url)),
  };
}

function resultRecord(result: HookResult, url: string): HookResultRecord {
  const { startAt, durationMs, success, code, error, response, actor } = result;
  return {
    Start: timeOf(startAt),
    Duration: durationOf(durationMs),
    URL: url,
    Success: success,
    Code: code,
    Error: durationMs === null ? 'delivering...' : error,
    Response: response,
    Actor: actor,
  };
}
