/**
 * The books of one account: its read models, with one connection that writes and one that reads.
 *
 * The writer sees what the turn of the lane has written so far; conversations read through the
 * other connection and see committed turns only. Connections are opened when they are needed and
 * may be closed at any time between turns; what `reader` is asked opens them again.
 */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { AccountState } from '#domain/account';
import type { EventLog } from '#domain/log/event-log';
import { accountFactsOf, baseOf } from '#domain/log/fact';
import { accountStream, type AccountEvent, type AccountFact } from '#domain/log/streams';
import type { AccountId, Revision } from '#domain/values/ids';
import { AccountReader } from '#projections/account-reader';
import { AccountWriter } from '#projections/account-writer';
import { ACCOUNT_MODELS } from '#projections/catalog';
import {
  checkpointOf,
  NOTHING_POSTED,
  writeCheckpoint,
  type Checkpoint,
} from '#projections/checkpoints';
import { MarkPages } from '#projections/mark-pages';
import type { FactsOf } from '#projections/model';
import { hasOrphans } from '#projections/message-reads';
import { sweepOrphans } from '#projections/orphans';
import type { Sql } from '#projections/query';
import type { Clock, Log } from '#protocols/ports';
import type { Ledger } from './lane.ts';
import {
  beginViewsFile,
  digestsOf,
  dropViewsFile,
  finishViewsFile,
  openViewsFile,
  type OpenedFile,
  ViewsDatabase,
} from './read-models.ts';

/** Events that are read from the log in one go; one of them may be large. */
const PAGE_EVENTS = 200;
/** How long posting may keep everybody else waiting. */
const PORTION_MS = 30;
/** Contents removed in one go while nothing else is to be done. */
const SWEEP_CONTENTS = 200;

export interface BooksPorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly notes: Log;
  readonly factsOf: (accountId: AccountId) => FactsOf;
  /** How many modseqs a removal is remembered, when it is not as many as usual. */
  readonly removalsKept?: number;
}

