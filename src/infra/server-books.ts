/**
 * The books of the server: what is kept about all accounts together. They follow the lanes.
 *
 * A turn is posted right after it was committed for its account. Facts that change nothing here
 * move the checkpoint in memory only; it is written now and then, and a crash costs reading those
 * facts again at the next start, when every stream is compared with its head.
 */

import { Subject, type Observable } from 'rxjs';
import type { Credentials } from '#domain/credential/state';
import type { EventLog } from '#domain/log/event-log';
import { accountFactOf } from '#domain/log/fact';
import { accountOfStream, accountStream, type AccountFact } from '#domain/log/streams';
import type { AccountId, Instant } from '#domain/values/ids';
import { SERVER_MODELS } from '#projections/catalog';
import {
  checkpoints,
  NOTHING_POSTED,
  writeCheckpoint,
  type Checkpoint,
} from '#projections/checkpoints';
import type { ServerFact } from '#projections/model';
import { accountCredentials, touchesCredentials } from '#projections/server-credentials';
import { accountsInAttempt, dueItems, nextDueAt, touchesQueue } from '#projections/server-queue';
import {
  accountTlsKey,
  accountTlsKeys,
  touchesTlsKeys,
  type AccountTlsKey,
} from '#projections/server-tls-keys';
import type { DueItem, Log, Queue } from '#protocols/ports';
import {
  beginViewsFile,
  digestsOf,
  finishViewsFile,
  isDamage,
  openViewsFile,
  ViewsDatabase,
} from './read-models.ts';

const PAGE_EVENTS = 1000;
/** Facts that may be read again after a crash. */
const UNWRITTEN_FACTS_MAX = 1000;

/** Which facts change anything here. */
const TOUCHES = [touchesQueue, touchesCredentials, touchesTlsKeys];

export interface ServerBooksPorts {
  readonly log: EventLog;
  readonly notes: Log;
}

export class ServerBooks implements Queue {
  readonly #file: string;
  readonly #log: EventLog;
  #db: ViewsDatabase;
  #posted: Map<string, Checkpoint>;
  readonly #unwritten = new Set<string>();
  readonly #queueChanges = new Subject<void>();
  readonly changes: Observable<void> = this.#queueChanges.asObservable();
  #unwrittenFacts = 0;

  private constructor(file: string, db: ViewsDatabase, log: EventLog) {
    this.#file = file;
    this.#db = db;
    this.#log = log;
    this.#posted = new Map(checkpoints(db));
  }

  /** The books at the head of the log, made anew where that is needed. */
  static async open(file: string, ports: ServerBooksPorts): Promise<ServerBooks> {
    const heads = await ports.log.streams();
    const opened = openViewsFile(file, SERVER_MODELS, { checkedBytesMax: Infinity });
    let state: string = opened.type;
    if (opened.type === 'ready') {
      const books = new ServerBooks(file, opened.db, ports.log);
      state = await books.#stateAt(heads);
      if (state === 'ready') return books;
      opened.db.close();
    }
    if (state !== 'missing') ports.notes.warn({ state }, 'views of the server made anew');
    await ServerBooks.#build(file, ports.log, heads);
    return new ServerBooks(file, new ViewsDatabase(file, 'writer'), ports.log);
  }

  static async #build(
    file: string,
    log: EventLog,
    heads: ReadonlyMap<string, number>,
  ): Promise<void> {
    const built = new ServerBooks(file, beginViewsFile(file, SERVER_MODELS), log);
    await built.#catchUp(heads);
    await finishViewsFile(file, built.#db);
  }

  /** Posts everything again from the first fact on; only while no lane runs. How many facts. */
  async rebuild(): Promise<number> {
    this.#db.close();
    await ServerBooks.#build(this.#file, this.#log, await this.#log.streams());
    this.#db = new ViewsDatabase(this.#file, 'writer');
    this.#posted = new Map(checkpoints(this.#db));
    return [...this.#posted.values()].reduce((sum, { revision }) => sum + revision + 1, 0);
  }

  /** Catches up; says why that cannot be. */
  async #stateAt(heads: ReadonlyMap<string, number>): Promise<'ready' | 'ahead' | 'damaged'> {
    try {
      // An older copy of the log was put back: these rows tell of what never happened.
      for (const [stream, { revision }] of this.#posted) {
        if (revision > (heads.get(stream) ?? -1)) return 'ahead';
      }
      await this.#catchUp(heads);
      return 'ready';
    } catch (error) {
      if (isDamage(error)) return 'damaged';
      throw error;
    }
  }

  due(now: Instant, limit: number): readonly DueItem[] {
    return dueItems(this.#db, now, limit);
  }

  nextDueAt(): Instant | undefined {
    return nextDueAt(this.#db);
  }

  accountsInAttempt(): readonly AccountId[] {
    return accountsInAttempt(this.#db);
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

  /** These facts of an account were committed; facts that are known already change nothing. */
  follow(accountId: AccountId, facts: readonly AccountFact[]): void {
    const stream = accountStream(accountId);
    const { revision, base } = this.#posted.get(stream) ?? NOTHING_POSTED;
    const news = facts.filter((fact) => fact.revision > revision);
    const last = news.at(-1);
    if (last === undefined) return;
    if (news[0]?.revision !== revision + 1) {
      throw new Error(`the server's books miss facts of ${stream} behind ${revision}`);
    }
    const touching = news
      .map((fact): ServerFact => ({ accountId, fact }))
      .filter((fact) => TOUCHES.some((touches) => touches(fact)));
    this.#posted.set(stream, { revision: last.revision, base, lastAt: last.at });
    this.#unwritten.add(stream);
    this.#unwrittenFacts += news.length;
    if (touching.length > 0 || this.#unwrittenFacts > UNWRITTEN_FACTS_MAX) this.#write(touching);
    if (touching.some(touchesQueue)) this.#queueChanges.next();
  }

  /** A digest for every table. */
  digests(): ReadonlyMap<string, string> {
    return digestsOf(this.#db, SERVER_MODELS);
  }

  close(): void {
    this.#queueChanges.complete();
    this.#write([]);
    this.#db.close();
  }

  #write(facts: readonly ServerFact[]): void {
    this.#db.transaction(() => {
      for (const fact of facts) {
        for (const model of SERVER_MODELS) model.apply(fact, this.#db, () => undefined);
      }
      for (const stream of this.#unwritten) {
        writeCheckpoint(this.#db, stream, this.#posted.get(stream) ?? NOTHING_POSTED);
      }
    });
    this.#unwritten.clear();
    this.#unwrittenFacts = 0;
  }

  async #catchUp(heads: ReadonlyMap<string, number>): Promise<void> {
    for (const [stream, head] of heads) {
      const accountId = accountOfStream(stream);
      if (accountId === undefined) continue;
      for (;;) {
        const { revision, base } = this.#posted.get(stream) ?? NOTHING_POSTED;
        if (revision >= head) break;
        const recorded = await this.#log.read(stream, revision + 1, PAGE_EVENTS);
        this.follow(
          accountId,
          recorded.map((event) => accountFactOf(event, base)),
        );
      }
    }
    this.#write([]);
  }
}
