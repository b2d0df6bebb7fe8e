/**
 * The command that lets go of bodies for good.
 */

import { decided, type Decision } from '../values/decision.ts';
import type { BodyHash, Instant } from '../values/ids.ts';
import type { BodyEvent } from './events.ts';
import type { BodyRelease, BodyState } from './state.ts';

/** How many bodies one command may name: they have to fit into one event. */
const SWEPT_BODIES_MAX = 1000;

/** Those released later than this are kept; see BodyRelease. */
export interface SweepLimits {
  readonly expungedUpTo: Instant;
  readonly retiredUpTo: Instant;
}

/** Sweeps those of the bodies that nothing refers to, and has not for long enough. */
export interface SweepBodies extends SweepLimits {
  readonly type: 'SweepBodies';
  readonly bodies: readonly BodyHash[];
}

export type BodyCommand = SweepBodies;

export interface BodyAnswers {
  readonly SweepBodies: { readonly swept: readonly BodyHash[] };
}

export function decideBody(
  command: BodyCommand,
  state: BodyState,
): Decision<BodyEvent, BodyAnswers['SweepBodies']> {
  const swept = [...new Set(command.bodies)]
    .slice(0, SWEPT_BODIES_MAX)
    .filter((body) => isDue(state.bodyRelease(body), command));
  return decided(swept.length === 0 ? [] : [{ type: 'BodiesSwept', bodies: swept }], { swept });
}

function isDue(release: BodyRelease | undefined, limits: SweepLimits): boolean {
  if (release === undefined) return false;
  const { expungedAt, retiredAt } = release;
  return expungedAt <= limits.expungedUpTo && retiredAt <= limits.retiredUpTo;
}
