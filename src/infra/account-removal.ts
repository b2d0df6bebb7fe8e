/**
 * The removal of accounts, from the first refused login to the last octet: what is done, in which
 * order and why, stands in docs/adr/0029-removing-accounts.md.
 *
 * Invariants: each step may be done again, and what was cut short is taken up at the next start;
 * nothing of an account is erased while mail that left its queue is to be remembered.
 * Diagnostics: what fails stops the removal of this account; whoever asks again goes on with it.
 */

import type { AccountCommand } from '#domain/account';
import type { Cause } from '#domain/log/event';
import type { DeliverMessage } from '#domain/message/decide';
import type { QueueItem } from '#domain/queue/state';
import { isRefusal, type Refusal } from '#domain/values/decision';
import { Fault } from '#domain/values/fault';
import type { AccountId, QueueId } from '#domain/values/ids';
import { queuedById } from '#projections/queue-lists';
import { remembersMail } from '#projections/retired';
import { suppressionsOfAll } from '#projections/server-suppressions';
import { accountsInWebhookAttempt } from '#projections/due-webhooks';
import { remembersWebhooks, webhookIds } from '#projections/webhook-lists';
import type { Clock, Log } from '#protocols/ports';
import type { RemovedAccount } from '#protocols/ports-directory';
import { eraseAccountData, type ErasurePorts } from './account-erasure.ts';
import type { BodySweep } from './body-sweep.ts';
import type { DirectoryLane } from './directory-lane.ts';
import type { Lanes } from './lanes.ts';
import type { Live } from './live.ts';
import type { ServerBooks } from './server-books.ts';

/** How long whoever asks for a removal waits to hear that it is done. */
const PATIENCE_MS = 30_000;
/** Commands that are given at the same time: they share a turn of the lane. */
const PORTION = 50;
/** How often the queue is looked at while attempts run. */
const LOOK_MS = 1000;
/** How often it is looked for accounts whose history is over. */
const ERASE_EVERY_MS = 3_600_000;
const CAUSE: Cause = { actor: 'system:removal' };

export interface RemovalPorts extends ErasurePorts {
  readonly lanes: Pick<Lanes, 'forget' | 'execute' | 'account' | 'turnsEnded'>;
  readonly books: Pick<ServerBooks, 'forget' | 'read' | 'changes'>;
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly live: Pick<Live, 'end'>;
  readonly sweep: Pick<BodySweep, 'paused'>;
  /** What the sender is told when an item is ended. */
  readonly noticeOf: (
    accountId: AccountId,
    item: QueueItem,
  ) => Promise<{ readonly notice?: DeliverMessage }>;
  readonly clock: Clock;
  readonly log: Log;
}

export class AccountRemoval {
  readonly #ports: RemovalPorts;
  /** Removals under way; a second request waits for the first. */
  readonly #running = new Map<AccountId, Promise<RemovedAccount>>();
  readonly #stopping = new AbortController();
  #cancelErasing: () => void = () => undefined;
  #erasing: Promise<void> = Promise.resolve();

  constructor(ports: RemovalPorts) {
    this.#ports = ports;
  }

  /** Takes up what an earlier run left, without anybody waiting for it. */
  resume(): void {
    const { closed } = this.#ports.directory.state;
    for (const accountId of closed) void this.#end(accountId, CAUSE).catch(() => undefined);
    this.#eraseLater(0);
  }

  async remove(accountId: AccountId, cause: Cause): Promise<RemovedAccount | Refusal> {
    const { directory } = this.#ports;
    const closed = await directory.execute({ type: 'CloseAccount', accountId }, cause);
    if (isRefusal(closed)) return closed;
    return this.#withPatience(accountId, this.#end(accountId, cause));
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelErasing();
    await Promise.allSettled([...this.#running.values(), this.#erasing]);
  }

  async #withPatience(
    accountId: AccountId,
    ending: Promise<RemovedAccount>,
  ): Promise<RemovedAccount> {
    const { clock, directory } = this.#ports;
    const { promise: late, resolve } = Promise.withResolvers<RemovedAccount>();
    const cancel = clock.after(PATIENCE_MS, () =>
      resolve({ state: directory.state.closed.has(accountId) ? 'closed' : 'removed' }),
    );
    try {
      return await Promise.race([ending, late]);
    } finally {
      cancel();
    }
  }

  #end(accountId: AccountId, cause: Cause): Promise<RemovedAccount> {
    const running = this.#running.get(accountId);
    if (running !== undefined) return running;
    const ending = this.#endNow(accountId, cause).finally(() => this.#running.delete(accountId));
    this.#running.set(accountId, ending);
    return ending;
  }

