/**
 * What the flags of the commands about outgoing mail say, once they are read. Bounds of times are
 * `<` or `>` and a span, relative to the clock of the server.
 */

import type { RunningFlags } from './flags.ts';

interface ItemFlags extends RunningFlags {
  readonly ids?: readonly number[];
  readonly max?: number;
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
  readonly submitted?: string;
  readonly transport?: string;
}

export interface QueueFilterFlags extends ItemFlags {
  readonly nextattempt?: string;
  readonly hold?: boolean;
}

interface PageFlags {
  readonly sort?: string;
  readonly asc: boolean;
  /** Id of the last record that was seen, and the time in it that is sorted by. */
  readonly lastId?: number;
  readonly last?: string;
}

export interface QueueListFlags extends QueueFilterFlags, PageFlags {}

export interface QueueChangeFlags extends QueueFilterFlags {
  readonly all: boolean;
}

export interface ScheduleFlags extends QueueChangeFlags {
  /** From now, not from when each is due. */
  readonly now: boolean;
}

export interface RetiredListFlags extends ItemFlags, PageFlags {
  readonly lastactivity?: string;
  readonly result?: 'success' | 'failure';
}

export interface HoldRuleFlags extends RunningFlags {
  readonly account?: string;
  readonly senderdom?: string;
  readonly recipientdom?: string;
}

export interface OfAccountFlags extends RunningFlags {
  readonly account?: string;
}
