/**
 * Whether anything leaves the server: one pause for all outgoing mail and webhooks. What waits
 * stays as it is, and what was begun comes to its end.
 */

import { decided, type Decision } from '../values/decision.ts';
import type { DirectoryEvent, PauseReason } from './events.ts';
import type { DirectoryState } from './state.ts';

/** It stays for the reason of before when it is paused already. */
export interface PauseDelivery {
  readonly type: 'PauseDelivery';
  readonly reason: PauseReason;
}

export interface ResumeDelivery {
  readonly type: 'ResumeDelivery';
}

export function pauseDelivery(
  { reason }: PauseDelivery,
  { pausedFor }: DirectoryState,
): Decision<DirectoryEvent, object> {
  return decided(pausedFor === null ? [{ type: 'DeliveryPaused', reason }] : [], {});
}

export function resumeDelivery({ pausedFor }: DirectoryState): Decision<DirectoryEvent, object> {
  return decided(pausedFor === null ? [] : [{ type: 'DeliveryResumed' }], {});
}
