/**
 * Reads of mailboxes, subscriptions and counters.
 */

import type { AccountCounters } from '#domain/mailbox/state';
import type { SpecialUse } from '#domain/mailbox/events';
import type { MailboxId } from '#domain/values/ids';
import type { MailboxSummary } from './account-views.ts';
import type { MailboxTables } from './mailbox-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';

const db = tables<MailboxTables>();

const summaries = db
  .selectFrom('mailboxes')
  .select([
    'mailbox_id as mailboxId',
    'name',
    'uid_validity as uidValidity',
    'uid_next as uidNext',
    'special_use as specialUse',
    'highest_mod_seq as highestModSeq',
    'messages as exists',
    'unseen',
    'deleted',
    'deleted_bytes as deletedBytes',
    'size_bytes as sizeBytes',
    'keywords',
  ]);

const byId = query((at: Markers<{ mailboxId: MailboxId }>) =>
  summaries.where('mailbox_id', '=', at.mailboxId),
);
const byName = query((at: Markers<{ name: string }>) => summaries.where('name', '=', at.name));
const byUse = query((at: Markers<{ specialUse: SpecialUse }>) =>
  summaries.where('special_use', '=', at.specialUse),
);
const all = query(() => summaries);
const below = query((at: Markers<{ from: string; to: string }>) =>
  summaries.where('name', '>=', at.from).where('name', '<', at.to),
);
const count = query(() =>
  db.selectFrom('mailboxes').select((eb) => eb.fn.countAll<number>().as('count')),
);
const subscribed = query((at: Markers<{ name: string }>) =>
  db.selectFrom('subscriptions').select('name').where('name', '=', at.name),
);
const allSubscribed = query(() => db.selectFrom('subscriptions').select('name'));
const counters = query(() =>
  db
    .selectFrom('counters')
    .select([
      'next_mailbox_id as mailboxId',
      'next_message_id as messageId',
      'next_uid_validity as uidValidity',
      'next_queue_id as queueId',
    ]),
);

const used = query(() => db.selectFrom('counters').select('used_bytes as bytes'));

interface SummaryRow extends Omit<MailboxSummary, 'specialUse' | 'keywords'> {
  readonly specialUse: SpecialUse | null;
  readonly keywords: string;
}

function summaryOf(row: SummaryRow): MailboxSummary {
  const { specialUse, keywords, ...rest } = row;
  return {
    ...rest,
    ...(specialUse === null ? {} : { specialUse }),
    keywords: keywords === '' ? [] : keywords.split(' '),
  };
}

function maybe(row: SummaryRow | undefined): MailboxSummary | undefined {
  return row && summaryOf(row);
}

/** By UTF-16 unit, as the reference model orders them. */
function inOrder(rows: readonly SummaryRow[]): readonly MailboxSummary[] {
  return rows.map(summaryOf).sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function mailboxById(sql: Sql, mailboxId: MailboxId): MailboxSummary | undefined {
  return maybe(byId.get(sql, { mailboxId }));
}

export function mailboxByName(sql: Sql, name: string): MailboxSummary | undefined {
  return maybe(byName.get(sql, { name }));
}

export function mailboxByUse(sql: Sql, specialUse: SpecialUse): MailboxSummary | undefined {
  return maybe(byUse.get(sql, { specialUse }));
}

export function allMailboxes(sql: Sql): readonly MailboxSummary[] {
  return inOrder(all.all(sql, {}));
}

/** All descendants of a name: `0` is the character behind the separator. */
export function mailboxesBelow(sql: Sql, name: string): readonly MailboxSummary[] {
  return inOrder(below.all(sql, { from: `${name}/`, to: `${name}0` }));
}

export function mailboxCount(sql: Sql): number {
  return count.get(sql, {})?.count ?? 0;
}

export function isSubscribed(sql: Sql, name: string): boolean {
  return subscribed.get(sql, { name }) !== undefined;
}

export function subscriptions(sql: Sql): readonly string[] {
  return allSubscribed
    .all(sql, {})
    .map(({ name }) => name)
    .sort();
}

/** Octets of all messages of the account. */
export function usedBytes(sql: Sql): number {
  return used.get(sql, {})?.bytes ?? 0;
}

export function nextNumbers(sql: Sql): AccountCounters {
  const row = counters.get(sql, {});
  if (row === undefined) throw new Error('the counters have no row');
  return row;
}
