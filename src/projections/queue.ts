/**
 * Read model of an account's outgoing mail: what still waits, and how much all of it is.
 */

import type { AccountFact } from '#domain/log/streams';
import { changedItems, itemsQueued } from '#domain/queue/state';
import type { AccountModel, AccountWrite } from './model.ts';
import { QUEUE_DDL, type QueueTables } from './queue-items.ts';
import { tables } from './query.ts';

const db = tables<QueueTables>();

export const queue: AccountModel = {
  name: 'queue',
  version: 4,
  ddl: QUEUE_DDL,
  rows: [
    db.selectFrom('queue_items').selectAll().orderBy('queue_id'),
    db.selectFrom('queue_size').selectAll(),
  ],
  apply,
};

function apply({ event, at }: AccountFact, write: AccountWrite): void {
  switch (event.type) {
    case 'MessageQueued':
      for (const item of itemsQueued(event, at)) write.queue.add(item);
      return;
    case 'MessageRetired':
      return write.queue.retire(write, event.queueId);
    default:
      for (const queueId of changedItems(event)) write.queue.change(write, queueId, event, at);
  }
}
