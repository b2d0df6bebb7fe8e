/**
 * What a read model is: tables that are posted from facts and can be thrown away at any time.
 *
 * Invariants: `apply` depends on the facts in the log and on the facts of bodies alone, so that a
 * replay from the first fact gives the same rows; it never decides and never fails on a fact that
 * was once recorded. Models of one database are applied in the order of the catalog: a later one
 * may change what an earlier one has to see as it was before the fact.
 */

import type { Compilable } from 'kysely';
import type { AuditFact, ReportFact } from '#domain/log/fact';
import type { AccountFact } from '#domain/log/streams';
import type { MessageFacts } from '#domain/values/facts';
import type { AccountId, BodyHash } from '#domain/values/ids';
import type { Arrivals } from './arrivals.ts';
import type { MailboxDrafts } from './mailbox-drafts.ts';
import type { MarkDrafts } from './mark-pages.ts';
import type { Sql } from './query.ts';
import type { QueueDrafts } from './queue-items.ts';
import type { RunDrafts } from './uid-runs.ts';

/** Facts of a body; undefined when the body is gone. */
export type FactsOf = (hash: BodyHash) => MessageFacts | undefined;

export interface ReadModel<Fact, Write extends Sql = Sql> {
  readonly name: string;
  /** Rises whenever tables or what is written into them change: the database is then rebuilt. */
  readonly version: number;
  readonly ddl: readonly string[];
  /** Every row that counts, table by table, each in a fixed order: what a digest is made of. */
  readonly rows: readonly Compilable<object>[];
  apply(fact: Fact, write: Write, facts: FactsOf): void;
}

/** What the models of an account are written into. */
export interface AccountWrite extends Sql {
  readonly marks: MarkDrafts;
  readonly mailboxes: MailboxDrafts;
  readonly runs: RunDrafts;
  readonly queue: QueueDrafts;
  readonly arrivals: Arrivals;
  /** How many modseqs of the account a removal is remembered. */
  readonly removalsKept: number;
  /** The same with the rows of mailboxes and runs written, for whoever reads or replaces them. */
  settled(): Sql;
  /** The same with the rows of messages that arrived written. */
  arrived(): Sql;
}

export type AccountModel = ReadModel<AccountFact, AccountWrite>;

/** A fact of some account, for what the server keeps about all of them. */
export interface ServerFact {
  readonly accountId: AccountId;
  readonly fact: AccountFact;
}

export type ServerModel = ReadModel<ServerFact>;

/** Of the server too, posted from the streams of months. */
export type AuditModel = ReadModel<AuditFact>;
export type ReportModel = ReadModel<ReportFact>;
