/**
 * The questions that decisions about webhooks ask, and the reference model that answers them.
 */

import type { AccountEvent, AccountFact } from '../log/streams.ts';
import { counterOfServerWideId, type HookId, type Instant, type QueueId } from '../values/ids.ts';
import type { WebhookQueued } from './events.ts';

/** A call that waits, or one that is retired and under way for the last time. */
export interface Webhook extends Omit<WebhookQueued, 'type'> {
  readonly queuedAt: Instant;
  /** Attempts begun so far. */
  readonly attempts: number;
  readonly nextAttemptAt: Instant;
  readonly lastAttemptAt: Instant | null;
  /** An attempt has begun and not ended. */
  readonly inFlight: boolean;
  readonly isRetired: boolean;
}

export interface WebhookState {
  webhook(hookId: HookId): Webhook | undefined;
  /** Those that wait to tell something of the message, by number. */
  pendingWebhooksOf(queueId: QueueId): readonly Webhook[];
  /** Those whose attempt never ended, retired or not. */
  openWebhooks(): readonly Webhook[];
  /** What the account's own counter says next. */
  nextHookNumber(): number;
  /** True when retired ones are remembered that RetiredForgotten would let go of. */
  remembersWebhooksUpTo(upTo: Instant): boolean;
}

/** The reference model: the webhooks that wait, and until when others are remembered. */
export interface WebhookRecords {
  readonly hooks: Map<HookId, Webhook>;
  readonly keepUntil: Map<HookId, Instant>;
  nextNumber: number;
}

export function emptyWebhooks(): WebhookRecords {
  return { hooks: new Map(), keepUntil: new Map(), nextNumber: 1 };
}

export function evolveWebhooks(records: WebhookRecords, { event, at }: AccountFact): void {
  const { hooks, keepUntil } = records;
  if (event.type === 'WebhookQueued') {
    hooks.set(event.hookId, webhookQueued(event, at));
    records.nextNumber = counterOfServerWideId(event.hookId) + 1;
  }
  if (event.type === 'MailboxesRenumbered') records.nextNumber += event.modSeqRaise;
  if (event.type === 'WebhookRetired' && event.keepUntil !== undefined) {
    keepUntil.set(event.hookId, event.keepUntil);
  }
  if (event.type === 'RetiredForgotten') {
    for (const [hookId, until] of keepUntil) if (until < event.upTo) keepUntil.delete(hookId);
  }
  for (const hookId of changedWebhooks(event)) {
    const before = hooks.get(hookId);
    if (before === undefined) continue;
    const after = webhookAfter(before, event, at);
    if (after === undefined) hooks.delete(hookId);
    else hooks.set(hookId, after);
  }
}

export function webhookState(records: WebhookRecords): WebhookState {
  const all = (): readonly Webhook[] => [...records.hooks.values()];
  return {
    webhook: (hookId) => records.hooks.get(hookId),
    pendingWebhooksOf: (queueId) =>
      all().filter((hook) => !hook.isRetired && toldOf(hook) === queueId),
    openWebhooks: () => all().filter(({ inFlight }) => inFlight),
    nextHookNumber: () => records.nextNumber,
    remembersWebhooksUpTo: (upTo) => [...records.keepUntil.values()].some((until) => until < upTo),
  };
}

/** The message that was sent which it tells of; undefined for mail that came in. */
export function toldOf({ occasion }: Pick<Webhook, 'occasion'>): QueueId | undefined {
  return occasion.type === 'outgoing' ? occasion.queueId : undefined;
}

/** What it tells may be made up by a recipient of the message. */
export function mayBeForged({ occasion }: Pick<Webhook, 'occasion'>): boolean {
  return occasion.type === 'outgoing' && occasion.mayBeForged === true;
}

export function webhookQueued(event: WebhookQueued, at: Instant): Webhook {
  const { type: _, ...webhook } = event;
  return {
    ...webhook,
    queuedAt: at,
    attempts: 0,
    nextAttemptAt: at,
    lastAttemptAt: null,
    inFlight: false,
    isRetired: false,
  };
}

/** The webhooks that a fact changes or ends. */
export function changedWebhooks(event: AccountEvent): readonly HookId[] {
  switch (event.type) {
    case 'WebhookAttemptStarted':
    case 'WebhookAttemptEnded':
    case 'WebhookAttemptInterrupted':
    case 'WebhookRetired':
      return [event.hookId];
    case 'WebhooksRescheduled':
      return event.hooks.map(({ hookId }) => hookId);
    default:
      return [];
  }
}

/** One of them after the fact; undefined when nothing of it is left. */
export function webhookAfter(
  webhook: Webhook,
  event: AccountEvent,
  at: Instant,
): Webhook | undefined {
  switch (event.type) {
    case 'WebhookAttemptStarted': {
      const { attempt: attempts, nextAttemptAt } = event;
      return { ...webhook, attempts, nextAttemptAt, lastAttemptAt: at, inFlight: true };
    }
    case 'WebhookAttemptEnded':
    case 'WebhookAttemptInterrupted':
      return webhook.isRetired ? undefined : { ...webhook, inFlight: false };
    case 'WebhookRetired':
      return webhook.inFlight ? { ...webhook, isRetired: true } : undefined;
    case 'WebhooksRescheduled': {
      const moved = event.hooks.find(({ hookId }) => hookId === webhook.hookId);
      return { ...webhook, nextAttemptAt: moved?.nextAttemptAt ?? webhook.nextAttemptAt };
    }
    default:
      return webhook;
  }
}