  async #endNow(accountId: AccountId, cause: Cause): Promise<RemovedAccount> {
    const { directory, lanes, live, log } = this.#ports;
    try {
      live.end(accountId);
      // Whatever was decided while the account was open is done then.
      await lanes.turnsEnded();
      await this.#emptyQueue(accountId, cause);
      await this.#emptyWebhooks(accountId, cause);
      await this.#clearSuppressions(accountId, cause);
      await directory.execute({ type: 'RemoveAccount', accountId }, cause);
      log.info({ account: accountId }, 'account removed');
      return { state: (await this.#eraseIfOver(accountId)) ? 'erased' : 'removed' };
    } catch (error) {
      const isStopping = this.#stopping.signal.aborted;
      if (isStopping) log.info({ account: accountId }, 'account is removed after the next start');
      else log.error({ account: accountId, err: error }, 'account not removed yet');
      throw error;
    }
  }

  /** Fails what waits, and waits for what is under way: a delivery wins. */
  async #emptyQueue(accountId: AccountId, cause: Cause): Promise<void> {
    for (;;) {
      const waiting = this.#waiting(accountId);
      if (waiting.length === 0) return;
      for (let i = 0; i < waiting.length; i += PORTION) {
        this.#requireRunning();
        const portion = waiting.slice(i, i + PORTION);
        await Promise.all(portion.map((queueId) => this.#fail(accountId, queueId, cause)));
      }
      if (this.#waiting(accountId).length > 0) await this.#queueChanged();
    }
  }

  #waiting(accountId: AccountId): readonly QueueId[] {
    const rows = this.#ports.books.read((sql) => queuedById(sql, { accountId }, 0, PORTION * 20));
    return rows.map(({ queueId }) => queueId);
  }

  async #fail(accountId: AccountId, queueId: QueueId, cause: Cause): Promise<void> {
    const { lanes, noticeOf } = this.#ports;
    const item = (await lanes.account(accountId)).queueItem(queueId);
    if (item === undefined) return;
    const notice = item.inAttempt ? {} : await noticeOf(accountId, item);
    await this.#execute(accountId, { type: 'FailMessage', queueId, ...notice }, cause);
  }

  /** A closed account makes none (`webhook/react.ts`): they only become fewer. */
  async #emptyWebhooks(accountId: AccountId, cause: Cause): Promise<void> {
    const { books } = this.#ports;
    for (;;) {
      this.#requireRunning();
      const waiting = books.read((sql) => webhookIds(sql, { accountId }, 0, PORTION));
      if (waiting.length > 0) {
        const hookIds = waiting.map(({ hookId }) => hookId);
        await this.#execute(accountId, { type: 'CancelWebhooks', hookIds }, cause);
      } else if (books.read(accountsInWebhookAttempt).includes(accountId)) {
        await this.#queueChanged();
      } else return;
    }
  }

  async #clearSuppressions(accountId: AccountId, cause: Cause): Promise<void> {
    const all = this.#ports.books.read((sql) => suppressionsOfAll(sql, undefined));
    const own = all.filter((suppression) => suppression.accountId === accountId);
    for (let i = 0; i < own.length; i += PORTION) {
      this.#requireRunning();
      const portion = own.slice(i, i + PORTION).map(({ address }) => {
        return this.#execute(accountId, { type: 'UnsuppressAddress', address }, cause);
      });
      await Promise.all(portion);
    }
  }

  async #execute(accountId: AccountId, command: AccountCommand, cause: Cause): Promise<void> {
    const done = await this.#ports.lanes.execute(accountId, command, cause);
    if (isRefusal(done)) throw new Error(`${command.type} refused: ${done.refused}`);
  }

  /** Resolves when something happened to the queue, or after a while. */
  async #queueChanged(): Promise<void> {
    const { books, clock } = this.#ports;
    this.#requireRunning();
    await new Promise<void>((resolve) => {
      const cancel = clock.after(LOOK_MS, done);
      const subscription = books.changes.subscribe(done);
      this.#stopping.signal.addEventListener('abort', done, { once: true });
      const { signal } = this.#stopping;
      function done(): void {
        cancel();
        subscription?.unsubscribe();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  #requireRunning(): void {
    if (this.#stopping.signal.aborted) throw new Fault('Closing', 'The server is stopping.');
  }

  #eraseLater(ms: number): void {
    this.#cancelErasing = this.#ports.clock.after(ms, () => {
      this.#erasing = this.#eraseAll().finally(() => {
        if (!this.#stopping.signal.aborted) this.#eraseLater(ERASE_EVERY_MS);
      });
    });
  }

  async #eraseAll(): Promise<void> {
    const { directory, log } = this.#ports;
    for (const accountId of directory.state.removed.keys()) {
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#eraseIfOver(accountId);
      } catch (error) {
        // The others are not to wait for one that cannot be erased.
        log.error({ account: accountId, err: error }, 'account not erased yet');
      }
    }
  }

  /** True when nothing of the account is to be remembered, and nothing is left. */
  async #eraseIfOver(accountId: AccountId): Promise<boolean> {
    const { books, directory, log } = this.#ports;
    const isRemembered = books.read(
      (sql) => remembersMail(sql, accountId) || remembersWebhooks(sql, accountId),
    );
    if (isRemembered) return false;
    // Whoever makes a backup has the account whole, or not at all.
    await this.#ports.sweep.paused(() => eraseAccountData(accountId, this.#ports));
    await directory.execute({ type: 'EraseAccount', accountId }, CAUSE);
    log.info({ account: accountId }, 'account erased');
    return true;
  }
}
