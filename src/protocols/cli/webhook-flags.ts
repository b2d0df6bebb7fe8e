/**
 * What the flags of the commands about webhooks say, once they are read. Bounds of times are `<` or
 * `>` and a span, relative to the clock of the server.
 */

import type { PagedFlags } from './lists.ts';
import type { RunningFlags } from './flags.ts';

interface HookFlags extends RunningFlags {
  readonly ids?: readonly number[];
  readonly max?: number;
  readonly account?: string;
  readonly submitted?: string;
  readonly event?: string;
}

interface SortFlags extends PagedFlags {
  readonly sort?: string;
  readonly asc: boolean;
}

export interface HookFilterFlags extends HookFlags {
  readonly nextattempt?: string;
}

export interface HookListFlags extends HookFilterFlags, SortFlags {}

export interface RetiredHookListFlags extends HookFlags, SortFlags {
  readonly lastactivity?: string;
}

export interface HookChangeFlags extends HookFilterFlags {
  readonly all: boolean;
}

export interface HookScheduleFlags extends HookChangeFlags {
  /** From now, and not from when each is due. */
  readonly now: boolean;
}
