/**
 * Messages that arrived in a turn and are not written yet: their rows, what their bodies say, and
 * the threads that they link.
 */

import type { ListingTables } from './listing-tables.ts';
import type { MessageTables } from './message-tables.ts';
import { insertion, query, tables, type Markers, type Sql } from './query.ts';
import { RowDrafts } from './row-drafts.ts';

const db = tables<MessageTables & ListingTables>();

const addMessages = insertion((rows: readonly Markers<MessageTables['messages']>[]) =>
  db.insertInto('messages').values(
    rows.map((at) => ({
      mailbox_id: at.mailbox_id,
      uid: at.uid,
      create_seq: at.create_seq,
      message_id: at.message_id,
      content_id: at.content_id,
      size_bytes: at.size_bytes,
      received_at: at.received_at,
      zone_minutes: at.zone_minutes,
      saved_at: at.saved_at,
    })),
  ),
);

const addContents = insertion((rows: readonly Markers<MessageTables['contents']>[]) =>
  db.insertInto('contents').values(
    rows.map((at) => ({
      content_id: at.content_id,
      body: at.body,
      prefix: at.prefix,
      sent_day: at.sent_day,
      subject: at.subject,
      from: at.from,
      to: at.to,
      cc: at.cc,
      bcc: at.bcc,
    })),
  ),
);

const addWires = insertion((rows: readonly Markers<MessageTables['wires']>[]) =>
  db.insertInto('wires').values(
    rows.map((at) => ({
      content_id: at.content_id,
      envelope: at.envelope,
      body: at.body,
      body_structure: at.body_structure,
    })),
  ),
);

const addListings = insertion((rows: readonly Markers<ListingTables['listings']>[]) =>
  db.insertInto('listings').values(
    rows.map((at) => ({
      content_id: at.content_id,
      sent_at: at.sent_at,
      is_reply: at.is_reply,
      thread: at.thread,
      subject: at.subject,
      from: at.from,
      to: at.to,
      cc: at.cc,
      display_from: at.display_from,
      display_to: at.display_to,
      thread_key: at.thread_key,
      thread_references: at.thread_references,
    })),
  ),
);

const addLink = query((at: Markers<ListingTables['thread_links']>) =>
  db.insertInto('thread_links').orIgnore().values({ key: at.key, thread: at.thread }),
);

const threadOfKey = query((at: Markers<{ key: string }>) =>
  db.selectFrom('thread_links').select('thread').where('key', '=', at.key),
);

export class Arrivals {
  readonly messages: RowDrafts<MessageTables['messages']> = new RowDrafts(addMessages);
  readonly contents: RowDrafts<MessageTables['contents']> = new RowDrafts(addContents);
  readonly wires: RowDrafts<MessageTables['wires']> = new RowDrafts(addWires);
  readonly listings: RowDrafts<ListingTables['listings']> = new RowDrafts(addListings);
  /** Keys that have links, and to which thread if somebody has asked; links never change. */
  readonly #links = new Map<string, string | undefined>();

  threadOf(sql: Sql, key: string): string | undefined {
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const thread = threadOfKey.get(sql, { key })?.thread;
    if (thread !== undefined) this.#links.set(key, thread);
    return thread;
  }

  /** Unless there is one already. */
  link(write: Sql, key: string, thread: string): void {
    if (this.#links.has(key)) return;
    addLink.run(write, { key, thread });
    this.#links.set(key, undefined);
  }

  /** To be called before the rows are read, and before the transaction is committed. */
  write(write: Sql): void {
    this.messages.write(write);
    this.contents.write(write);
    this.wires.write(write);
    this.listings.write(write);
  }

  /** The transaction was ended, either way. */
  drop(): void {
    this.messages.drop();
    this.contents.drop();
    this.wires.drop();
    this.listings.drop();
    this.#links.clear();
  }
}
