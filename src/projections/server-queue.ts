/**
 * Read model of the server: the outgoing mail of all accounts, for whoever delivers, administers or
 * counts it.
 *
 * A destination (the domain of a recipient) is served by few attempts at a time: the time of its
 * next item stands in a table of its own, so that a destination with a lot of mail costs no more
 * than one with a little.
 */

import { sql as raw } from 'kysely';
import type { AccountEvent } from '#domain/log/streams';
import type { AttemptReply, MessageQueued } from '#domain/queue/events';
import { changedItems, itemsQueued, partsOf, type QueueItem } from '#domain/queue/state';
import { domainOf } from '#domain/values/address';
import type { AccountId, Instant, QueueId } from '#domain/values/ids';
import type { ServerFact, ServerModel } from './model.ts';
import {
  CountChanges,
  isFree,
  QUEUE_COUNT_DDL,
  type QueueCountTables,
  type Standing,
} from './queue-counts.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

export interface ServerQueueTables extends QueueCountTables {
  server_queue: {
    queue_id: QueueId;
    account_id: AccountId;
    mail_from: string;
    recipient: string;
    /** Domain of the recipient, lower-case. */
    destination: string;
    size_bytes: number;
    queued_at: Instant;
    next_attempt_at: Instant;
    last_attempt_at: Instant | null;
    attempts: number;
    in_attempt: 0 | 1;
    is_held: 0 | 1;
    /** '' where the routes decide. */
    transport: string;
    require_tls: 0 | 1 | null;
    /** What the last attempt came to; '' before the first. */
    last_answer: string;
    /** QueuedMessage without its prefix, in JSON. */
    details: string;
  };
  /** Where something waits that is neither held nor in an attempt, and when the first is due. */
  destinations: { destination: string; next_at: Instant };
}

const db = tables<ServerQueueTables>();

export const serverQueue: ServerModel = {
  name: 'server-queue',
  version: 4,
  ddl: [
    `CREATE TABLE server_queue (
      queue_id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL,
      mail_from TEXT NOT NULL,
      recipient TEXT NOT NULL,
      destination TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      queued_at INTEGER NOT NULL,
      next_attempt_at INTEGER NOT NULL,
      last_attempt_at INTEGER,
      attempts INTEGER NOT NULL,
      in_attempt INTEGER NOT NULL,
      is_held INTEGER NOT NULL,
      transport TEXT NOT NULL,
      require_tls INTEGER,
      last_answer TEXT NOT NULL,
      details TEXT NOT NULL
    )`,
    `CREATE INDEX server_queue_waiting ON server_queue (destination, next_attempt_at, queue_id)
      WHERE in_attempt = 0 AND is_held = 0`,
    'CREATE INDEX server_queue_open ON server_queue (account_id) WHERE in_attempt = 1',
    'CREATE INDEX server_queue_due ON server_queue (next_attempt_at, queue_id)',
    'CREATE INDEX server_queue_queued ON server_queue (queued_at, queue_id)',
    `CREATE INDEX server_queue_account_due
      ON server_queue (account_id, next_attempt_at, queue_id)`,
    'CREATE INDEX server_queue_account_queued ON server_queue (account_id, queued_at, queue_id)',
    `CREATE TABLE destinations (
      destination TEXT PRIMARY KEY,
      next_at INTEGER NOT NULL
    ) WITHOUT ROWID`,
    'CREATE INDEX destinations_next ON destinations (next_at, destination)',
    ...QUEUE_COUNT_DDL,
  ],
  rows: [
    db.selectFrom('server_queue').selectAll().orderBy('queue_id'),
    db.selectFrom('destinations').selectAll().orderBy('destination'),
    db.selectFrom('queue_totals').selectAll(),
    db.selectFrom('due_spans').selectAll().orderBy('span_ms').orderBy('until'),
  ],
  apply,
};

type Row = ServerQueueTables['server_queue'];
type Item = { queueId: QueueId };

const addItem = query((at: Markers<Row>) =>
  db.insertInto('server_queue').values({
    queue_id: at.queue_id,
    account_id: at.account_id,
    mail_from: at.mail_from,
    recipient: at.recipient,
    destination: at.destination,
    size_bytes: at.size_bytes,
    queued_at: at.queued_at,
    next_attempt_at: at.next_attempt_at,
    last_attempt_at: at.last_attempt_at,
    attempts: at.attempts,
    in_attempt: at.in_attempt,
    is_held: at.is_held,
    transport: at.transport,
    require_tls: at.require_tls,
    last_answer: at.last_answer,
    details: at.details,
  }),
);

