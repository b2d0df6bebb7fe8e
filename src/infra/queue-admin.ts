/**
 * Outgoing mail of all accounts, for administrators: lists from the books of the server, changes
 * through the lanes of the accounts.
 *
 * Invariants: changes go in portions of one account, each decided against what is so by then; what
 * is gone meanwhile is passed over. A hold rule also holds what was decided upon without it.
 */

import { Buffer } from 'node:buffer';
import type { AccountCommand } from '#domain/account';
import type { PauseReason } from '#domain/directory/events';
import { holdRuleMatches, type HoldRule } from '#domain/directory/hold-rules';
import type { DirectoryState } from '#domain/directory/state';
import type { Cause } from '#domain/log/event';
import type { DeliverMessage } from '#domain/message/decide';
import type { QueueItem } from '#domain/queue/state';
import { baseAddress } from '#domain/suppression/state';
import { isRefusal, refuse, unreachable, type Refusal } from '#domain/values/decision';
import { accountOfServerWideId, type AccountId, type QueueId } from '#domain/values/ids';
import type { EndedSort, ListPage, WaitingSort } from '#projections/list-pages';
import { resultsOf } from '#projections/attempt-results';
import {
  queuedById,
  queuedItems,
  retiredItems,
  type ItemDetails,
  type QueuedAddresses,
  type QueuedItem,
  type QueueFilter,
  type RetiredFilter,
  type RetiredItem,
} from '#projections/queue-lists';
import { suppressionsOfAll } from '#projections/server-suppressions';
import type { Bodies, Commands, Views } from '#protocols/ports';
import type {
  AdministeredItem,
  AdministeredQueue,
  ByAccountName,
  NamedHoldRule,
  NamedSuppression,
  QueueChange,
} from '#protocols/ports-queue';
import { accountPortions, type AccountPortion } from './account-portions.ts';
import type { DirectoryLane } from './directory-lane.ts';
import { filterById, listedAccount, listedName } from './listed-accounts.ts';
import type { ServerBooks } from './server-books.ts';

/**
 * Items that are changed in one decision; four events each must fit into an append, with what an
 * application is told.
 */
const PORTION = 50;

export interface QueueAdminPorts {
  readonly books: Pick<ServerBooks, 'read'>;
  readonly lanes: Commands &
    Views & {
      /** Resolves when no turn runs that began before. */
      turnsEnded(): Promise<void>;
    };
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly bodies: Pick<Bodies, 'slice' | 'header'>;
  /** What the sender is told when an administrator ends an item. */
  readonly noticeOf: (
    accountId: AccountId,
    item: QueueItem,
  ) => Promise<{ readonly notice?: DeliverMessage }>;
  readonly transports: () => readonly string[];
}

export class QueueAdmin implements AdministeredQueue {
  readonly #ports: QueueAdminPorts;

  constructor(ports: QueueAdminPorts) {
    this.#ports = ports;
  }

