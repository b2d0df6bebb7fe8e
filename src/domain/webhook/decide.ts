/**
 * Commands about webhooks: one attempt at a time, begun before the request goes out, and what
 * administrators do. How they come to be is `react.ts`.
 *
 * Invariants: a webhook ends exactly once, by its own success or last failure, by something newer
 * to tell, or by an administrator; what the application answered is recorded whatever has been
 * decided meanwhile.
 */

import { affecting, type Affected } from '../log/affected.ts';
import { APPEND_EVENTS_MAX } from '../log/event-log.ts';
import { firstEvents } from '../log/event-size.ts';
import {
  decided,
  refuse,
  unreachable,
  type Decision,
  type DecisionContext,
} from '../values/decision.ts';
import type { HookId } from '../values/ids.ts';
import { rescheduled, type Rescheduling } from '../values/rescheduling.ts';
import { keptAnswer } from './answer.ts';
import type {
  RetiredHookOutcome,
  WebhookAnswer,
  WebhookAttemptEnded,
  WebhookEvent,
  WebhookRetired,
} from './events.ts';
import { HOOK_ATTEMPTS_MAX, hookWaitMs } from './schedule.ts';
import type { Webhook, WebhookState } from './state.ts';

export interface StartWebhookAttempt {
  readonly type: 'StartWebhookAttempt';
  readonly hookId: HookId;
  /** 0 … 1; moves the next attempt a little. */
  readonly draw: number;
}

export interface FinishWebhookAttempt {
  readonly type: 'FinishWebhookAttempt';
  readonly hookId: HookId;
  readonly attempt: number;
  readonly answer: WebhookAnswer;
}

/**
 * At start-up: whatever was in mid-attempt was interrupted. Closes as many as one append holds: to
 * be repeated until it closes none.
 */
export interface CloseInterruptedWebhooks {
  readonly type: 'CloseInterruptedWebhooks';
}

export interface RescheduleWebhooks {
  readonly type: 'RescheduleWebhooks';
  readonly hookIds: readonly HookId[];
  readonly to: Rescheduling;
}

export interface CancelWebhooks {
  readonly type: 'CancelWebhooks';
  readonly hookIds: readonly HookId[];
}

export type WebhookCommand =
  | StartWebhookAttempt
  | FinishWebhookAttempt
  | CloseInterruptedWebhooks
  | RescheduleWebhooks
  | CancelWebhooks;

export interface WebhookAnswers {
  /** `webhook` as it was before. */
  readonly StartWebhookAttempt: { readonly attempt: number; readonly webhook: Webhook };
  /** `retired` also when it was before. */
  readonly FinishWebhookAttempt: { readonly retired: boolean };
  readonly CloseInterruptedWebhooks: { readonly closed: number };
  readonly RescheduleWebhooks: Affected;
  readonly CancelWebhooks: Affected;
}

type Outcome<C extends WebhookCommand> = Decision<WebhookEvent, WebhookAnswers[C['type']]>;

export function decideWebhook(
  command: WebhookCommand,
  state: WebhookState,
  context: DecisionContext,
): Outcome<WebhookCommand> {
  switch (command.type) {
    case 'StartWebhookAttempt':
      return startAttempt(command, state, context);
    case 'FinishWebhookAttempt':
      return finishAttempt(command, state, context);
    case 'CloseInterruptedWebhooks':
      return closeInterrupted(state);
    case 'RescheduleWebhooks': {
      const hooks = rescheduled(pendingIn(command.hookIds, state), command.to).map(
        ({ hookId, nextAttemptAt }) => ({ hookId, nextAttemptAt }),
      );
      return affecting(hooks, (list) => ({ type: 'WebhooksRescheduled', hooks: list }));
    }
    case 'CancelWebhooks': {
      const hooks = pendingIn(command.hookIds, state);
      if (hooks.length > APPEND_EVENTS_MAX) return refuse('TooMuchAtOnce');
      const events = hooks.map(({ hookId }) => retiringHook(hookId, 'canceled', context));
      return decided(events, { affected: hooks.length });
    }
    default:
      return unreachable(command);
  }
}

function startAttempt(
  { hookId, draw }: StartWebhookAttempt,
  state: WebhookState,
  { at }: DecisionContext,
): Outcome<StartWebhookAttempt> {
  const webhook = state.webhook(hookId);
  if (webhook === undefined || webhook.isRetired) return refuse('NoSuchWebhook');
  if (webhook.inFlight || webhook.nextAttemptAt > at) return refuse('AttemptNotCurrent');
  const attempt = webhook.attempts + 1;
  const nextAttemptAt = at + hookWaitMs(attempt, draw);
  return decided([{ type: 'WebhookAttemptStarted', hookId, attempt, nextAttemptAt }], {
    attempt,
    webhook,
  });
}

function finishAttempt(
  { hookId, attempt, answer }: FinishWebhookAttempt,
  state: WebhookState,
  context: DecisionContext,
): Outcome<FinishWebhookAttempt> {
  const webhook = state.webhook(hookId);
  if (webhook === undefined) return refuse('NoSuchWebhook');
  if (!webhook.inFlight || webhook.attempts !== attempt) return refuse('AttemptNotCurrent');
  const ended = endingAttempt(hookId, attempt, answer);
  if (webhook.isRetired) return decided([ended], { retired: true });
  if (ended.success) {
    return decided([ended, retiringHook(hookId, 'delivered', context)], { retired: true });
  }
  if (attempt >= HOOK_ATTEMPTS_MAX) {
    return decided([ended, retiringHook(hookId, 'failed', context)], { retired: true });
  }
  return decided([ended], { retired: false });
}

/** RFC 9110 §15.3.1: other codes than 200 may come from somebody who did not take it. */
const TAKEN = 200;

function endingAttempt(
  hookId: HookId,
  attempt: number,
  answer: WebhookAnswer,
): WebhookAttemptEnded {
  return {
    type: 'WebhookAttemptEnded',
    hookId,
    attempt,
    success: answer.code === TAKEN,
    ...keptAnswer(answer),
  };
}

/** The next attempt is due when WebhookAttemptStarted said. */
function closeInterrupted(state: WebhookState): Outcome<CloseInterruptedWebhooks> {
  const open = firstEvents(state.openWebhooks());
  const events = open.map(({ hookId, attempts }): WebhookEvent => ({
    type: 'WebhookAttemptInterrupted',
    hookId,
    attempt: attempts,
  }));
  return decided(events, { closed: events.length });
}

function pendingIn(hookIds: readonly HookId[], state: WebhookState): readonly Webhook[] {
  return [...new Set(hookIds)]
    .map((hookId) => state.webhook(hookId))
    .filter((hook) => hook !== undefined)
    .filter(({ isRetired }) => !isRetired);
}

/** How webhooks end, and how long they are remembered. */
export function retiringHook(
  hookId: HookId,
  outcome: RetiredHookOutcome,
  { at, policy }: DecisionContext,
  supersededBy?: HookId,
): WebhookRetired {
  const { keepRetiredHooksMs } = policy.settings;
  return {
    type: 'WebhookRetired',
    hookId,
    outcome,
    ...(supersededBy === undefined ? {} : { supersededBy }),
    ...(keepRetiredHooksMs > 0 ? { keepUntil: at + keepRetiredHooksMs } : {}),
  };
}