const standingOf = query((at: Markers<Item>) =>
  db
    .selectFrom('server_queue')
    .select(['destination', 'next_attempt_at', 'in_attempt', 'is_held'])
    .where('queue_id', '=', at.queueId),
);

const dropItem = query((at: Markers<Item>) =>
  db.deleteFrom('server_queue').where('queue_id', '=', at.queueId),
);

const setHeld = query((at: Markers<Item & { isHeld: 0 | 1 }>) =>
  db.updateTable('server_queue').set({ is_held: at.isHeld }).where('queue_id', '=', at.queueId),
);

const setTime = query((at: Markers<Item & { nextAttemptAt: Instant }>) =>
  db
    .updateTable('server_queue')
    .set({ next_attempt_at: at.nextAttemptAt })
    .where('queue_id', '=', at.queueId),
);

const setTransport = query((at: Markers<Item & { transport: string }>) =>
  db
    .updateTable('server_queue')
    .set({ transport: at.transport })
    .where('queue_id', '=', at.queueId),
);

const setRequireTls = query((at: Markers<Item & { requireTls: 0 | 1 | null }>) =>
  db
    .updateTable('server_queue')
    .set({ require_tls: at.requireTls })
    .where('queue_id', '=', at.queueId),
);

type Start = Item & { attempt: number; at: Instant; nextAttemptAt: Instant };

const startAttempt = query((at: Markers<Start>) =>
  db
    .updateTable('server_queue')
    .set({
      attempts: at.attempt,
      last_attempt_at: at.at,
      next_attempt_at: at.nextAttemptAt,
      in_attempt: 1,
    })
    .where('queue_id', '=', at.queueId),
);

type End = Item & { nextAttemptAt: Instant; answer: string };

const endAttempt = query((at: Markers<End>) =>
  db
    .updateTable('server_queue')
    .set({ next_attempt_at: at.nextAttemptAt, in_attempt: 0, last_answer: at.answer })
    .where('queue_id', '=', at.queueId),
);

type At = { destination: string };

const firstAt = query((at: Markers<At>) =>
  db
    .selectFrom('server_queue')
    .select('next_attempt_at as nextAt')
    .where('in_attempt', '=', raw.lit(0))
    .where('is_held', '=', raw.lit(0))
    .where('destination', '=', at.destination)
    .orderBy('next_attempt_at')
    .orderBy('queue_id')
    .limit(raw.lit(1)),
);

const putDestination = query((at: Markers<At & { nextAt: Instant }>) =>
  db
    .insertInto('destinations')
    .values({ destination: at.destination, next_at: at.nextAt })
    .onConflict((conflict) => conflict.column('destination').doUpdateSet({ next_at: at.nextAt })),
);

const dropDestination = query((at: Markers<At>) =>
  db.deleteFrom('destinations').where('destination', '=', at.destination),
);

/** False for facts that leave the queue as it is. */
export function touchesQueue({ fact: { event } }: ServerFact): boolean {
  return event.type === 'MessageQueued' || touchedBy(event).length > 0;
}

/** The items that a fact changes or ends. */
function touchedBy(event: AccountEvent): readonly QueueId[] {
  return event.type === 'MessageRetired' ? [event.queueId] : changedItems(event);
}

/** What a fact changes beside the items themselves. */
interface Consequences {
  readonly counts: CountChanges;
  /** Where items came, went, or come due at another time. */
  readonly destinations: Set<string>;
}

function apply({ accountId, fact: { event, at } }: ServerFact, write: Sql): void {
  const after: Consequences = { counts: new CountChanges(), destinations: new Set() };
  if (event.type === 'MessageQueued') messageQueued(write, accountId, event, at, after);
  for (const queueId of touchedBy(event)) {
    const row = standingOf.get(write, { queueId });
    if (row === undefined) continue;
    const before = {
      nextAttemptAt: row.next_attempt_at,
      inAttempt: row.in_attempt === 1,
      isHeld: row.is_held === 1,
    };
    moved(after, row.destination, before, change(write, queueId, before, event, at));
  }
  for (const destination of after.destinations) settle(write, destination);
  after.counts.write(write);
}

