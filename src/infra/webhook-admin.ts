/**
 * Webhooks of all accounts, for administrators: lists from the books of the server, changes through
 * the lanes of the accounts.
 *
 * Invariant: changes go in portions of one account, each decided against what is so by then; what
 * is gone meanwhile is passed over.
 */

import type { DirectoryState } from '#domain/directory/state';
import type { Cause } from '#domain/log/event';
import { isRefusal, type Refusal } from '#domain/values/decision';
import type { AccountId, HookId } from '#domain/values/ids';
import type { EndedSort, ListPage, WaitingSort } from '#projections/list-pages';
import {
  listedRetiredWebhooks,
  listedWebhooks,
  webhookIds,
  type PendingWebhook,
  type RetiredWebhook,
  type RetiredWebhookFilter,
  type WebhookFilter,
} from '#projections/webhook-lists';
import { webhookResultsOf } from '#projections/webhook-results';
import type { Bodies, Commands } from '#protocols/ports';
import type { ByAccountName } from '#protocols/ports-queue';
import type {
  AdministeredHook,
  AdministeredWebhooks,
  WebhookChange,
} from '#protocols/ports-webhook';
import { accountPortions } from './account-portions.ts';
import { filterById, listedName } from './listed-accounts.ts';
import type { ServerBooks } from './server-books.ts';

/** Webhooks that are changed in one decision; an event each must fit into an append. */
const PORTION = 200;

export interface WebhookAdminPorts {
  readonly books: Pick<ServerBooks, 'read'>;
  readonly lanes: Commands;
  readonly directory: { readonly state: DirectoryState };
  readonly bodies: Pick<Bodies, 'header'>;
}

export class WebhookAdmin implements AdministeredWebhooks {
  readonly #ports: WebhookAdminPorts;

  constructor(ports: WebhookAdminPorts) {
    this.#ports = ports;
  }

  pending(
    filter: ByAccountName<WebhookFilter>,
    page: ListPage<WaitingSort>,
  ): readonly AdministeredHook<PendingWebhook>[] | Refusal {
    const found = filterById(this.#ports.directory.state, filter);
    if (isRefusal(found)) return found;
    const hooks = this.#ports.books.read((sql) => listedWebhooks(sql, found, page));
    return hooks.map((hook) => ({ ...hook, ...this.#about(hook) }));
  }

  retired(
    filter: ByAccountName<RetiredWebhookFilter>,
    page: ListPage<EndedSort>,
  ): readonly AdministeredHook<RetiredWebhook>[] | Refusal {
    const found = filterById(this.#ports.directory.state, filter);
    if (isRefusal(found)) return found;
    const hooks = this.#ports.books.read((sql) => listedRetiredWebhooks(sql, found, page));
    return hooks.map((hook) => ({ ...hook, ...this.#about(hook) }));
  }

  async change(
    filter: ByAccountName<WebhookFilter>,
    limit: number | undefined,
    change: WebhookChange,
    cause: Cause,
  ): Promise<number | Refusal> {
    const found = filterById(this.#ports.directory.state, filter);
    if (isRefusal(found)) return found;
    let affected = 0;
    const rows = (behind: HookId, count: number): ReturnType<typeof webhookIds> =>
      this.#ports.books.read((sql) => webhookIds(sql, found, behind, count));
    const portions = accountPortions(rows, ({ hookId }) => hookId, { portion: PORTION, limit });
    for (const { accountId, rows: hooks } of portions) {
      const hookIds = hooks.map(({ hookId }) => hookId);
      affected += await this.#changeThose(accountId, hookIds, change, cause);
    }
    return affected;
  }

  async #changeThose(
    accountId: AccountId,
    hookIds: readonly HookId[],
    change: WebhookChange,
    cause: Cause,
  ): Promise<number> {
    const command =
      change.type === 'cancel'
        ? ({ type: 'CancelWebhooks', hookIds } as const)
        : ({ type: 'RescheduleWebhooks', hookIds, to: change.to } as const);
    const done = await this.#ports.lanes.execute(accountId, command, cause);
    // A portion is small enough for everything that is not granted otherwise.
    if (isRefusal(done)) throw new Error(`${command.type} of a portion refused: ${done.refused}`);
    return done.answer.affected;
  }

  #about({
    hookId,
    accountId,
    occasion,
  }: PendingWebhook | RetiredWebhook): AdministeredHook<object> {
    const { books, bodies, directory } = this.#ports;
    return {
      account: listedName(directory.state, accountId),
      header: bodies.header(accountId, occasion.body),
      results: books.read((sql) => webhookResultsOf(sql, hookId)),
    };
  }
}
