/**
 * The books of the server: what is kept about all accounts together. They follow the lanes.
 *
 * A turn is posted right after it was committed for its account, and can be read at once, for
 * nobody else has the file open. It is committed here a little later, together with the turns that
 * come meanwhile; facts that change nothing here move the checkpoint in memory only. A crash costs
 * reading those facts again at the next start, when every stream is compared with its head.
 *
 * Diagnostics: what cannot be written for want of room is kept, shown late, and written later. On a
 * full disk even a question can end the transaction: what was in it is posted again.
 */

import { Subject, type Observable } from 'rxjs';
import type { GatheredAttempt } from '#domain/audit/decide';
import type { Credentials } from '#domain/credential/state';
import type { RecordedEvent } from '#domain/log/event';
import type { EventLog } from '#domain/log/event-log';
import {
  accountFactsOf,
  auditFactOf,
  baseOf,
  reportFactOf,
  type AuditFact,
  type Fact,
  type ReportFact,
} from '#domain/log/fact';
import {
  accountOfStream,
  accountStream,
  isAuditStream,
  isReportStream,
  type AccountFact,
} from '#domain/log/streams';
import type { GatheredTlsResult } from '#domain/report/decide';
import { Fault } from '#domain/values/fault';
import type { AccountId, Instant } from '#domain/values/ids';
import { AUDIT_MODELS, REPORT_MODELS, SERVER_MODELS } from '#projections/catalog';
import {
  checkpoints,
  NOTHING_POSTED,
  writeCheckpoint,
  type Checkpoint,
} from '#projections/checkpoints';
import { accountsInAttempt, dueDestinations, dueItems, nextDueAfter } from '#projections/due-items';
import { forgetAccount } from '#projections/forgotten-account';
import { ATTEMPTS_KEPT_MS, attemptsSince, type AttemptFilter } from '#projections/login-attempts';
import {
  TLS_RESULTS_KEPT_MS,
  tlsResultsSince,
  type TlsResultFilter,
} from '#projections/outgoing-reports';
import type { Sql } from '#projections/query';
import { accountsToForget } from '#projections/retired';
import { accountCredentials } from '#projections/server-credentials';
import { accountTlsKey, accountTlsKeys, type AccountTlsKey } from '#projections/server-tls-keys';
import type { Clock, DueItem, Log, Queue } from '#protocols/ports';
import {
  beginViewsFile,
  digestsOf,
  finishViewsFile,
  isDamage,
  openViewsFile,
  ViewsDatabase,
} from './read-models.ts';
import { ServerFacts } from './server-facts.ts';

const PAGE_EVENTS = 1000;
/** How long a turn may wait for others to be committed with it. */
const COMMIT_MS = 50;
/** Facts that may be read again after a crash. */
const UNWRITTEN_FACTS_MAX = 1000;
/** Facts that may wait for room on the disk. */
const WAITING_FACTS_MAX = 100_000;
const RETRY_MS = 5_000;

const MODELS = [...SERVER_MODELS, ...AUDIT_MODELS, ...REPORT_MODELS];

export interface ServerBooksPorts {
  readonly log: EventLog;
  readonly notes: Log;
  readonly clock: Clock;
}

export class ServerBooks implements Queue {
  readonly #file: string;
  readonly #ports: ServerBooksPorts;
  #db: ViewsDatabase;
  #posted: Map<string, Checkpoint>;
  readonly #unwritten = new Set<string>();
  /** Facts that change something here and are not posted yet. */
  #waiting = new ServerFacts();
  /** Those that the transaction has that is open; undefined when none is. */
  #uncommitted: ServerFacts | undefined;
  #cancelCommit: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  readonly #queueChanges = new Subject<void>();
  readonly changes: Observable<void> = this.#queueChanges.asObservable();
  readonly #webhookChanges = new Subject<void>();
  /** Webhooks came, or are due at another time than before. */
  readonly webhookChanges: Observable<void> = this.#webhookChanges.asObservable();
  #unwrittenFacts = 0;

  private constructor(file: string, db: ViewsDatabase, ports: ServerBooksPorts) {
    this.#file = file;
    this.#db = db;
    db.keepUncommitted();
    this.#ports = ports;
    this.#posted = new Map(checkpoints(db));
  }

  /** The books at the head of the log, made anew where that is needed. */
  static async open(file: string, ports: ServerBooksPorts): Promise<ServerBooks> {
    const heads = await ports.log.streams();
    const opened = openViewsFile(file, MODELS, { checkedBytesMax: Infinity });
    let state: string = opened.type;
    if (opened.type === 'ready') {
      const books = new ServerBooks(file, opened.db, ports);
      state = await books.#stateAt(heads);
      if (state === 'ready') return books;
      opened.db.close();
    }
    if (state !== 'missing') ports.notes.warn({ state }, 'views of the server made anew');
    await ServerBooks.#build(file, ports, heads);
    return new ServerBooks(file, new ViewsDatabase(file, 'writer'), ports);
  }

