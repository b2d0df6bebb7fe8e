/**
 * Read model of an account's outgoing mail: one row per recipient that still waits, how much all of
 * them are, and what stays of those that left, for mail that comes back about them.
 *
 * Everything about an item is written as the domain has it, what never changes apart from what
 * does; columns of their own have what is looked for.
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { MessageQueued, MessageRetired } from '#domain/queue/events';
import {
  changedItems,
  forgetSentAt,
  itemsQueued,
  partsOf,
  progressAfter,
  sentPart,
  type QueuedMessage,
  type QueueItem,
  type QueueProgress,
  type SentItem,
  type SentReference,
} from '#domain/queue/state';
import { unreachable } from '#domain/values/decision';
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
  /** Items in the queue and those that left it not long ago. */
  sent_items: {
    queue_id: QueueId;
    recipient: string;
    from_id: string | null;
    envelope_id: string | null;
    header_id: string;
    /** SentItem in JSON. */
    sent: string;
    /** Null while it is in the queue, and when it is not shown (any more). */
    keep_until: Instant | null;
    /** Null while it is in the queue. */
    forget_at: Instant | null;
  };
}

const db = tables<QueueTables>();

export const queue: AccountModel = {
  name: 'queue',
  version: 3,
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
    `CREATE TABLE sent_items (
      queue_id INTEGER PRIMARY KEY,
      recipient TEXT NOT NULL,
      from_id TEXT,
      envelope_id TEXT,
      header_id TEXT NOT NULL,
      sent TEXT NOT NULL,
      keep_until INTEGER,
      forget_at INTEGER
    )`,
    'CREATE INDEX sent_items_from ON sent_items (from_id) WHERE from_id IS NOT NULL',
    'CREATE INDEX sent_items_envelope ON sent_items (envelope_id) WHERE envelope_id IS NOT NULL',
    'CREATE INDEX sent_items_header ON sent_items (header_id)',
    'CREATE INDEX sent_items_keep ON sent_items (keep_until) WHERE keep_until IS NOT NULL',
    'CREATE INDEX sent_items_forget ON sent_items (forget_at) WHERE forget_at IS NOT NULL',
  ],
  rows: [
    db.selectFrom('queue_items').selectAll().orderBy('queue_id'),
    db.selectFrom('queue_size').selectAll(),
    db.selectFrom('sent_items').selectAll().orderBy('queue_id'),
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

const addSent = query((at: Markers<QueueTables['sent_items']>) =>
  db.insertInto('sent_items').values({
    queue_id: at.queue_id,
    recipient: at.recipient,
    from_id: at.from_id,
    envelope_id: at.envelope_id,
    header_id: at.header_id,
    sent: at.sent,
    keep_until: at.keep_until,
    forget_at: at.forget_at,
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

type Kept = Item & { keepUntil: Instant | null; forgetAt: Instant };

const keepSent = query((at: Markers<Kept>) =>
  db
    .updateTable('sent_items')
    .set({ keep_until: at.keepUntil, forget_at: at.forgetAt })
    .where('queue_id', '=', at.queueId),
);

const hideSent = query((at: Markers<{ upTo: Instant }>) =>
  db.updateTable('sent_items').set({ keep_until: null }).where('keep_until', '<', at.upTo),
);

const forgetSent = query((at: Markers<{ upTo: Instant }>) =>
  db.deleteFrom('sent_items').where('forget_at', '<', at.upTo),
);

function apply({ event, at }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'MessageQueued':
      return messageQueued(write, event, at);
    case 'MessageRetired':
      return messageRetired(write, event, at);
    case 'RetiredForgotten':
      hideSent.run(write, { upTo: event.upTo });
      forgetSent.run(write, { upTo: event.upTo });
      return;
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
    const { queueId, baseId, recipient, fromId, envelopeId, headerId, sizeBytes } = item;
    addItem.run(write, {
      queue_id: queueId,
      base_id: baseId ?? null,
      in_attempt: 0,
      message: JSON.stringify(message),
      progress: JSON.stringify(progress),
    });
    addSent.run(write, {
      queue_id: queueId,
      recipient,
      from_id: fromId ?? null,
      envelope_id: envelopeId ?? null,
      header_id: headerId,
      sent: JSON.stringify(sentPart(item)),
      keep_until: null,
      forget_at: null,
    });
    addBytes.run(write, { bytes: sizeBytes });
  }
}

function messageRetired(write: Sql, event: MessageRetired, at: Instant): void {
  const { queueId, keepUntil } = event;
  const item = queueItem(write, queueId);
  if (item === undefined) return;
  dropItem.run(write, { queueId });
  addBytes.run(write, { bytes: -item.sizeBytes });
  keepSent.run(write, {
    queueId,
    keepUntil: keepUntil ?? null,
    forgetAt: forgetSentAt(at, keepUntil),
  });
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

const sentByFrom = query((at: Markers<{ fromId: string }>) =>
  db
    .selectFrom('sent_items')
    .select('sent')
    .where('from_id', '=', at.fromId)
    .orderBy('queue_id', 'desc')
    .limit(raw.lit(1)),
);

const sentByEnvelope = query((at: Markers<{ envelopeId: string; recipient: string }>) =>
  db
    .selectFrom('sent_items')
    .select('sent')
    .where('envelope_id', '=', at.envelopeId)
    .where('recipient', '=', at.recipient)
    .orderBy('queue_id', 'desc')
    .limit(raw.lit(1)),
);

const sentByHeader = query((at: Markers<{ headerId: string; recipient: string }>) =>
  db
    .selectFrom('sent_items')
    .select('sent')
    .where('header_id', '=', at.headerId)
    .where('recipient', '=', at.recipient)
    .orderBy('queue_id', 'desc')
    .limit(raw.lit(1)),
);

const sentById = query((at: Markers<Item>) =>
  db.selectFrom('sent_items').select('sent').where('queue_id', '=', at.queueId),
);

export function sentItemOf(sql: Sql, queueId: QueueId): SentItem | undefined {
  return sentIn(sentById.get(sql, { queueId }));
}

function sentIn(row: { readonly sent: string } | undefined): SentItem | undefined {
  return row && (JSON.parse(row.sent) as SentItem);
}

/** The newest item that fits. */
export function sentItem(sql: Sql, reference: SentReference): SentItem | undefined {
  switch (reference.type) {
    case 'from-id':
      return sentIn(sentByFrom.get(sql, { fromId: reference.fromId }));
    case 'envelope-id': {
      const { envelopeId, recipient } = reference;
      return sentIn(sentByEnvelope.get(sql, { envelopeId, recipient }));
    }
    case 'header-id': {
      const { headerId, recipient } = reference;
      return sentIn(sentByHeader.get(sql, { headerId, recipient }));
    }
    default:
      return unreachable(reference);
  }
}

const shown = query((at: Markers<{ upTo: Instant }>) =>
  db
    .selectFrom('sent_items')
    .select('queue_id')
    .where('keep_until', '<', at.upTo)
    .limit(raw.lit(1)),
);

const known = query((at: Markers<{ upTo: Instant }>) =>
  db.selectFrom('sent_items').select('queue_id').where('forget_at', '<', at.upTo).limit(raw.lit(1)),
);

export function remembersUpTo(sql: Sql, upTo: Instant): boolean {
  return shown.get(sql, { upTo }) !== undefined || known.get(sql, { upTo }) !== undefined;
}