  queued(
    filter: ByAccountName<QueueFilter>,
    page: ListPage<WaitingSort>,
  ): readonly AdministeredItem<QueuedItem>[] | Refusal {
    const found = filterById(this.#known, filter);
    if (isRefusal(found)) return found;
    const items = this.#ports.books.read((sql) => queuedItems(sql, found, page));
    return items.map((item) => ({ ...item, ...this.#aboutItem(item) }));
  }

  retired(
    filter: ByAccountName<RetiredFilter>,
    page: ListPage<EndedSort>,
  ): readonly AdministeredItem<RetiredItem>[] | Refusal {
    const found = filterById(this.#known, filter);
    if (isRefusal(found)) return found;
    const items = this.#ports.books.read((sql) => retiredItems(sql, found, page));
    return items.map((item) => ({ ...item, ...this.#aboutItem(item) }));
  }

  async prefixOf(queueId: QueueId): Promise<string> {
    return (await this.#item(queueId))?.prefix ?? '';
  }

  async dump(queueId: QueueId, start: number, end: number): Promise<Buffer | Refusal> {
    const item = await this.#item(queueId);
    const prefix = Buffer.from(item?.prefix ?? '');
    const from = Math.max(start - prefix.length, 0);
    const to = Math.max(end - prefix.length, 0);
    const { bodies } = this.#ports;
    const body = item && bodies.slice(accountOfServerWideId(queueId), item.body, from, to);
    if (body === undefined) return refuse('NoSuchQueueItem', String(queueId));
    return Buffer.concat([prefix.subarray(start, end), body]);
  }

  async change(
    filter: ByAccountName<QueueFilter>,
    limit: number | undefined,
    change: QueueChange,
    cause: Cause,
  ): Promise<number | Refusal> {
    const found = filterById(this.#known, filter);
    if (isRefusal(found)) return found;
    if (change.type === 'transport' && change.transport !== '') {
      const isKnown = this.#ports.transports().includes(change.transport);
      if (!isKnown) return refuse('NoSuchTransport', change.transport);
    }
    let affected = 0;
    for (const { accountId, rows } of this.#portions(found, limit)) {
      const queueIds = rows.map(({ queueId }) => queueId);
      affected += await this.#changeThose(accountId, queueIds, change, cause);
    }
    return affected;
  }

  pausedFor(): PauseReason | null {
    return this.#ports.directory.state.pausedFor;
  }

  async pause(cause: Cause): Promise<void> {
    await this.#ports.directory.execute({ type: 'PauseDelivery', reason: 'asked' }, cause);
    // Attempts that were about to begin have begun then.
    await this.#ports.lanes.turnsEnded();
  }

  async resume(cause: Cause): Promise<void> {
    await this.#ports.directory.execute({ type: 'ResumeDelivery' }, cause);
  }

  holdRules(): readonly NamedHoldRule[] {
    return this.#ports.directory.state.holdRules.map(({ accountId, ...rule }) => ({
      ...rule,
      ...(accountId === undefined ? {} : { account: listedName(this.#known, accountId) }),
    }));
  }

  async addHoldRule(
    { account, ...addresses }: Omit<NamedHoldRule, 'ruleId'>,
    cause: Cause,
  ): Promise<{ readonly ruleId: number; readonly held: number } | Refusal> {
    const { directory, lanes } = this.#ports;
    const found = filterById(this.#known, account === undefined ? {} : { account });
    if (isRefusal(found)) return found;
    const rule: Omit<HoldRule, 'ruleId'> = { ...addresses, ...found };
    const added = await directory.execute({ type: 'AddHoldRule', rule }, cause);
    if (isRefusal(added)) return added;
    const { ruleId } = added.answer;
    // Whatever was queued by the rules of before can be seen then.
    await lanes.turnsEnded();
    let held = 0;
    for (const { accountId, rows } of this.#portions(found)) {
      const matching = rows.filter((item) => holdRuleMatches({ ruleId, ...rule }, item));
      if (matching.length === 0) continue;
      const queueIds = matching.map(({ queueId }) => queueId);
      const command = { type: 'HoldMessages', queueIds, ruleId } as const;
      held += await this.#affected(accountId, command, cause);
    }
    return { ruleId, held };
  }

  removeHoldRule(ruleId: number, cause: Cause): Promise<object | Refusal> {
    return this.#ports.directory.execute({ type: 'RemoveHoldRule', ruleId }, cause);
  }

  suppressions(
    account: string | undefined,
    address: string | undefined,
  ): readonly NamedSuppression[] | Refusal {
    const found = filterById(this.#known, account === undefined ? {} : { account });
    if (isRefusal(found)) return found;
    const base = address === undefined ? undefined : baseAddress(address);
    return this.#ports.books
      .read((sql) => suppressionsOfAll(sql, base))
      .filter(({ accountId }) => found.accountId === undefined || accountId === found.accountId)
      .map(({ accountId, ...suppression }) => ({
        ...suppression,
        account: listedName(this.#known, accountId),
      }));
  }

  async suppress(account: string, address: string, cause: Cause): Promise<object | Refusal> {
    const found = listedAccount(this.#known, account);
    if (found === undefined) return refuse('NoSuchAccount', account);
    const reason = 'added by an administrator';
    const command = { type: 'SuppressAddress', address, reason } as const;
    return this.#ports.lanes.execute(found.accountId, command, cause);
  }

  async unsuppress(account: string, address: string, cause: Cause): Promise<object | Refusal> {
    const found = listedAccount(this.#known, account);
    if (found === undefined) return refuse('NoSuchAccount', account);
    const command = { type: 'UnsuppressAddress', address } as const;
    return this.#ports.lanes.execute(found.accountId, command, cause);
  }

  get #known(): DirectoryState {
    return this.#ports.directory.state;
  }

  async #item(queueId: QueueId): Promise<QueueItem | undefined> {
    const { directory, lanes } = this.#ports;
    const accountId = accountOfServerWideId(queueId);
    if (!directory.state.accounts.has(accountId)) return undefined;
    return (await lanes.account(accountId)).queueItem(queueId);
  }

  async #changeThose(
    accountId: AccountId,
    queueIds: readonly QueueId[],
    change: QueueChange,
    cause: Cause,
  ): Promise<number> {
    switch (change.type) {
      case 'hold':
        return this.#affected(accountId, { type: 'HoldMessages', queueIds }, cause);
      case 'release':
        return this.#affected(accountId, { type: 'ReleaseMessages', queueIds }, cause);
      case 'reschedule': {
        const { to } = change;
        return this.#affected(accountId, { type: 'RescheduleMessages', queueIds, to }, cause);
      }
      case 'transport': {
        const { transport } = change;
        return this.#affected(accountId, { type: 'ForceTransport', queueIds, transport }, cause);
      }
      case 'require-tls': {
        const { requireTls } = change;
        const command = { type: 'SetTlsRequirement', queueIds, requireTls } as const;
        return this.#affected(accountId, command, cause);
      }
      case 'fail':
        return this.#fail(accountId, queueIds, cause);
      case 'drop':
        return this.#drop(accountId, queueIds, cause);
      default:
        return unreachable(change);
    }
  }

  /** Each has a notice of its own; together they share the syncs of the disk. */
  async #fail(accountId: AccountId, queueIds: readonly QueueId[], cause: Cause): Promise<number> {
    const counts = await Promise.all(queueIds.map((id) => this.#failOne(accountId, id, cause)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #failOne(accountId: AccountId, queueId: QueueId, cause: Cause): Promise<number> {
    const { lanes, noticeOf } = this.#ports;
    const item = (await lanes.account(accountId)).queueItem(queueId);
    if (item === undefined) return 0;
    const notice = item.inAttempt ? {} : await noticeOf(accountId, item);
    return this.#affected(accountId, { type: 'FailMessage', queueId, ...notice }, cause);
  }

  /** In halves where applications are told more than one append holds. */
  async #drop(accountId: AccountId, queueIds: readonly QueueId[], cause: Cause): Promise<number> {
    const command = { type: 'DropMessages', queueIds } as const;
    const done = await this.#ports.lanes.execute(accountId, command, cause);
    if (!isRefusal(done)) return done.answer.affected;
    if (queueIds.length === 1) throw unexpected(command, done);
    const half = Math.ceil(queueIds.length / 2);
    const first = await this.#drop(accountId, queueIds.slice(0, half), cause);
    return first + (await this.#drop(accountId, queueIds.slice(half), cause));
  }

  async #affected(
    accountId: AccountId,
    command: Extract<AccountCommand, { readonly type: ManagingType }>,
    cause: Cause,
  ): Promise<number> {
    const done = await this.#ports.lanes.execute(accountId, command, cause);
    if (isRefusal(done)) throw unexpected(command, done);
    return done.answer.affected;
  }

  /** What fits, by id, so many of one account at a time. */
  #portions(filter: QueueFilter, limit?: number): Generator<AccountPortion<QueuedAddresses>> {
    const rows = (behind: QueueId, count: number): readonly QueuedAddresses[] =>
      this.#ports.books.read((sql) => queuedById(sql, filter, behind, count));
    return accountPortions(rows, ({ queueId }) => queueId, { portion: PORTION, limit });
  }

  #aboutItem(item: {
    readonly queueId: QueueId;
    readonly accountId: AccountId;
    readonly details: ItemDetails;
  }): AdministeredItem<object> {
    const { queueId, accountId, details } = item;
    const { books, bodies } = this.#ports;
    return {
      account: listedName(this.#known, accountId),
      header: bodies.header(accountId, details.body),
      results: books.read((sql) => resultsOf(sql, queueId)),
    };
  }
}

/** A portion is small enough for everything that is not granted otherwise. */
function unexpected({ type }: Pick<AccountCommand, 'type'>, { refused }: Refusal): Error {
  return new Error(`${type} of a portion refused: ${refused}`);
}

type ManagingType =
  | 'HoldMessages'
  | 'ReleaseMessages'
  | 'RescheduleMessages'
  | 'ForceTransport'
  | 'SetTlsRequirement'
  | 'FailMessage';
