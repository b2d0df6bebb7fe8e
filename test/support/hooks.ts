/**
 * Webhooks of account 7 as they stand in events.
 */

import { QUEUED, FIRST, REPLY } from './queued.ts';
import type { AccountSettings } from '#domain/directory/settings';
import type {
  OutgoingOccasion,
  WebhookAnswer,
  WebhookAttemptEnded,
  WebhookEvent,
  WebhookQueued,
} from '#domain/webhook/events';
import type { HookId, Instant } from '#domain/values/ids';

const URL_OUT = 'http://127.0.0.1:8080/out';
export const URL_IN = 'https://app.example.org/in';

/** Both webhooks, with one secret. */
export const BOTH: Partial<AccountSettings> = {
  outgoingWebhook: { url: URL_OUT, authorization: 'secret-1', events: [] },
  incomingWebhook: { url: URL_IN },
};

/** The n-th webhook of the account. */
export function hookId(n: number): HookId {
  return 7 * 2 ** 32 + n;
}

/** What is told of the first item of QUEUED; it waits for the next attempt when nothing is said. */
export function occasion(changes: Partial<OutgoingOccasion> = {}): OutgoingOccasion {
  return {
    type: 'outgoing',
    event: 'delayed',
    isDsn: false,
    suppressing: false,
    ...REPLY,
    queueId: FIRST,
    headerId: QUEUED.headerId,
    body: QUEUED.body,
    ...changes,
  };
}

export function hookQueued(n: number, changes: Partial<OutgoingOccasion> = {}): WebhookQueued {
  return {
    type: 'WebhookQueued',
    hookId: hookId(n),
    url: URL_OUT,
    authorization: 'secret-1',
    occasion: occasion(changes),
  };
}

export function hookStarted(n: number, attempt: number, nextAttemptAt: Instant): WebhookEvent {
  return { type: 'WebhookAttemptStarted', hookId: hookId(n), attempt, nextAttemptAt };
}

export const BUSY: WebhookAnswer = { code: 503, error: 'busy', response: 'later', durationMs: 5 };
export const TAKEN: WebhookAnswer = { code: 200, error: '', response: 'ok', durationMs: 7 };

export function hookEnded(
  n: number,
  attempt: number,
  answer: WebhookAnswer = BUSY,
): WebhookAttemptEnded {
  const success = answer.code === 200;
  return { type: 'WebhookAttemptEnded', hookId: hookId(n), attempt, success, ...answer };
}
