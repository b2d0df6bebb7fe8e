/**
 * Full-text indexes of accounts, behind the lanes: made when nobody waits, asked by searches.
 *
 * The contents of an account enter its index in the order in which they came, told by the views;
 * those that no message has any more leave it. The index is as far as it is: what came since has
 * to be looked into by whoever searches, and all of it where there is no index. An index is as
 * disposable as the views, and trusted only when the log still holds the fact that it came to.
 *
 * Diagnostics: nothing here fails a search or a delivery. A Fault is noted, and the account tried
 * again later; when a thread dies, there are no indexes until the next start.
 */

import type { EventLog } from '#domain/log/event-log';
import { accountStream, type AccountEvent, type AccountFact } from '#domain/log/streams';
import { Fault } from '#domain/values/fault';
import type { AccountId, BodyHash, MessageId, Revision } from '#domain/values/ids';
import type { FoundTexts, TextCondition, TextsReached } from '#projections/texts';
import type { Clock, Log, Texts, Views } from '#protocols/ports';
import type { StartTextThread, TextThread, TextThreadRole } from './text-thread.ts';

export interface TextIndexPorts {
  readonly log: EventLog;
  readonly views: Views;
  readonly clock: Clock;
  readonly notes: Log;
  readonly fileOf: (accountId: AccountId) => string;
  readonly bodyFileOf: (accountId: AccountId, hash: BodyHash) => string;
  readonly startThread: StartTextThread;
}

/** What comes within this time is taken together. */
const GATHER_MS = 300;
/** For so long after news others have work to do: then each portion is followed by a break. */
const NEWS_MS = 1_000;
/** How many times as long as the portion. */
const BREAK_PORTIONS = 3;
/** How often at most contents that are gone are looked for, and what failed is tried again. */
const LATER_MS = 60_000;
/** Contents that are taken in together; then the next account has its turn. */
const PAGE_CONTENTS = 100;
const PAGES_IN_TURN = 10;
/** Ids that are compared in one go. */
const PAGE_LIVE = 5_000;
/** Facts that bring contents, and those that take them. */
const BRINGS: ReadonlySet<AccountEvent['type']> = new Set([
  'MessageDelivered',
  'MessagesAppended',
  'MessageReplaced',
]);
const TAKES: ReadonlySet<AccountEvent['type']> = new Set([
  'MessagesExpunged',
  'MessageReplaced',
  'MailboxDeleted',
  // What a stop has left undone is done at last.
  'BodiesSwept',
]);
/** Before the first content. */
const NO_CONTENT: MessageId = -1;

interface Account {
  readonly accountId: AccountId;
  readonly file: string;
  /** Whether the index is one of this log. */
  state: 'unknown' | 'good' | 'bad';
  /** Undefined when nothing is in it. */
  reached: TextsReached | undefined;
  /** Contents may have gone. */
  mayShrink: boolean;
}

