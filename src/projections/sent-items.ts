/**
 * Read model of an account's mail that is or was in the queue, for what comes back about it: which
 * item it is, and how the latest ones to a recipient have ended.
 */

import { sql as raw } from 'kysely';
import type { AccountFact } from '#domain/log/streams';
import type { BounceRelated, MessageQueued, MessageRetired } from '#domain/queue/events';
import { FAILURES_BEFORE_MAX } from '#domain/queue/outcome';
import {
  forgetSentAt,
  itemsQueued,
  sentPart,
  tellsOfFailure,
  tellsOfRecipient,
  type SentItem,
  type SentReference,
} from '#domain/queue/state';
import { unreachable } from '#domain/values/decision';
import type { Instant, QueueId } from '#domain/values/ids';
import type { AccountModel } from './model.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface SentTables {
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
    /** Null while it is in the queue, and when its end tells nothing of the recipient. */
    failed: 0 | 1 | null;
    /** When it left the queue, or something came back about it. */
    active_at: Instant | null;
  };
}

const db = tables<SentTables>();

export const sentItems: AccountModel = {
  name: 'sent-items',
  version: 1,
  ddl: [
    `CREATE TABLE sent_items (
      queue_id INTEGER PRIMARY KEY,
      recipient TEXT NOT NULL,
      from_id TEXT,
      envelope_id TEXT,
      header_id TEXT NOT NULL,
      sent TEXT NOT NULL,
      keep_until INTEGER,
      forget_at INTEGER,
      failed INTEGER,
      active_at INTEGER
    )`,
    'CREATE INDEX sent_items_from ON sent_items (from_id) WHERE from_id IS NOT NULL',
    'CREATE INDEX sent_items_envelope ON sent_items (envelope_id) WHERE envelope_id IS NOT NULL',
    'CREATE INDEX sent_items_header ON sent_items (header_id)',
    'CREATE INDEX sent_items_keep ON sent_items (keep_until) WHERE keep_until IS NOT NULL',
    'CREATE INDEX sent_items_forget ON sent_items (forget_at) WHERE forget_at IS NOT NULL',
    `CREATE INDEX sent_items_ended ON sent_items (recipient, active_at, queue_id)
      WHERE failed IS NOT NULL AND keep_until IS NOT NULL`,
  ],
  rows: [db.selectFrom('sent_items').selectAll().orderBy('queue_id')],
  apply,
};

type Sent = Omit<SentTables['sent_items'], 'keep_until' | 'forget_at' | 'failed' | 'active_at'>;

const addSent = query((at: Markers<Sent>) =>
  db.insertInto('sent_items').values({
    queue_id: at.queue_id,
    recipient: at.recipient,
    from_id: at.from_id,
    envelope_id: at.envelope_id,
    header_id: at.header_id,
    sent: at.sent,
    keep_until: raw.lit(null),
    forget_at: raw.lit(null),
    failed: raw.lit(null),
    active_at: raw.lit(null),
  }),
);

type Item = { queueId: QueueId };

type Kept = Item & {
  keepUntil: Instant | null;
  forgetAt: Instant;
  failed: 0 | 1 | null;
  at: Instant;
};

const keepSent = query((at: Markers<Kept>) =>
  db
    .updateTable('sent_items')
    .set({ keep_until: at.keepUntil, forget_at: at.forgetAt, failed: at.failed, active_at: at.at })
    .where('queue_id', '=', at.queueId),
);

const heardOf = query((at: Markers<Item & { failed: 0 | 1; at: Instant }>) =>
  db
    .updateTable('sent_items')
    .set((eb) => ({ failed: eb.fn<0 | 1>('max', ['failed', at.failed]), active_at: at.at }))
    .where('queue_id', '=', at.queueId)
    .where('failed', 'is not', raw.lit(null)),
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
    case 'BounceRelated':
      return bounceRelated(write, event, at);
    case 'RetiredForgotten':
      hideSent.run(write, { upTo: event.upTo });
      forgetSent.run(write, { upTo: event.upTo });
      return;
    default:
      return;
  }
}

function messageQueued(write: Sql, event: MessageQueued, at: Instant): void {
  for (const item of itemsQueued(event, at)) {
    const { queueId, recipient, fromId, envelopeId, headerId } = item;
    addSent.run(write, {
      queue_id: queueId,
      recipient,
      from_id: fromId ?? null,
      envelope_id: envelopeId ?? null,
      header_id: headerId,
      sent: JSON.stringify(sentPart(item)),
    });
  }
}

function messageRetired(write: Sql, event: MessageRetired, at: Instant): void {
  const { queueId, outcome, keepUntil } = event;
  const sent = sentItemOf(write, queueId);
  if (sent === undefined) return;
  const failed = outcome === 'failed' ? 1 : 0;
  keepSent.run(write, {
    queueId,
    keepUntil: keepUntil ?? null,
    forgetAt: forgetSentAt(at, keepUntil),
    failed: tellsOfRecipient(outcome, sent.report) ? failed : null,
    at,
  });
}

function bounceRelated(write: Sql, event: BounceRelated, at: Instant): void {
  heardOf.run(write, { queueId: event.queueId, failed: tellsOfFailure(event) ? 1 : 0, at });
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

const latestEnded = query((at: Markers<{ recipient: string; besides: QueueId }>) =>
  db
    .selectFrom('sent_items')
    .select('failed')
    .where('failed', 'is not', raw.lit(null))
    .where('keep_until', 'is not', raw.lit(null))
    .where('recipient', '=', at.recipient)
    .where('queue_id', '!=', at.besides)
    .orderBy('active_at', 'desc')
    .orderBy('queue_id', 'desc')
    .limit(raw.lit(FAILURES_BEFORE_MAX)),
);

export function failuresInRow(sql: Sql, recipient: string, besides: QueueId): number {
  const latest = latestEnded.all(sql, { recipient, besides });
  const others = latest.findIndex(({ failed }) => failed === 0);
  return others < 0 ? latest.length : others;
}