export class AccountBooks implements Ledger<AccountState, AccountEvent> {
  readonly accountId: AccountId;
  readonly stream: string;
  readonly reader: AccountReader;
  readonly #file: string;
  readonly #ports: BooksPorts;
  readonly #facts: FactsOf;
  #writing: ViewsDatabase | undefined;
  #writer: AccountWriter | undefined;
  #reading: ViewsDatabase | undefined;
  /** The last fact that is committed; `#head` may be ahead of it. */
  #committed: Checkpoint = NOTHING_POSTED;
  #head: Checkpoint = NOTHING_POSTED;
  #applied: AccountFact[] = [];
  #mayTidy = true;
  #wasUsed = true;
  #isDamaged = false;
  readonly #damaged = (): void => {
    this.#isDamaged = true;
  };

  private constructor(accountId: AccountId, file: string, ports: BooksPorts) {
    this.accountId = accountId;
    this.stream = accountStream(accountId);
    this.#file = file;
    this.#ports = ports;
    this.#facts = ports.factsOf(accountId);
    this.reader = new AccountReader(() => this.#readable(), -1);
  }

  /** The books at the head of the log, made anew where that is needed. */
  static async open(accountId: AccountId, file: string, ports: BooksPorts): Promise<AccountBooks> {
    const books = new AccountBooks(accountId, file, ports);
    try {
      await books.catchUp(() => undefined);
    } catch (error) {
      if (!books.#isDamaged) throw error;
      await books.catchUp(() => undefined);
    }
    return books;
  }

  get head(): Checkpoint {
    return this.#head;
  }

  get state(): AccountState {
    return this.#posting().state;
  }

  begin(): void {
    this.#wasUsed = true;
    this.#write().begin();
  }

  apply(fact: AccountFact): void {
    this.#posting().apply(fact);
    this.#head = checkpointAt(fact);
    this.#applied.push(fact);
  }

  commit(): void {
    const write = this.#write();
    const posting = this.#posting();
    posting.finish();
    writeCheckpoint(write, this.stream, this.#head);
    write.commit();
    posting.keep();
    this.#committed = this.#head;
    this.#mayTidy = true;
    this.reader.learn(this.#applied);
    this.#applied = [];
  }

  rollback(): void {
    this.#head = this.#committed;
    this.#applied = [];
    this.#writer?.drop();
    this.#writing?.rollback();
  }

  async catchUp(told: (facts: readonly AccountFact[]) => void): Promise<void> {
    const known = this.#committed;
    if (this.#isDamaged) this.closeConnections();
    if (this.#writing === undefined) await this.#openFile();
    try {
      if (known.revision >= 0) await this.#tellBetween(known, told);
      for (;;) {
        const facts = await this.#factsAfter(this.#committed);
        if (facts.length === 0) return;
        this.begin();
        for (const fact of facts) this.apply(fact);
        this.commit();
        told(facts);
        if (facts.length === PAGE_EVENTS) await nextRound();
      }
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  tidy(): boolean {
    const write = this.#write();
    // Most turns leave nothing to do: to look costs a hundredth of a transaction.
    this.#mayTidy &&= hasOrphans(write);
    if (!this.#mayTidy) return false;
    write.transaction(() => {
      this.#mayTidy = sweepOrphans(write, SWEEP_CONTENTS);
    });
    return this.#mayTidy;
  }

  /** Changes rows that do not count, in one transaction; only between turns. */
  maintain<Answer>(upkeep: (write: Sql) => Answer): Answer {
    this.#wasUsed = true;
    const write = this.#write();
    write.begin();
    try {
      const answer = upkeep(write);
      write.commit();
      return answer;
    } catch (error) {
      write.rollback();
      throw error;
    }
  }

  /** True once after anybody asked or wrote. */
  takeUsed(): boolean {
    const used = this.#wasUsed;
    this.#wasUsed = false;
    return used;
  }

  /** Frees what open files and kept UIDs cost; only between turns. */
  closeConnections(): void {
    this.reader.forget();
    this.#writer = undefined;
    this.#reading?.close();
    this.#reading = undefined;
    this.#writing?.close();
    this.#writing = undefined;
  }

  /** True when the file is damaged; `catchUp` makes it anew. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  get isOpen(): boolean {
    return this.#writing !== undefined || this.#reading !== undefined;
  }

  /** Posts everything again, from the first fact on; only between turns. How many facts. */
  async rebuild(): Promise<number> {
    const built = await this.#build();
    this.closeConnections();
    await finishViewsFile(this.#file, built.db);
    this.#isDamaged = false;
    this.#committed = this.#head = built.checkpoint;
    this.reader.reset(built.checkpoint.revision);
    return built.checkpoint.revision + 1;
  }

  /** The tables that differ from what the log says; only between turns. */
  async differences(): Promise<readonly string[]> {
    const built = await this.#build();
    try {
      const right = digestsOf(built.db, ACCOUNT_MODELS);
      const ours = this.digests();
      return [...right].filter(([table, digest]) => ours.get(table) !== digest).map(([t]) => t);
    } finally {
      dropViewsFile(this.#file, built.db);
    }
  }

  /** A digest for every table, of what is committed. */
  digests(): ReadonlyMap<string, string> {
    return digestsOf(this.#readable(), ACCOUNT_MODELS);
  }

  async #openFile(): Promise<void> {
    const state = this.#isDamaged ? 'damaged' : await this.#tryFile();
    if (state === 'ready') return;
    if (state !== 'missing') {
      this.#ports.notes.warn({ account: this.accountId, state }, 'views made anew');
    }
    await this.rebuild();
  }

  /** Why the file cannot be used as it is. */
  async #tryFile(): Promise<OpenedFile['type'] | 'ahead'> {
    const opened = openViewsFile(this.#file, ACCOUNT_MODELS, { damaged: this.#damaged });
    if (opened.type !== 'ready') return opened.type;
    const checkpoint = checkpointOf(opened.db, this.stream);
    if (checkpoint.revision > (await this.#ports.log.head(this.stream))) {
      // An older copy of the log was put back: these rows tell of what never happened.
      opened.db.close();
      return 'ahead';
    }
    this.#writing = opened.db;
    this.#committed = this.#head = checkpoint;
    this.reader.reset(checkpoint.revision);
    return 'ready';
  }

  /** Facts that a rebuild has posted behind the last one that was told. */
  async #tellBetween(
    known: Checkpoint,
    told: (facts: readonly AccountFact[]) => void,
  ): Promise<void> {
    const end = this.#committed.revision;
    for (let at = known; at.revision < end;) {
      const page = await this.#factsAfter(at);
      const facts = page.filter((fact) => fact.revision <= end);
      const last = facts.at(-1);
      if (last === undefined) return;
      at = checkpointAt(last);
      told(facts);
    }
  }

  async #build(): Promise<{ readonly db: ViewsDatabase; readonly checkpoint: Checkpoint }> {
    const db = beginViewsFile(this.#file, ACCOUNT_MODELS);
    const writer = this.#writerOf(db, new MarkPages(() => db));
    const { clock } = this.#ports;
    let checkpoint = NOTHING_POSTED;
    let began = clock.now();
    const finish = (): void => {
      writer.finish();
      writeCheckpoint(db, this.stream, checkpoint);
      db.commit();
      writer.keep();
    };
    try {
      db.begin();
      for (;;) {
        const facts = await this.#factsAfter(checkpoint);
        if (facts.length === 0) break;
        for (const fact of facts) {
          writer.apply(fact);
          checkpoint = checkpointAt(fact);
          if (clock.now() - began < PORTION_MS) continue;
          finish();
          await nextRound();
          db.begin();
          began = clock.now();
        }
      }
      finish();
      return { db, checkpoint };
    } catch (error) {
      dropViewsFile(this.#file, db);
      throw error;
    }
  }

  async #factsAfter({ revision, base }: Checkpoint): Promise<readonly AccountFact[]> {
    const next: Revision = revision + 1;
    const recorded = await this.#ports.log.read(this.stream, next, PAGE_EVENTS);
    return accountFactsOf(recorded, base);
  }

  #write(): ViewsDatabase {
    return (this.#writing ??= new ViewsDatabase(this.#file, 'writer', this.#damaged));
  }

  /** What posts over the connection that writes. */
  #posting(): AccountWriter {
    return (this.#writer ??= this.#writerOf(this.#write(), this.reader.pages));
  }

  #writerOf(db: ViewsDatabase, pages: MarkPages): AccountWriter {
    return new AccountWriter(db, pages, this.#facts, this.#ports.removalsKept);
  }

  #readable(): ViewsDatabase {
    this.#wasUsed = true;
    return (this.#reading ??= new ViewsDatabase(this.#file, 'reader', this.#damaged));
  }
}

function checkpointAt(fact: AccountFact): Checkpoint {
  return { revision: fact.revision, base: baseOf(fact), lastAt: fact.at };
}