export class TextIndex implements Texts {
  readonly #ports: TextIndexPorts;
  readonly #accounts = new Map<AccountId, Account>();
  readonly #due = new Set<Account>();
  readonly #later = new Set<Account>();
  readonly #threads = new Map<TextThreadRole, TextThread>();
  #cancelGather: (() => void) | undefined;
  #cancelLater: (() => void) | undefined;
  #endBreak: (() => void) | undefined;
  #newsAt = -Infinity;
  /** Work on indexes, one account after the other. */
  #working: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(ports: TextIndexPorts) {
    this.#ports = ports;
  }

  /** These facts of an account were committed. */
  follow(accountId: AccountId, facts: readonly AccountFact[]): void {
    this.#newsAt = this.#ports.clock.now();
    if (facts.some(({ event }) => BRINGS.has(event.type))) this.#wake(this.#account(accountId));
    if (!facts.some(({ event }) => TAKES.has(event.type))) return;
    this.#account(accountId).mayShrink = true;
    this.#wakeLater(this.#account(accountId));
  }

  async find(accountId: AccountId, condition: TextCondition): Promise<FoundTexts | undefined> {
    if (this.#isOver) return undefined;
    const account = this.#account(accountId);
    const finder = this.#thread('finder');
    try {
      if (account.state === 'unknown') {
        await this.#judge(account, finder);
        // What was left undone at the last stop is taken up again.
        this.#wake(account);
      }
      if (account.state !== 'good') return undefined;
      return await finder.ask(account.file, { type: 'find', condition });
    } catch (error) {
      this.#note(account, error);
      return undefined;
    }
  }

  /** Makes the index of an account anew, to its end. How many contents went in. */
  async rebuild(accountId: AccountId): Promise<number> {
    const account = this.#account(accountId);
    return this.#inTurn(async () => {
      await this.#begin(account);
      return this.#extend(account, Infinity);
    });
  }

  /** Lets go of the files of an account that is no more. */
  async forget(accountId: AccountId): Promise<void> {
    const account = this.#account(accountId);
    await this.#inTurn(async () => {
      this.#due.delete(account);
      this.#later.delete(account);
      account.state = 'bad';
      for (const thread of this.#threads.values())
        await thread.ask(account.file, { type: 'close' });
      this.#accounts.delete(accountId);
    });
  }

  /** What is wrong with the index of an account; nothing when there is none. */
  async problems(accountId: AccountId): Promise<readonly string[]> {
    const account = this.#account(accountId);
    return this.#inTurn(async () => {
      const maker = this.#thread('maker');
      await this.#judge(account, maker);
      if (account.reached === undefined) return [];
      if (account.state !== 'good') return ['the index was made from another log'];
      try {
        await maker.ask(account.file, { type: 'check' });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return [error.message];
      }
      return this.#missing(account, account.reached);
    });
  }

  /** Gives up what is under way; the next start takes it up. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#cancelGather?.();
    this.#cancelLater?.();
    this.#endBreak?.();
    await Promise.all(Array.from(this.#threads.values(), (thread) => thread.close()));
    await this.#working;
  }

  #account(accountId: AccountId): Account {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) return known;
    const file = this.#ports.fileOf(accountId);
    const account: Account = {
      accountId,
      file,
      state: 'unknown',
      reached: undefined,
      mayShrink: true,
    };
    this.#accounts.set(accountId, account);
    return account;
  }

  /** Started when it is first needed. */
  #thread(role: TextThreadRole): TextThread {
    const known = this.#threads.get(role);
    if (known !== undefined) return known;
    const thread = this.#ports.startThread(role, {
      damaged: (file) => this.#damaged(file),
      died: (error) => {
        this.#isOver = true;
        this.#ports.notes.error({ err: error }, 'text index off until the next start');
      },
    });
    this.#threads.set(role, thread);
    return thread;
  }

  #damaged(file: string): void {
    for (const account of this.#accounts.values()) {
      if (account.file !== file) continue;
      account.state = 'bad';
      this.#wake(account);
    }
  }

  #wake(account: Account): void {
    if (this.#isOver) return;
    this.#due.add(account);
    this.#cancelGather ??= this.#ports.clock.after(GATHER_MS, () => {
      this.#cancelGather = undefined;
      void this.#inTurn(() => this.#workOnDue());
    });
  }

  #wakeLater(account: Account): void {
    if (this.#isOver) return;
    this.#later.add(account);
    this.#cancelLater ??= this.#ports.clock.after(LATER_MS, () => {
      this.#cancelLater = undefined;
      for (const one of this.#later) this.#wake(one);
      this.#later.clear();
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#working.then(work);
    this.#working = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #workOnDue(): Promise<void> {
    for (const account of this.#due) {
      this.#due.delete(account);
      if (this.#isOver) return;
      try {
        if (account.state === 'unknown') await this.#judge(account, this.#thread('maker'));
        if (account.state !== 'good') await this.#begin(account);
        const count = await this.#extend(account, PAGES_IN_TURN);
        if (count >= PAGES_IN_TURN * PAGE_CONTENTS) this.#due.add(account);
        if (account.mayShrink) await this.#shrink(account);
      } catch (error) {
        this.#note(account, error);
      }
    }
  }

  /** Whether the index can be trusted. */
  async #judge(account: Account, thread: TextThread): Promise<void> {
    const reached = await thread.ask(account.file, { type: 'reached' });
    const eventId = reached && (await this.#eventIdAt(account, reached.revision));
    // Meanwhile somebody else may have come to know.
    if (account.state !== 'unknown') return;
    account.reached = reached;
    account.state = reached !== undefined && reached.eventId === eventId ? 'good' : 'bad';
  }

  async #eventIdAt({ accountId }: Account, revision: Revision): Promise<string | undefined> {
    const events = await this.#ports.log.read(accountStream(accountId), revision, 1);
    return events[0]?.id;
  }

  async #begin(account: Account): Promise<void> {
    // Nobody asks for it until it is there, so that the file of that name is let go.
    account.state = 'bad';
    account.reached = undefined;
    await this.#threads.get('finder')?.ask(account.file, { type: 'close' });
    await this.#thread('maker').ask(account.file, { type: 'begin' });
    account.state = 'good';
    account.mayShrink = false;
  }

  /** Takes in what came since. How many contents. */
  async #extend(account: Account, pagesMax: number): Promise<number> {
    const { accountId, file } = account;
    const views = await this.#ports.views.account(accountId);
    let count = 0;
    for (let page = 0; page < pagesMax; page++) {
      const { revision } = views;
      const sources = views.textSources(account.reached?.contentId ?? NO_CONTENT, PAGE_CONTENTS);
      const contentId = sources.at(-1)?.contentId;
      const eventId = await this.#eventIdAt(account, revision);
      if (contentId === undefined || eventId === undefined) break;
      const reached = { contentId, revision, eventId };
      const placed = sources.map((source) => ({
        ...source,
        bodyFile: this.#ports.bodyFileOf(accountId, source.body),
      }));
      const began = this.#ports.clock.now();
      await this.#thread('maker').ask(file, { type: 'add', sources: placed, reached });
      account.reached = reached;
      count += sources.length;
      await this.#giveWay(this.#ports.clock.now() - began);
    }
    return count;
  }

  /** Processors and disks are shared: mail goes first. */
  async #giveWay(workedMs: number): Promise<void> {
    const { clock } = this.#ports;
    const isQuiet = clock.now() - this.#newsAt > NEWS_MS;
    if (this.#isOver || isQuiet || workedMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(BREAK_PORTIONS * workedMs, resolve);
      this.#endBreak = () => {
        cancel();
        resolve();
      };
    });
    this.#endBreak = undefined;
  }

  /** Lets go of contents that no message has any more. */
  async #shrink(account: Account): Promise<void> {
    account.mayShrink = false;
    const views = await this.#ports.views.account(account.accountId);
    const end = account.reached?.contentId ?? NO_CONTENT;
    for (let after = NO_CONTENT; after < end;) {
      const live = views.liveContents(after, PAGE_LIVE);
      const upTo = live.length < PAGE_LIVE ? end : (live.at(-1) ?? end);
      await this.#thread('maker').ask(account.file, { type: 'keep', after, upTo, live });
      after = upTo;
    }
  }

  /** Compares what is in the index with what the views say should be. */
  async #missing(
    { accountId, file }: Account,
    { contentId: end }: TextsReached,
  ): Promise<string[]> {
    const there = new Map<MessageId, BodyHash>();
    for (let after = NO_CONTENT; ;) {
      const limit = PAGE_LIVE;
      const page = await this.#thread('maker').ask(file, { type: 'sources', after, limit });
      for (const { contentId, body } of page) there.set(contentId, body);
      after = page.at(-1)?.contentId ?? end;
      if (after >= end) break;
    }
    const views = await this.#ports.views.account(accountId);
    const problems: string[] = [];
    for (let after = NO_CONTENT; after < end;) {
      const wanted = views
        .textSources(after, PAGE_LIVE)
        .filter(({ contentId }) => contentId <= end);
      const last = wanted.at(-1)?.contentId ?? end;
      // Contents that no message has any more may be in either place, or in both.
      const live = new Set(views.liveContents(after, wanted.length));
      for (const { contentId, body } of wanted) {
        if (!live.has(contentId) || there.get(contentId) === body) continue;
        problems.push(`content ${contentId} is ${there.has(contentId) ? 'another' : 'missing'}`);
      }
      after = last;
    }
    return problems;
  }

  /** The world failed: searches go on without the index. */
  #note(account: Account, error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    if (this.#isOver) return;
    const { accountId } = account;
    this.#ports.notes.warn({ account: accountId, err: error }, 'text index put off');
    this.#wakeLater(account);
  }
}
