/**
 * An account's outgoing mail, one row per recipient that still waits: the table, its reads, and
 * what a turn has changed.
 *
 * Everything about an item is written as the domain has it, what never changes apart from what
 * does; columns of their own have what is looked for.
 */

import { sql as raw } from 'kysely';
import type { AccountEvent } from '#domain/log/streams';
import {
  partsOf,
  progressAfter,
  type QueuedMessage,
  type QueueItem,
  type QueueProgress,
} from '#domain/queue/state';
import type { Instant, QueueId } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface QueueTables {
  queue_items: {
    queue_id: QueueId;
    base_id: QueueId | null;
    in_attempt: 0 | 1;
    /** QueuedMessage in JSON. */
    message: string;
    /** QueueProgress in JSON. */
    progress: string;
  };
  queue_size: { id: 1; bytes: number };
}

export const QUEUE_DDL: readonly string[] = [
  `CREATE TABLE queue_items (
      queue_id INTEGER PRIMARY KEY,
      base_id INTEGER,
      in_attempt INTEGER NOT NULL,
      message TEXT NOT NULL,
      progress TEXT NOT NULL
    )`,
  'CREATE INDEX queue_items_open ON queue_items (queue_id) WHERE in_attempt = 1',
  'CREATE INDEX queue_items_base ON queue_items (base_id) WHERE base_id IS NOT NULL',
  'CREATE TABLE queue_size (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL)',
  'INSERT INTO queue_size (id, bytes) VALUES (1, 0)',
];

const db = tables<QueueTables>();

const addItem = query((at: Markers<QueueTables['queue_items']>) =>
  db.insertInto('queue_items').values({
    queue_id: at.queue_id,
    base_id: at.base_id,
    in_attempt: at.in_attempt,
    message: at.message,
    progress: at.progress,
  }),
);

type Item = { queueId: QueueId };

const setProgress = query((at: Markers<Item & { inAttempt: 0 | 1; progress: string }>) =>
  db
    .updateTable('queue_items')
    .set({ in_attempt: at.inAttempt, progress: at.progress })
    .where('queue_id', '=', at.queueId),
);

const dropItem = query((at: Markers<Item>) =>
  db.deleteFrom('queue_items').where('queue_id', '=', at.queueId),
);

const addBytes = query((at: Markers<{ bytes: number }>) =>
  db.updateTable('queue_size').set((eb) => ({ bytes: eb('bytes', '+', at.bytes) })),
);

const itemById = query((at: Markers<Item>) =>
  db.selectFrom('queue_items').select(['message', 'progress']).where('queue_id', '=', at.queueId),
);

const openItems = query(() =>
  db
    .selectFrom('queue_items')
    .select(['message', 'progress'])
    .where('in_attempt', '=', raw.lit(1))
    .orderBy('queue_id'),
);

const itemsByBase = query((at: Markers<{ baseId: QueueId }>) =>
  db
    .selectFrom('queue_items')
    .select(['message', 'progress'])
    .where('base_id', '=', at.baseId)
    .orderBy('queue_id'),
);

const size = query(() => db.selectFrom('queue_size').select('bytes'));

export function queueItem(sql: Sql, queueId: QueueId): QueueItem | undefined {
  const row = itemById.get(sql, { queueId });
  return row && itemOf(row);
}

/** The items of a message that may go in one transaction. */
export function queueItemsWithBase(sql: Sql, baseId: QueueId): readonly QueueItem[] {
  return itemsByBase.all(sql, { baseId }).map(itemOf);
}

function itemOf({ message, progress }: { message: string; progress: string }): QueueItem {
  return { ...(JSON.parse(message) as QueuedMessage), ...(JSON.parse(progress) as QueueProgress) };
}

/** An item as a turn has left it, and as the table has it; undefined where it is not (any more). */
interface Draft {
  readonly item: QueueItem | undefined;
  readonly stored: QueueItem | undefined;
}

/**
 * What a turn has read and changed: an item that changes twice is written once, and one that came
 * and went never.
 */
export class QueueDrafts {
  readonly #drafts = new Map<QueueId, Draft>();
  /** What the table does not count yet. */
  #bytes = 0;

  item(sql: Sql, queueId: QueueId): QueueItem | undefined {
    return this.#draft(sql, queueId).item;
  }

  bytes(sql: Sql): number {
    return (size.get(sql, {})?.bytes ?? 0) + this.#bytes;
  }

  /** Items whose attempt never ended. */
  open(write: Sql): readonly QueueItem[] {
    this.write(write);
    return openItems.all(write, {}).map(itemOf);
  }

  add(item: QueueItem): void {
    this.#drafts.set(item.queueId, { item, stored: undefined });
    this.#bytes += item.sizeBytes;
  }

  /** The fact changed the item, if that is still there. */
  change(sql: Sql, queueId: QueueId, event: AccountEvent, at: Instant): void {
    const { item, stored } = this.#draft(sql, queueId);
    if (item === undefined) return;
    const changed = { ...item, ...progressAfter(item, queueId, event, at) };
    this.#drafts.set(queueId, { item: changed, stored });
  }

  retire(sql: Sql, queueId: QueueId): void {
    const { item, stored } = this.#draft(sql, queueId);
    if (item === undefined) return;
    this.#drafts.set(queueId, { item: undefined, stored });
    this.#bytes -= item.sizeBytes;
  }

  /** To be called before the rows are read, and before the transaction is committed. */
  write(write: Sql): void {
    for (const [queueId, { item, stored }] of this.#drafts) {
      if (item === stored) continue;
      if (item === undefined) dropItem.run(write, { queueId });
      else writeItem(write, item, stored);
    }
    if (this.#bytes !== 0) addBytes.run(write, { bytes: this.#bytes });
    this.drop();
  }

  drop(): void {
    this.#drafts.clear();
    this.#bytes = 0;
  }

  #draft(sql: Sql, queueId: QueueId): Draft {
    const known = this.#drafts.get(queueId);
    if (known !== undefined) return known;
    const stored = queueItem(sql, queueId);
    const draft = { item: stored, stored };
    this.#drafts.set(queueId, draft);
    return draft;
  }
}

function writeItem(write: Sql, item: QueueItem, stored: QueueItem | undefined): void {
  const { queueId, baseId } = item;
  const parts = partsOf(item);
  const progress = JSON.stringify(parts.progress);
  const inAttempt = item.inAttempt ? 1 : 0;
  if (stored !== undefined) {
    setProgress.run(write, { queueId, inAttempt, progress });
    return;
  }
  addItem.run(write, {
    queue_id: queueId,
    base_id: baseId ?? null,
    in_attempt: inAttempt,
    message: JSON.stringify(parts.message),
    progress,
  });
}
