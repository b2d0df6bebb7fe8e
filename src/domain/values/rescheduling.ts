/**
 * How an administrator moves what is due: mail in the queue, and webhooks.
 */

import type { Instant } from './ids.ts';

/** A time for all of them, or milliseconds later (or earlier) than each is due. */
export type Rescheduling = { readonly at: Instant } | { readonly byMs: number };

/** When it is due then. */
export function rescheduled(to: Rescheduling, dueAt: Instant): Instant {
  return 'at' in to ? to.at : dueAt + to.byMs;
}
