/**
 * Lanes of accounts: commands in, one turn at a time per account, and the views that they keep.
 *
 * An account is opened when it is first asked for. Its books stay known; their files are closed
 * when nobody has asked for a while, and opened again by whoever asks next.
 */

import {
  decideAccount,
  type AccountCommand,
  type AccountState,
  type AnswerTo,
} from '#domain/account';
import type { AccountPolicy } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import type { AccountEvent, AccountFact } from '#domain/log/streams';
import type { Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId } from '#domain/values/ids';
import type { AccountReader } from '#projections/account-reader';
import type { AccountViews } from '#projections/account-views';
import type { Sql } from '#projections/query';
import type { Commands, Done, Views } from '#protocols/ports';
import { AccountBooks, type BooksPorts } from './account-books.ts';
import { Lane, type LanePorts } from './lane.ts';

/** How often accounts that nobody used since the last look are closed. */
const IDLE_LOOK_MS = 60_000;
/** Accounts with open files; above, those that nobody uses are closed at once. */
const OPEN_ACCOUNTS_MAX = 256;

export interface LanesPorts extends LanePorts, BooksPorts {
  /** Where the views of an account are. */
  readonly fileOf: (accountId: AccountId) => string;
  /** What the administrator has decided about an account so far. */
  readonly policyOf: (accountId: AccountId) => AccountPolicy;
  /** The facts of one turn, committed; called in the order of the log. */
  readonly announce: (accountId: AccountId, facts: readonly AccountFact[]) => void;
}

interface Account {
  readonly books: AccountBooks;
  readonly lane: Lane<AccountState, AccountEvent>;
}

export class Lanes implements Commands, Views {
  readonly #ports: LanesPorts;
  readonly #accounts = new Map<AccountId, Promise<Account>>();
  readonly #opened = new Set<Account>();
  /** Their numbers are not given again. */
  readonly #gone = new Set<AccountId>();
  #cancelLook: (() => void) | undefined;
  #closed = false;

  constructor(ports: LanesPorts) {
    this.#ports = ports;
  }

  async execute<C extends AccountCommand>(
    accountId: AccountId,
    command: C,
    cause: Cause,
  ): Promise<Done<AnswerTo<C>> | Refusal> {
    const { lane } = await this.#account(accountId);
    const { policyOf } = this.#ports;
    return lane.execute(cause, (state, at) =>
      decideAccount(command, state, { accountId, at, policy: policyOf(accountId) }),
    );
  }

  async account(accountId: AccountId): Promise<AccountViews> {
    return (await this.#account(accountId)).books.reader;
  }

  /** Asks what it likes of the committed rows of an account, and writes none. */
  async read<Answer>(accountId: AccountId, question: (sql: Sql) => Answer): Promise<Answer> {
    return (await this.#account(accountId)).books.reader.read(question);
  }

  /** Does what could wait until nobody asks for anything. */
  async tidy(accountId: AccountId): Promise<void> {
    const { lane } = await this.#account(accountId);
    await lane.tidy();
  }

  /** Changes rows of an account that do not count, between two turns. */
  async maintain<Answer>(accountId: AccountId, upkeep: (write: Sql) => Answer): Promise<Answer> {
    const { books, lane } = await this.#account(accountId);
    return lane.between(async () => books.maintain(upkeep));
  }

  /** Runs `task` while no turn of the account does: what it reads stays so; commands wait. */
  async between<T>(accountId: AccountId, task: (views: AccountReader) => Promise<T>): Promise<T> {
    const { books, lane } = await this.#account(accountId);
    return lane.between(() => task(books.reader));
  }

  /** Resolves when no turn of any account runs that began before. */
  async turnsEnded(): Promise<void> {
    await Promise.all([...this.#opened].map(({ lane }) => lane.between(async () => undefined)));
  }

  /** Ends the lane of an account that is no more; whoever asks for it later is refused. */
  async forget(accountId: AccountId): Promise<void> {
    this.#gone.add(accountId);
    const opening = this.#accounts.get(accountId);
    if (opening === undefined) return;
    const account = await opening;
    await account.lane.close();
    account.books.closeConnections();
    this.#opened.delete(account);
    this.#accounts.delete(accountId);
  }

  /** Posts the account again from the first fact on; commands wait. How many facts. */
  async rebuild(accountId: AccountId): Promise<number> {
    const { books, lane } = await this.#account(accountId);
    return lane.between(() => books.rebuild());
  }

  /** The tables of the account that differ from what the log says; commands wait. */
  async differences(accountId: AccountId): Promise<readonly string[]> {
    const { books, lane } = await this.#account(accountId);
    return lane.between(() => books.differences());
  }

  /** A digest for every table of the account. */
  async digests(accountId: AccountId): Promise<ReadonlyMap<string, string>> {
    return (await this.#account(accountId)).books.digests();
  }

  /** Commands that wait are carried out, new ones refused; then every file is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook?.();
    const accounts = await Promise.allSettled(this.#accounts.values());
    for (const account of accounts) {
      if (account.status === 'rejected') continue;
      await account.value.lane.close();
      account.value.books.closeConnections();
    }
  }

  async #account(accountId: AccountId): Promise<Account> {
    if (this.#closed) throw new Fault('Closing', 'The server is stopping.');
    if (this.#gone.has(accountId)) {
      throw new Fault('StreamDropped', 'The account was removed.', { temporary: false });
    }
    let opening = this.#accounts.get(accountId);
    if (opening === undefined) {
      opening = this.#open(accountId);
      this.#accounts.set(accountId, opening);
    }
    const account = await opening;
    if (account.books.isDamaged) await account.lane.catchUp();
    return account;
  }

  async #open(accountId: AccountId): Promise<Account> {
    try {
      const open = [...this.#opened].filter(({ books }) => books.isOpen);
      if (open.length >= OPEN_ACCOUNTS_MAX) this.#closeIdle();
      const books = await AccountBooks.open(accountId, this.#ports.fileOf(accountId), this.#ports);
      const { announce } = this.#ports;
      const lane = new Lane(books, this.#ports, (facts) => announce(accountId, facts));
      const account = { books, lane };
      this.#opened.add(account);
      this.#cancelLook ??= this.#ports.clock.after(IDLE_LOOK_MS, () => this.#look());
      return account;
    } catch (error) {
      this.#accounts.delete(accountId);
      throw error;
    }
  }

  #look(): void {
    this.#closeIdle();
    this.#cancelLook = this.#ports.clock.after(IDLE_LOOK_MS, () => this.#look());
  }

  #closeIdle(): void {
    for (const { books, lane } of this.#opened) {
      if (books.isOpen && lane.isIdle && !books.takeUsed()) books.closeConnections();
    }
  }
}
