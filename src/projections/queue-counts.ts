/**
 * How the outgoing mail of the server stands: numbers for those who watch it, each of them from an
 * index alone.
 */

import { sql as raw } from 'kysely';
import type { Instant } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { ServerQueueTables } from './server-queue.ts';

export interface QueueCounts {
  readonly length: number;
  /** And not in an attempt. */
  readonly held: number;
  /** Neither held nor in an attempt, and its time has come. */
  readonly due: number;
  readonly oldestDueAt: Instant | null;
}

const db = tables<ServerQueueTables>();

const all = query(() =>
  db.selectFrom('server_queue').select(({ fn }) => fn.countAll<number>().as('count')),
);

const inAttempt = query(() =>
  db
    .selectFrom('server_queue')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('in_attempt', '=', raw.lit(1)),
);

const waiting = query(() =>
  db
    .selectFrom('server_queue')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('in_attempt', '=', raw.lit(0))
    .where('is_held', '=', raw.lit(0)),
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
  const length = all.get(sql, {})?.count ?? 0;
  const free = waiting.get(sql, {})?.count ?? 0;
  const held = length - free - (inAttempt.get(sql, {})?.count ?? 0);
  const { due = 0, oldestDueAt = null } = dues.get(sql, { now }) ?? {};
  return { length, held, due, oldestDueAt };
}
