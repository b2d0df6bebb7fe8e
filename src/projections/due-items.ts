/**
 * What of the outgoing mail of the server is due, where, and when something is the next time.
 */

import { sql as raw } from 'kysely';
import type { AccountId, Instant, QueueId } from '#domain/values/ids';
import { query, tables, type Markers, type Sql } from './query.ts';
import type { ServerQueueTables } from './server-queue.ts';

const db = tables<ServerQueueTables>();

type At = { destination: string };

const dueDestinationsBy = query((at: Markers<{ now: Instant; limit: number }>) =>
  db
    .selectFrom('destinations')
    .select('destination')
    .where('next_at', '<=', at.now)
    .orderBy('next_at')
    .orderBy('destination')
    .limit(at.limit),
);

const dueItemsBy = query((at: Markers<At & { now: Instant; limit: number }>) =>
  db
    .selectFrom('server_queue')
    .select(['account_id as accountId', 'queue_id as queueId'])
    .where('in_attempt', '=', raw.lit(0))
    .where('is_held', '=', raw.lit(0))
    .where('destination', '=', at.destination)
    .where('next_attempt_at', '<=', at.now)
    .orderBy('next_attempt_at')
    .orderBy('queue_id')
    .limit(at.limit),
);

const earliest = query((at: Markers<{ after: Instant }>) =>
  db
    .selectFrom('destinations')
    .select('next_at as dueAt')
    .where('next_at', '>', at.after)
    .orderBy('next_at')
    .limit(raw.lit(1)),
);

const accountsOpen = query(() =>
  db
    .selectFrom('server_queue')
    .select('account_id as accountId')
    .distinct()
    .where('in_attempt', '=', raw.lit(1))
    .orderBy('account_id'),
);

/** Destinations with something due, the longest due first. */
export function dueDestinations(sql: Sql, now: Instant, limit: number): readonly string[] {
  return dueDestinationsBy.all(sql, { now, limit }).map(({ destination }) => destination);
}

/** Items of a destination that are due, not held and not in an attempt, the longest due first. */
export function dueItems(
  sql: Sql,
  destination: string,
  now: Instant,
  limit: number,
): readonly { readonly accountId: AccountId; readonly queueId: QueueId }[] {
  return dueItemsBy.all(sql, { destination, now, limit });
}

/** When the next destination that is not due at `after` is. */
export function nextDueAfter(sql: Sql, after: Instant): Instant | undefined {
  return earliest.get(sql, { after })?.dueAt;
}

/** Accounts with attempts that have begun and not ended. */
export function accountsInAttempt(sql: Sql): readonly AccountId[] {
  return accountsOpen.all(sql, {}).map(({ accountId }) => accountId);
}
