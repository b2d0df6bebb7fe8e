/**
 * Read model of an account's outgoing mail: one row per recipient that still waits.
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { MessageQueued } from '#domain/queue/events';
import type { BodyHash, Instant, QueueId } from '#domain/values/ids';
import type { QueueRow } from './account-views.ts';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface QueueTables {
  queue_items: {
    queue_id: QueueId;
    recipient: string;
    mail_from: string;
    body: BodyHash;
    prefix: string;
    size_bytes: number;
    header_id: string;
    smtp_utf8: 0 | 1;
    eight_bit: 0 | 1;
    queued_at: Instant;
    attempts: number;
    next_attempt_at: Instant;
    in_attempt: 0 | 1;
  };
}

const db = tables<QueueTables>();

export const queue: AccountModel = {
  name: 'queue',
  version: 1,
  ddl: [
    `CREATE TABLE queue_items (
      queue_id INTEGER PRIMARY KEY,
      recipient TEXT NOT NULL,
      mail_from TEXT NOT NULL,
      body TEXT NOT NULL,
      prefix TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      header_id TEXT NOT NULL,
      smtp_utf8 INTEGER NOT NULL,
      eight_bit INTEGER NOT NULL,
      queued_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      next_attempt_at INTEGER NOT NULL,
      in_attempt INTEGER NOT NULL
    )`,
    'CREATE INDEX queue_items_open ON queue_items (queue_id) WHERE in_attempt = 1',
  ],
  rows: [db.selectFrom('queue_items').selectAll().orderBy('queue_id')],
  apply,
};

const addItem = query((at: Markers<QueueTables['queue_items']>) =>
  db.insertInto('queue_items').values({
    queue_id: at.queue_id,
    recipient: at.recipient,
    mail_from: at.mail_from,
    body: at.body,
    prefix: at.prefix,
    size_bytes: at.size_bytes,
    header_id: at.header_id,
    smtp_utf8: at.smtp_utf8,
    eight_bit: at.eight_bit,
    queued_at: at.queued_at,
    attempts: at.attempts,
    next_attempt_at: at.next_attempt_at,
    in_attempt: at.in_attempt,
  }),
);

type Item = { queueId: QueueId };

const startAttempt = query((at: Markers<Item & { attempt: number; nextAttemptAt: Instant }>) =>
  db
    .updateTable('queue_items')
    .set({ attempts: at.attempt, next_attempt_at: at.nextAttemptAt, in_attempt: 1 })
    .where('queue_id', '=', at.queueId),
);

const endAttempt = query((at: Markers<Item & { nextAttemptAt: Instant | null }>) =>
  db
    .updateTable('queue_items')
    .set((eb) => ({
      next_attempt_at: eb.fn.coalesce(at.nextAttemptAt, 'next_attempt_at'),
      in_attempt: 0,
    }))
    .where('queue_id', '=', at.queueId),
);

const dropItem = query((at: Markers<Item>) =>
  db.deleteFrom('queue_items').where('queue_id', '=', at.queueId),
);

function apply({ event, at }: AccountFact, write: Sql): void {
  switch (event.type) {
    case 'MessageQueued':
      return messageQueued(write, event, at);
    case 'AttemptStarted': {
      const { queueId, attempt, nextAttemptAt } = event;
      startAttempt.run(write, { queueId, attempt, nextAttemptAt });
      return;
    }
    case 'AttemptFailed': {
      const { queueId, nextAttemptAt } = event;
      endAttempt.run(write, { queueId, nextAttemptAt: nextAttemptAt ?? null });
      return;
    }
    case 'AttemptSucceeded':
    case 'AttemptInterrupted':
      endAttempt.run(write, { queueId: event.queueId, nextAttemptAt: null });
      return;
    case 'MessageRetired':
      dropItem.run(write, { queueId: event.queueId });
      return;
    default:
      return;
  }
}

function messageQueued(write: Sql, event: MessageQueued, at: Instant): void {
  for (const { queueId, recipient } of event.items) {
    addItem.run(write, {
      queue_id: queueId,
      recipient,
      mail_from: event.mailFrom,
      body: event.body,
      prefix: event.prefix,
      size_bytes: event.sizeBytes,
      header_id: event.headerId,
      smtp_utf8: event.smtpUtf8 ? 1 : 0,
      eight_bit: event.eightBit ? 1 : 0,
      queued_at: at,
      attempts: 0,
      next_attempt_at: event.nextAttemptAt,
      in_attempt: 0,
    });
  }
}

const COLUMNS = [
  'queue_id as queueId',
  'recipient',
  'mail_from as mailFrom',
  'body',
  'prefix',
  'size_bytes as sizeBytes',
  'header_id as headerId',
  'smtp_utf8 as smtpUtf8',
  'eight_bit as eightBit',
  'queued_at as queuedAt',
  'attempts',
  'next_attempt_at as nextAttemptAt',
  'in_attempt as inAttempt',
] as const;

const itemById = query((at: Markers<Item>) =>
  db.selectFrom('queue_items').select(COLUMNS).where('queue_id', '=', at.queueId),
);

const openItems = query(() =>
  db
    .selectFrom('queue_items')
    .select(COLUMNS)
    .where('in_attempt', '=', raw.lit(1))
    .orderBy('queue_id'),
);

export function queueItem(sql: Sql, queueId: QueueId): QueueRow | undefined {
  const row = itemById.get(sql, { queueId });
  return row && { ...row, ...flagsOf(row) };
}

/** Items whose attempt never ended. */
export function openAttempts(sql: Sql): readonly QueueRow[] {
  return openItems.all(sql, {}).map((row) => ({ ...row, ...flagsOf(row) }));
}

function flagsOf(row: {
  readonly smtpUtf8: 0 | 1;
  readonly eightBit: 0 | 1;
  readonly inAttempt: 0 | 1;
}): Pick<QueueRow, 'smtpUtf8' | 'eightBit' | 'inAttempt'> {
  return {
    smtpUtf8: row.smtpUtf8 === 1,
    eightBit: row.eightBit === 1,
    inAttempt: row.inAttempt === 1,
  };
}
