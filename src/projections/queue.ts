/**
 * Read model of an account's outgoing mail: one row per recipient that still waits, and how much
 * all of them are.
 *
 * Everything about an item is written as the domain has it, what never changes apart from what
 * does; columns of their own have what is looked for.
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { MessageQueued } from '#domain/queue/events';
import {
  changedItems,
  itemsQueued,
  partsOf,
  progressAfter,
  type QueuedMessage,
  type QueueItem,
  type QueueProgress,
} from '#domain/queue/state';
import type { Instant, QueueId } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
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

const db = tables<QueueTables>();

export const queue: AccountModel = {
  name: 'queue',
  version: 4,
  ddl: [
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
  ],
  rows: [
    db.selectFrom('queue_items').selectAll().orderBy('queue_id'),
    db.selectFrom('queue_size').selectAll(),
  ],
  apply,
};

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

function apply({ event, at }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'MessageQueued':
      return messageQueued(write, event, at);
    case 'MessageRetired':
      return messageRetired(write, event.queueId);
    default:
      for (const queueId of changedItems(event)) {
        const item = queueItem(write, queueId);
        if (item === undefined) continue;
        const progress = progressAfter(partsOf(item).progress, queueId, event, at);
        const inAttempt = progress.inAttempt ? 1 : 0;
        setProgress.run(write, { queueId, inAttempt, progress: JSON.stringify(progress) });
      }
  }
}

function messageQueued(write: Sql, event: MessageQueued, at: Instant): void {
  for (const item of itemsQueued(event, at)) {
    const { message, progress } = partsOf(item);
    const { queueId, baseId, sizeBytes } = item;
    addItem.run(write, {
      queue_id: queueId,
      base_id: baseId ?? null,
      in_attempt: 0,
      message: JSON.stringify(message),
      progress: JSON.stringify(progress),
    });
    addBytes.run(write, { bytes: sizeBytes });
  }
}

function messageRetired(write: Sql, queueId: QueueId): void {
  const item = queueItem(write, queueId);
  if (item === undefined) return;
  dropItem.run(write, { queueId });
  addBytes.run(write, { bytes: -item.sizeBytes });
}

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

/** Items whose attempt never ended. */
export function openAttempts(sql: Sql): readonly QueueItem[] {
  return openItems.all(sql, {}).map(itemOf);
}

/** The items of a message that may go in one transaction. */
export function queueItemsWithBase(sql: Sql, baseId: QueueId): readonly QueueItem[] {
  return itemsByBase.all(sql, { baseId }).map(itemOf);
}

export function queuedBytes(sql: Sql): number {
  return size.get(sql, {})?.bytes ?? 0;
}

function itemOf({ message, progress }: { message: string; progress: string }): QueueItem {
  return { ...(JSON.parse(message) as QueuedMessage), ...(JSON.parse(progress) as QueueProgress) };
}
