/**
 * What all commands of the control socket have in common: in whose name they change things, and how
 * a refusal is told.
 */

import type { Cause } from '#domain/log/event';
import { isRefusal, REFUSALS, type Refusal } from '#domain/values/decision';
import { ControlError } from './control.ts';

/** Whoever can open the socket administers the server. */
export const CAUSE: Cause = { actor: 'control:administrator' };

/** What was granted; a refusal is thrown as a sentence. */
export function granted<T>(outcome: T | Refusal): T {
  if (typeof outcome !== 'object' || outcome === null || !isRefusal(outcome)) return outcome;
  const { refused, detail } = outcome;
  const sentence = REFUSALS[refused];
  const about = detail === undefined ? sentence : `${sentence.slice(0, -1)}: ${detail}`;
  throw new ControlError(refused, about);
}