  static async #build(
    file: string,
    ports: ServerBooksPorts,
    heads: ReadonlyMap<string, number>,
  ): Promise<void> {
    const built = new ServerBooks(file, beginViewsFile(file, MODELS), ports);
    await built.#catchUp(heads);
    await finishViewsFile(file, built.#db);
  }

  /** Posts everything again from the first fact on; only while no lane runs. How many facts. */
  async rebuild(): Promise<number> {
    this.#ended();
    this.#db.close();
    await ServerBooks.#build(this.#file, this.#ports, await this.#ports.log.streams());
    // The log has given what waited here, too.
    this.#waiting = new ServerFacts();
    this.#db = new ViewsDatabase(this.#file, 'writer');
    this.#db.keepUncommitted();
    this.#posted = new Map(checkpoints(this.#db));
    return [...this.#posted.values()].reduce((sum, { revision }) => sum + revision + 1, 0);
  }

  /** Catches up; says why that cannot be. */
  async #stateAt(heads: ReadonlyMap<string, number>): Promise<'ready' | 'ahead' | 'damaged'> {
    try {
      // An older copy of the log was put back: these rows tell of what never happened.
      for (const [stream, { revision }] of this.#posted) {
        // A dropped stream is not listed, and still knows how far it came.
        const head = heads.get(stream) ?? (await this.#ports.log.head(stream));
        if (revision > head) return 'ahead';
      }
      await this.#catchUp(heads);
      return 'ready';
    } catch (error) {
      if (isDamage(error)) return 'damaged';
      throw error;
    }
  }

  dueDestinations(now: Instant, limit: number): readonly string[] {
    return dueDestinations(this.#db, now, limit);
  }

  due(destination: string, now: Instant, limit: number): readonly DueItem[] {
    return dueItems(this.#db, destination, now, limit);
  }

  nextDueAfter(now: Instant): Instant | undefined {
    return nextDueAfter(this.#db, now);
  }

  accountsInAttempt(): readonly AccountId[] {
    return accountsInAttempt(this.#db);
  }

  accountsToForget(now: Instant): readonly AccountId[] {
    return accountsToForget(this.#db, now);
  }

  /** Asks what it likes of the rows, and writes none. */
  read<Answer>(question: (sql: Sql) => Answer): Answer {
    return question(this.#db);
  }

  credentials(accountId: AccountId): Credentials {
    return accountCredentials(this.#db, accountId);
  }

  tlsKey(accountId: AccountId, fingerprint: string): AccountTlsKey | undefined {
    return accountTlsKey(this.#db, accountId, fingerprint);
  }

  tlsKeys(): readonly AccountTlsKey[] {
    return accountTlsKeys(this.#db);
  }

  loginAttempts(filter: AttemptFilter): readonly GatheredAttempt[] {
    return attemptsSince(this.#db, this.#ports.clock.now() - ATTEMPTS_KEPT_MS, filter);
  }

  tlsResults(filter: TlsResultFilter): readonly GatheredTlsResult[] {
    return tlsResultsSince(this.#db, this.#ports.clock.now() - TLS_RESULTS_KEPT_MS, filter);
  }

  /** These facts of an account were committed; facts that are known already change nothing. */
  follow(accountId: AccountId, facts: readonly AccountFact[]): void {
    this.#take(accountId, facts);
    if (this.#hasToPost) this.#postOrWait();
  }

  /** These facts of a month were recorded; those that are known already change nothing. */
  followAudit(stream: string, facts: readonly AuditFact[]): void {
    this.#takeAudits(stream, facts);
    if (this.#hasToPost) this.#postOrWait();
  }

  /** The same for those of a month of reports. */
  followReports(stream: string, facts: readonly ReportFact[]): void {
    this.#takeReports(stream, facts);
    if (this.#hasToPost) this.#postOrWait();
  }

  /** Nothing is kept about the account any more, which has no lane. */
  forget(accountId: AccountId): void {
    this.#post();
    this.#commit();
    const stream = accountStream(accountId);
    this.#unwritten.delete(stream);
    this.#posted.delete(stream);
    this.#db.transaction(() => forgetAccount(this.#db, accountId));
  }

  /** A digest for every table. */
  digests(): ReadonlyMap<string, string> {
    return digestsOf(this.#db, MODELS);
  }

  close(): void {
    this.#cancelRetry?.();
    this.#queueChanges.complete();
    this.#webhookChanges.complete();
    try {
      this.#post();
      this.#commit();
    } catch (error) {
      // The next start reads them again.
      if (!(error instanceof Fault)) throw error;
      this.#ports.notes.warn({ err: error }, 'views of the server not written');
    }
    this.#db.close();
  }

  #take(accountId: AccountId, facts: readonly AccountFact[]): void {
    for (const fact of this.#newsOf(accountStream(accountId), facts)) {
      this.#waiting.add({ accountId, fact });
    }
  }

  #takeAudits(stream: string, facts: readonly AuditFact[]): void {
    this.#waiting.audits.push(...this.#newsOf(stream, facts));
  }

  #takeReports(stream: string, facts: readonly ReportFact[]): void {
    this.#waiting.reports.push(...this.#newsOf(stream, facts));
  }

  /** The facts that are not known yet; from now on they are. */
  #newsOf<Of extends Fact<unknown>>(stream: string, facts: readonly Of[]): readonly Of[] {
    const { revision } = this.#posted.get(stream) ?? NOTHING_POSTED;
    const news = facts.filter((fact) => fact.revision > revision);
    const last = news.at(-1);
    if (last === undefined) return [];
    if (news[0]?.revision !== revision + 1) {
      throw new Error(`the server's books miss facts of ${stream} behind ${revision}`);
    }
    this.#posted.set(stream, { revision: last.revision, base: baseOf(last), lastAt: last.at });
    this.#unwritten.add(stream);
    this.#unwrittenFacts += news.length;
    return news;
  }

  get #hasToPost(): boolean {
    return this.#waiting.count > 0 || this.#unwrittenFacts > UNWRITTEN_FACTS_MAX;
  }

  #postOrWait(isLate = false): void {
    try {
      this.#post();
      if (isLate || this.#unwrittenFacts > UNWRITTEN_FACTS_MAX) this.#commit();
    } catch (error) {
      const isHopeless = isDamage(error) || this.#waiting.count > WAITING_FACTS_MAX;
      if (!(error instanceof Fault) || isHopeless) throw error;
      if (this.#cancelRetry !== undefined) return;
      this.#ports.notes.warn({ err: error }, 'views of the server wait');
      this.#cancelRetry = this.#ports.clock.after(RETRY_MS, () => {
        this.#cancelRetry = undefined;
        this.#postOrWait(true);
      });
    }
  }

  /** Posts what waits, to be committed soon. */
  #post(): void {
    if (this.#uncommitted !== undefined && !this.#db.inTransaction) {
      this.#takeBack(this.#uncommitted);
    }
    const posted = this.#waiting;
    if (this.#uncommitted === undefined) {
      this.#db.begin();
      this.#uncommitted = new ServerFacts();
    }
    this.#uncommitted.push(posted);
    this.#waiting = new ServerFacts();
    try {
      posted.post(this.#db);
    } catch (error) {
      this.#takeBack(this.#uncommitted);
      throw error;
    }
    this.#cancelCommit ??= this.#ports.clock.after(COMMIT_MS, () => this.#postOrWait(true));
    if (posted.changeQueue) this.#queueChanges.next();
    if (posted.changeWebhooks) this.#webhookChanges.next();
  }

  /** To be called right after `#post`. */
  #commit(): void {
    if (this.#uncommitted === undefined) return;
    try {
      for (const stream of this.#unwritten) {
        writeCheckpoint(this.#db, stream, this.#posted.get(stream) ?? NOTHING_POSTED);
      }
      this.#db.commit();
    } catch (error) {
      this.#takeBack(this.#uncommitted);
      throw error;
    }
    this.#ended();
    this.#unwritten.clear();
    this.#unwrittenFacts = 0;
  }

  /** What was not committed waits again, before what has come since. */
  #takeBack(uncommitted: ServerFacts): void {
    this.#ended();
    uncommitted.push(this.#waiting);
    this.#waiting = uncommitted;
    this.#db.rollback();
  }

  #ended(): void {
    this.#uncommitted = undefined;
    this.#cancelCommit?.();
    this.#cancelCommit = undefined;
  }

  async #catchUp(heads: ReadonlyMap<string, number>): Promise<void> {
    // Months in their order: what is kept of an older one depends on the next.
    const streams = [...heads].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [stream, head] of streams) {
      const take = this.#takerOf(stream);
      if (take === undefined) continue;
      for (;;) {
        const { revision } = this.#posted.get(stream) ?? NOTHING_POSTED;
        if (revision >= head) break;
        take(await this.#ports.log.read(stream, revision + 1, PAGE_EVENTS));
        if (this.#hasToPost) this.#post();
        this.#commit();
      }
    }
    this.#post();
    this.#commit();
  }

  /** What takes the events of a stream; undefined when nothing of it stands here. */
  #takerOf(stream: string): ((recorded: readonly RecordedEvent[]) => void) | undefined {
    const accountId = accountOfStream(stream);
    if (accountId !== undefined) {
      return (recorded) => {
        const { base } = this.#posted.get(stream) ?? NOTHING_POSTED;
        this.#take(accountId, accountFactsOf(recorded, base));
      };
    }
    if (isAuditStream(stream)) {
      return (recorded) => this.#takeAudits(stream, recorded.map(auditFactOf));
    }
    if (isReportStream(stream)) {
      return (recorded) => this.#takeReports(stream, recorded.map(reportFactOf));
    }
    return undefined;
  }
}
