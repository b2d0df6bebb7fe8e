/**
 * How an administrator moves what is due: mail in the queue, and webhooks.
 */

import type { Instant } from './ids.ts';

/** A time for all of them, or milliseconds later (or earlier) than each is due. */
export type Rescheduling = { readonly at: Instant } | { readonly byMs: number };

/** Those that are due at another time then, as they will be. */
export function rescheduled<Item extends { readonly nextAttemptAt: Instant }>(
  items: readonly Item[],
  to: Rescheduling,
): readonly Item[] {
  return items.flatMap((item) => {
    const nextAttemptAt = 'at' in to ? to.at : item.nextAttemptAt + to.byMs;
    return nextAttemptAt === item.nextAttemptAt ? [] : [{ ...item, nextAttemptAt }];
  });
}
