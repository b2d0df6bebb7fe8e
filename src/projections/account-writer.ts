/**
 * What posts facts into the read models of an account, turn by turn, over a connection that has a
 * transaction open, and answers decisions from what the turn has left so far.
 */

import type { AccountState } from '#domain/account';
import type { AccountFact } from '#domain/log/streams';
import { accountState } from './account-state.ts';
import { Arrivals } from './arrivals.ts';
import { ACCOUNT_MODELS } from './catalog.ts';
import { REMOVALS_KEPT } from './changes.ts';
import { MailboxDrafts } from './mailbox-drafts.ts';
import { MarkDrafts, type MarkPages } from './mark-pages.ts';
import type { AccountWrite, FactsOf } from './model.ts';
import type { Sql, Statement } from './query.ts';
import { QueueDrafts } from './queue-items.ts';
import { RunDrafts } from './uid-runs.ts';

export class AccountWriter implements AccountWrite {
  readonly marks: MarkDrafts;
  readonly mailboxes: MailboxDrafts = new MailboxDrafts();
  readonly runs: RunDrafts = new RunDrafts();
  readonly queue: QueueDrafts = new QueueDrafts();
  readonly arrivals: Arrivals = new Arrivals();
  readonly state: AccountState;
  readonly removalsKept: number;
  readonly #sql: Sql;
  readonly #facts: FactsOf;

  /** `pages` are those that conversations read; they get what is committed. */
  constructor(sql: Sql, pages: MarkPages, facts: FactsOf, removalsKept: number = REMOVALS_KEPT) {
    this.#sql = sql;
    this.#facts = facts;
    this.removalsKept = removalsKept;
    this.marks = new MarkDrafts(pages);
    this.state = accountState(this);
  }

  statement(text: string): Statement {
    return this.#sql.statement(text);
  }

  passing(text: string): Statement {
    return this.#sql.passing(text);
  }

  settled(): Sql {
    this.mailboxes.write(this.#sql);
    this.runs.write(this.#sql);
    return this.#sql;
  }

  arrived(): Sql {
    this.arrivals.write(this.#sql);
    return this.#sql;
  }

  apply(fact: AccountFact): void {
    for (const model of ACCOUNT_MODELS) model.apply(fact, this, this.#facts);
  }

  /** Writes what was not written yet; to be called before the transaction is committed. */
  finish(): void {
    this.marks.write(this.settled());
    this.queue.write(this.arrived());
  }

  /** The transaction was committed. */
  keep(): void {
    this.marks.keep();
    this.arrivals.drop();
  }

  /** The transaction was rolled back. */
  drop(): void {
    this.marks.drop();
    this.mailboxes.drop();
    this.runs.drop();
    this.queue.drop();
    this.arrivals.drop();
  }
}
