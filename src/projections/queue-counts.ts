/**
 * How the outgoing mail of the server stands: numbers for those who watch it.
 *
 * They are kept while facts are posted, so that asking costs the same however much waits: items
 * that are free to go are counted per minute and per second in which they come due.
 */

import { sql as raw } from 'kysely';
import type { Instant } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface QueueCountTables {
  queue_totals: { id: 1; length: number; held: number };
  /** Free to go, and due at the end of the span that ends at `until`. */
  due_spans: { span_ms: number; until: Instant; items: number };
}

export interface QueueCounts {
  readonly length: number;
  /** And not in an attempt. */
  readonly held: number;
  /** Neither held nor in an attempt, and its time had come at the last full second. */
  readonly due: number;
  readonly oldestDueAt: Instant | null;
}

interface Destinations {
  destinations: { next_at: Instant };
}

const db = tables<QueueCountTables & Destinations>();

export const QUEUE_COUNT_DDL: readonly string[] = [
  `CREATE TABLE queue_totals (
    id INTEGER PRIMARY KEY,
    length INTEGER NOT NULL,
    held INTEGER NOT NULL
  )`,
  'INSERT INTO queue_totals (id, length, held) VALUES (1, 0, 0)',
  `CREATE TABLE due_spans (
    span_ms INTEGER NOT NULL,
    until INTEGER NOT NULL,
    items INTEGER NOT NULL,
    PRIMARY KEY (span_ms, until)
  ) WITHOUT ROWID`,
];

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

/** What matters here of where an item stands. */
export interface Standing {
  readonly nextAttemptAt: Instant;
  readonly inAttempt: boolean;
  readonly isHeld: boolean;
}

export function isFree({ inAttempt, isHeld }: Standing): boolean {
  return !inAttempt && !isHeld;
}

/** What a fact changes about the numbers, gathered over all its items. */
export class CountChanges {
  #length = 0;
  #held = 0;
  /** By the second in which they come due. */
  readonly #due = new Map<Instant, number>();

  /** Undefined where the item was not there before, or is not there any more. */
  moved(before: Standing | undefined, after: Standing | undefined): void {
    this.#add(before, -1);
    this.#add(after, 1);
  }

  #add(standing: Standing | undefined, by: 1 | -1): void {
    if (standing === undefined) return;
    this.#length += by;
    if (standing.isHeld && !standing.inAttempt) this.#held += by;
    if (!isFree(standing)) return;
    const second = endOf(standing.nextAttemptAt, SECOND_MS);
    this.#due.set(second, (this.#due.get(second) ?? 0) + by);
  }

  write(sql: Sql): void {
    const [length, held] = [this.#length, this.#held];
    if (length !== 0 || held !== 0) addTotals.run(sql, { length, held });
    for (const [second, items] of this.#due) {
      if (items === 0) continue;
      const ends = { minute: endOf(second, MINUTE_MS), second };
      addDue.run(sql, { ...ends, items });
      if (items < 0) dropEmpty.run(sql, ends);
    }
  }
}

function endOf(at: Instant, spanMs: number): Instant {
  return Math.ceil(at / spanMs) * spanMs;
}

const addTotals = query((at: Markers<{ length: number; held: number }>) =>
  db
    .updateTable('queue_totals')
    .set((eb) => ({ length: eb('length', '+', at.length), held: eb('held', '+', at.held) })),
);

type Ends = { minute: Instant; second: Instant };

const addDue = query((at: Markers<Ends & { items: number }>) =>
  db
    .insertInto('due_spans')
    .values([
      { span_ms: raw.lit(MINUTE_MS), until: at.minute, items: at.items },
      { span_ms: raw.lit(SECOND_MS), until: at.second, items: at.items },
    ])
    .onConflict((conflict) =>
      conflict
        .columns(['span_ms', 'until'])
        .doUpdateSet((eb) => ({ items: eb('due_spans.items', '+', at.items) })),
    ),
);

const dropEmpty = query((at: Markers<Ends>) =>
  db
    .deleteFrom('due_spans')
    .where('items', '=', raw.lit(0))
    .where((eb) =>
      eb.or([
        eb.and([eb('span_ms', '=', raw.lit(MINUTE_MS)), eb('until', '=', at.minute)]),
        eb.and([eb('span_ms', '=', raw.lit(SECOND_MS)), eb('until', '=', at.second)]),
      ]),
    ),
);

const totals = query(() => db.selectFrom('queue_totals').select(['length', 'held']));

/** Whole minutes, then the seconds of the one that is going on. */
const dueBy = query((at: Markers<Ends>) =>
  db
    .selectFrom('due_spans')
    .select(({ fn }) => fn.sum<number | null>('items').as('due'))
    .where((eb) =>
      eb.or([
        eb.and([eb('span_ms', '=', raw.lit(MINUTE_MS)), eb('until', '<=', at.minute)]),
        eb.and([
          eb('span_ms', '=', raw.lit(SECOND_MS)),
          eb('until', '>', at.minute),
          eb('until', '<=', at.second),
        ]),
      ]),
    ),
);

const oldest = query((at: Markers<{ now: Instant }>) =>
  db
    .selectFrom('destinations')
    .select('next_at as dueAt')
    .where('next_at', '<=', at.now)
    .orderBy('next_at')
    .limit(raw.lit(1)),
);

export function queueCounts(sql: Sql, now: Instant): QueueCounts {
  const { length = 0, held = 0 } = totals.get(sql, {}) ?? {};
  const second = Math.floor(now / SECOND_MS) * SECOND_MS;
  const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const due = dueBy.get(sql, { minute, second })?.due ?? 0;
  return { length, held, due, oldestDueAt: oldest.get(sql, { now })?.dueAt ?? null };
}
