/**
 * How the outgoing mail of the server stands: numbers for those who watch it.
 */

import { sql as raw } from 'kysely';
import type { Instant } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { ServerQueueTables } from './server-queue.ts';

export interface QueueCounts {
  readonly length: number;
  readonly held: number;
  /** Neither held nor in an attempt, and its time has come. */
  readonly due: number;
  readonly oldestDueAt: Instant | null;
}

const db = tables<ServerQueueTables>();

const lengths = query(() =>
  db
    .selectFrom('server_queue')
    .select(({ fn }) => [
      fn.countAll<number>().as('length'),
      fn.coalesce(fn.sum<number>('is_held'), raw.lit(0)).as('held'),
    ]),
);

const dues = query((at: Markers<{ now: Instant }>) =>
  db
    .selectFrom('server_queue')
    .select(({ fn }) => [
      fn.countAll<number>().as('due'),
      fn.min<number | null>('next_attempt_at').as('oldestDueAt'),
    ])
    .where('next_attempt_at', '<=', at.now)
    .where('in_attempt', '=', raw.lit(0))
    .where('is_held', '=', raw.lit(0)),
);

export function queueCounts(sql: Sql, now: Instant): QueueCounts {
  const { length = 0, held = 0 } = lengths.get(sql, {}) ?? {};
  const { due = 0, oldestDueAt = null } = dues.get(sql, { now }) ?? {};
  return { length, held, due, oldestDueAt };
}
