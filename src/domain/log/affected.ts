/**
 * Decisions about many things that somebody has named: one event for all of them, and the answer
 * says how many there were.
 */

import { decided, refuse, type Decision } from '../values/decision.ts';
import { eventLists } from './event-size.ts';

export interface Affected {
  /** What was changed, or will be when its attempt ends. */
  readonly affected: number;
}

/** Several events when one would be too big; none when there is nothing to change. */
export function affecting<Item, Event>(
  items: readonly Item[],
  event: (list: readonly Item[]) => Event,
): Decision<Event, Affected> {
  const lists = eventLists(items);
  if (lists === undefined) return refuse('TooMuchAtOnce');
  return decided(lists.map(event), { affected: items.length });
}