function moved(
  { counts, destinations }: Consequences,
  destination: string,
  before: Standing | undefined,
  after: Standing | undefined,
): void {
  if (before === after) return;
  counts.moved(before, after);
  const wasFree = before !== undefined && isFree(before);
  if (wasFree || (after !== undefined && isFree(after))) destinations.add(destination);
}

/** Says anew when the first item is due at the destination. */
function settle(write: Sql, destination: string): void {
  const first = firstAt.get(write, { destination });
  if (first === undefined) dropDestination.run(write, { destination });
  else putDestination.run(write, { destination, nextAt: first.nextAt });
}

function messageQueued(
  write: Sql,
  accountId: AccountId,
  event: MessageQueued,
  at: Instant,
  after: Consequences,
): void {
  for (const item of itemsQueued(event, at)) {
    const destination = domainOf(item.recipient);
    moved(after, destination, undefined, item);
    addItem.run(write, {
      queue_id: item.queueId,
      account_id: accountId,
      mail_from: item.mailFrom,
      recipient: item.recipient,
      destination,
      size_bytes: item.sizeBytes,
      queued_at: at,
      next_attempt_at: item.nextAttemptAt,
      last_attempt_at: null,
      attempts: 0,
      in_attempt: 0,
      is_held: item.isHeld ? 1 : 0,
      transport: item.transport,
      require_tls: numberOf(item.requireTls),
      last_answer: '',
      details: detailsOf(item),
    });
  }
}

function numberOf(value: boolean | null | undefined): 0 | 1 | null {
  if (value === null || value === undefined) return null;
  return value ? 1 : 0;
}

function detailsOf(item: QueueItem): string {
  const { prefix: _, ...details } = partsOf(item).message;
  return JSON.stringify(details);
}

/** Writes what became of an item, and says how it stands then; undefined when it is gone. */
function change(
  write: Sql,
  queueId: QueueId,
  standing: Standing,
  event: AccountEvent,
  at: Instant,
): Standing | undefined {
  switch (event.type) {
    case 'MessagesHeld':
    case 'MessagesReleased': {
      const isHeld = event.type === 'MessagesHeld';
      setHeld.run(write, { queueId, isHeld: isHeld ? 1 : 0 });
      return { ...standing, isHeld };
    }
    case 'MessagesRescheduled': {
      const moving = event.items.find((item) => item.queueId === queueId);
      const { nextAttemptAt } = moving ?? standing;
      setTime.run(write, { queueId, nextAttemptAt });
      return { ...standing, nextAttemptAt };
    }
    case 'TransportForced':
      setTransport.run(write, { queueId, transport: event.transport ?? '' });
      return standing;
    case 'TlsRequirementSet':
      setRequireTls.run(write, { queueId, requireTls: numberOf(event.requireTls) });
      return standing;
    case 'AttemptStarted': {
      const { attempt, nextAttemptAt } = event;
      startAttempt.run(write, { queueId, attempt, at, nextAttemptAt });
      return { ...standing, nextAttemptAt, inAttempt: true };
    }
    case 'AttemptFailed': {
      const { nextAttemptAt } = event;
      // Without a next one it leaves the queue, in the same append.
      if (nextAttemptAt === undefined) return standing;
      endAttempt.run(write, { queueId, nextAttemptAt, answer: answerOf(event) });
      return { ...standing, nextAttemptAt, inAttempt: false };
    }
    case 'AttemptInterrupted': {
      const { nextAttemptAt } = standing;
      endAttempt.run(write, { queueId, nextAttemptAt, answer: 'interrupted' });
      return { ...standing, inAttempt: false };
    }
    case 'MessageRetired':
      dropItem.run(write, { queueId });
      return undefined;
    default:
      // What succeeded leaves the queue, in the same append.
      return standing;
  }
}

const ANSWER_CHARS_MAX = 500;

function answerOf({ code, enhancedCode, text }: AttemptReply): string {
  const parts = [code === 0 ? '' : String(code), enhancedCode, text];
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .slice(0, ANSWER_CHARS_MAX);
}
