/**
 * Lifts events of older versions to the shape that deciders and views know.
 *
 * A stored event never changes. When the shape of a type changes, its version rises by one and one
 * pure step is added here; readers of the log apply the missing steps, one after the other. A step
 * may rename, regroup and fill in defaults. It must not invent facts: a new meaning is a new type.
 *
 * Invariants: new events have the current version of their type; a type without steps is at 1.
 */

import type { NewEvent } from './event.ts';

/** Data of version n in, data of version n + 1 out; the input is left as it is. */
export type UpcastStep = (data: object) => object;

/** Steps per type: the first one lifts version 1 to 2, the second one 2 to 3, and so on. */
export type Upcasts = ReadonlyMap<string, readonly UpcastStep[]>;

/** What became possible is simply not the case in older events. */
const asItWas: UpcastStep = (data) => data;

/** An attempt was for one item, and there was one way to deliver. */
const attemptOfOne: UpcastStep = (data) => {
  const { queueId, ...others } = data as { readonly queueId: number };
  return { queueIds: [queueId], ...others, transport: '' };
};

export const UPCASTS: Upcasts = new Map([
  ['AccountSettingsChanged', [asItWas, asItWas]],
  ['DkimKeysChanged', [asItWas]],
  ['MessageQueued', [asItWas]],
  ['AttemptStarted', [attemptOfOne]],
  ['AttemptSucceeded', [asItWas]],
  ['AttemptFailed', [asItWas, asItWas]],
  ['MessageRetired', [asItWas]],
  ['BounceRelated', [asItWas]],
  ['WebhookQueued', [asItWas]],
]);

/** The version that new events of the type have. */
export function currentVersion(type: string, upcasts: Upcasts): number {
  return 1 + (upcasts.get(type)?.length ?? 0);
}

/** The event in its current shape; the same object when it has it already. */
export function upcast<E extends NewEvent>(event: E, upcasts: Upcasts): E {
  const steps = upcasts.get(event.type);
  if (steps === undefined || event.version > steps.length) return event;
  const data = steps.slice(event.version - 1).reduce((lifted, step) => step(lifted), event.data);
  return { ...event, version: 1 + steps.length, data };
}
