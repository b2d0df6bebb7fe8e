/**
 * What facts have changed about mailboxes and counters and is not written yet: sums and maxima, so
 * that many facts about a mailbox become one statement. Written before anybody reads the rows.
 */

import { editedKeywords } from '#domain/values/flags';
import type { MailboxId, MessageId, ModSeq, Uid } from '#domain/values/ids';
import type { MailboxTables } from './mailbox-tables.ts';
import { query, tables, type Markers, type Sql } from './query.ts';
import { tallySum, type Tally } from './tally.ts';

const db = tables<MailboxTables>();

type Touch = { readonly modSeq: ModSeq; readonly uidNext: Uid } & Tally;

const touchMailbox = query((at: Markers<{ mailboxId: MailboxId } & Touch>) =>
  db
    .updateTable('mailboxes')
    .set((eb) => ({
      uid_next: eb.fn<Uid>('max', ['uid_next', at.uidNext]),
      highest_mod_seq: at.modSeq,
      messages: eb('messages', '+', at.messages),
      unseen: eb('unseen', '+', at.unseen),
      deleted: eb('deleted', '+', at.deleted),
      deleted_bytes: eb('deleted_bytes', '+', at.deletedBytes),
      size_bytes: eb('size_bytes', '+', at.sizeBytes),
    }))
    .where('mailbox_id', '=', at.mailboxId),
);

const keywordsKnown = query((at: Markers<{ mailboxId: MailboxId }>) =>
  db.selectFrom('mailboxes').select('keywords').where('mailbox_id', '=', at.mailboxId),
);

const setKeywords = query((at: Markers<{ mailboxId: MailboxId; keywords: string }>) =>
  db.updateTable('mailboxes').set({ keywords: at.keywords }).where('mailbox_id', '=', at.mailboxId),
);

/** The next value of each counter of the account. */
type Numbers = {
  readonly mailboxId: MailboxId;
  readonly messageId: MessageId;
  readonly uidValidity: number;
  readonly queueId: number;
};

const NO_NUMBERS: Numbers = { mailboxId: 0, messageId: 0, uidValidity: 0, queueId: 0 };

const raiseCounters = query((at: Markers<Numbers & { readonly usedBytes: number }>) =>
  db.updateTable('counters').set((eb) => ({
    next_mailbox_id: eb.fn<number>('max', ['next_mailbox_id', at.mailboxId]),
    next_message_id: eb.fn<number>('max', ['next_message_id', at.messageId]),
    next_uid_validity: eb.fn<number>('max', ['next_uid_validity', at.uidValidity]),
    next_queue_id: eb.fn<number>('max', ['next_queue_id', at.queueId]),
    used_bytes: eb('used_bytes', '+', at.usedBytes),
  })),
);

export class MailboxDrafts {
  readonly #touches = new Map<MailboxId, Touch>();
  readonly #keywords = new Map<MailboxId, string>();
  #numbers: Numbers = NO_NUMBERS;
  #usedBytes = 0;

  /** An event touched the mailbox, whose tally grew. */
  touch(mailboxId: MailboxId, modSeq: ModSeq, grown: Tally, uidNext: Uid = 0): void {
    this.#usedBytes += grown.sizeBytes;
    const before = this.#touches.get(mailboxId);
    const sum = before === undefined ? grown : tallySum(before, grown);
    const next = Math.max(uidNext, before?.uidNext ?? 0);
    this.#touches.set(mailboxId, { ...sum, modSeq, uidNext: next });
  }

  /** Messages of the mailbox have had these keywords. */
  learn(mailboxId: MailboxId, keywords: string): void {
    if (keywords === '') return;
    const before = this.#keywords.get(mailboxId) ?? '';
    if (before !== keywords) {
      this.#keywords.set(mailboxId, editedKeywords(before, keywords, ''));
    }
  }

  /** These numbers were given out: the next ones are at least as high. */
  raise(next: Partial<Numbers>): void {
    const { mailboxId, messageId, uidValidity, queueId } = this.#numbers;
    this.#numbers = {
      mailboxId: Math.max(mailboxId, next.mailboxId ?? 0),
      messageId: Math.max(messageId, next.messageId ?? 0),
      uidValidity: Math.max(uidValidity, next.uidValidity ?? 0),
      queueId: Math.max(queueId, next.queueId ?? 0),
    };
  }

  write(write: Sql): void {
    for (const [mailboxId, touch] of this.#touches)
      touchMailbox.run(write, { mailboxId, ...touch });
    for (const [mailboxId, keywords] of this.#keywords) {
      const known = keywordsKnown.get(write, { mailboxId })?.keywords ?? '';
      const all = editedKeywords(known, keywords, '');
      if (all !== known) setKeywords.run(write, { mailboxId, keywords: all });
    }
    if (this.#numbers !== NO_NUMBERS || this.#usedBytes !== 0) {
      raiseCounters.run(write, { ...this.#numbers, usedBytes: this.#usedBytes });
    }
    this.drop();
  }

  drop(): void {
    this.#touches.clear();
    this.#keywords.clear();
    this.#numbers = NO_NUMBERS;
    this.#usedBytes = 0;
  }
}
