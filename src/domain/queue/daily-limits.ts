/**
 * How much an account may send in a day: a program that has gone wild, or a stranger with a stolen
 * password, is stopped before others take us for the source of it.
 *
 * Invariants: a message is queued for all its recipients or for none; reports of ours do not count.
 */

import type { AccountFact } from '../log/streams.ts';
import { refuse, type DecisionContext, type Refusal } from '../values/decision.ts';
import type { Instant } from '../values/ids.ts';
import type { MessageQueued } from './events.ts';

export const DAY_MS: number = 24 * 3_600_000;

export interface SentCountState {
  /** Recipients of all messages that were queued after `since`, as far as a day ago. */
  recipientsSince(since: Instant): number;
  /** Addresses that a message was queued for after `since` and never before. */
  newRecipientsSince(since: Instant): number;
  /** A message was queued for the address, ever. */
  hasWrittenTo(recipient: string): boolean;
}

export function beyondDailyLimit(
  recipients: readonly { readonly recipient: string }[],
  state: SentCountState,
  { at, policy }: DecisionContext,
): Refusal | undefined {
  const { recipientsPerDayMax, newRecipientsPerDayMax } = policy.settings;
  const since = at - DAY_MS;
  if (
    recipientsPerDayMax > 0 &&
    state.recipientsSince(since) + recipients.length > recipientsPerDayMax
  ) {
    return refuse('MessageLimit');
  }
  if (newRecipientsPerDayMax === 0) return undefined;
  const unknown = recipients.filter(({ recipient }) => !state.hasWrittenTo(recipient)).length;
  return unknown > 0 && state.newRecipientsSince(since) + unknown > newRecipientsPerDayMax
    ? refuse('NewRecipientLimit')
    : undefined;
}

/** True for what counts: mail of the account, not reports of the server. */
export function countsAsSent(event: MessageQueued): boolean {
  return event.report === undefined;
}

/** The reference model. */
export interface SentCounts {
  readonly queued: { readonly at: Instant; readonly recipients: number }[];
  /** When each address was first written to. */
  readonly firstAt: Map<string, Instant>;
}

export function emptySentCounts(): SentCounts {
  return { queued: [], firstAt: new Map() };
}

export function evolveSentCounts({ queued, firstAt }: SentCounts, fact: AccountFact): void {
  const { event, at } = fact;
  if (event.type !== 'MessageQueued' || !countsAsSent(event)) return;
  queued.push({ at, recipients: event.items.length });
  for (const { recipient } of event.items) {
    if (!firstAt.has(recipient)) firstAt.set(recipient, at);
  }
}

export function sentCountState({ queued, firstAt }: SentCounts): SentCountState {
  return {
    recipientsSince: (since) =>
      queued.reduce((sum, { at, recipients }) => (at > since ? sum + recipients : sum), 0),
    newRecipientsSince: (since) => [...firstAt.values()].filter((at) => at > since).length,
    hasWrittenTo: (recipient) => firstAt.has(recipient),
  };
}
