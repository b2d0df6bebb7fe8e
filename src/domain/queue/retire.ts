/**
 * How items leave the queue, and how long they are remembered.
 */

import type { DecisionContext } from '../values/decision.ts';
import type { QueueId } from '../values/ids.ts';
import type { MessageRetired, RetiredOutcome } from './events.ts';

export function retiring(
  queueId: QueueId,
  outcome: RetiredOutcome,
  { at, policy }: DecisionContext,
): MessageRetired {
  const { keepRetiredMs } = policy.settings;
  const kept = keepRetiredMs > 0 ? { keepUntil: at + keepRetiredMs } : {};
  return { type: 'MessageRetired', queueId, outcome, ...kept };
}
