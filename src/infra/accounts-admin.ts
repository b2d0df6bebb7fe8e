/**
 * Which accounts there are, for administrators: added, closed to logins, given a password, removed.
 *
 * Invariants: an account has its mailboxes soon after it was added, also when that was cut short;
 * a password is in the secret store before the account refers to it, and leaves it after.
 */

import { accountCalled, isOpenAccount, type DirectoryAccount } from '#domain/directory/state';
import type { Cause } from '#domain/log/event';
import type { EventLog } from '#domain/log/event-log';
import { accountStream } from '#domain/log/streams';
import type { Address } from '#domain/values/address';
import { isRefusal, type Refusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import type { Commands } from '#protocols/ports';
import type {
  AdministeredAccountList,
  ListedAccount,
  RemovedAccount,
  UnfitPassword,
} from '#protocols/ports-directory';
import type { AccountRemoval } from './account-removal.ts';
import type { DirectoryLane } from './directory-lane.ts';
import type { OpenLogins } from './logins.ts';
import type { Secrets } from './secrets.ts';
import type { ServerBooks } from './server-books.ts';

const CAUSE: Cause = { actor: 'system:accounts' };

export interface AccountsAdminPorts {
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly lanes: Commands;
  readonly books: Pick<ServerBooks, 'credentials'>;
  readonly eventLog: Pick<EventLog, 'head'>;
  readonly secrets: Pick<Secrets, 'remove'>;
  readonly logins: Pick<OpenLogins, 'storePassword'>;
  readonly removal: Pick<AccountRemoval, 'remove'>;
}

export class AccountsAdmin implements AdministeredAccountList {
  readonly #ports: AccountsAdminPorts;

  constructor(ports: AccountsAdminPorts) {
    this.#ports = ports;
  }

  accounts(): readonly ListedAccount[] {
    const { directory, books } = this.#ports;
    return [...directory.state.accounts.values()].map(({ accountId, name }) => ({
      name,
      forbidden: books.credentials(accountId).forbidden,
      isClosed: directory.state.closed.has(accountId),
    }));
  }

  async add(name: string, address: Address, cause: Cause): Promise<object | Refusal> {
    const added = await this.#ports.directory.execute({ type: 'AddAccount', name, address }, cause);
    return isRefusal(added) ? added : this.open(added.answer.accountId, cause);
  }

  /** Makes the mailboxes that a new account has. */
  open(accountId: AccountId, cause: Cause): Promise<object | Refusal> {
    return this.#ports.lanes.execute(accountId, { type: 'OpenAccount' }, cause);
  }

  /** Opens the accounts that were added when the server ended. */
  async openNew(): Promise<void> {
    const { directory, eventLog } = this.#ports;
    for (const accountId of directory.state.accounts.keys()) {
      const isNew = (await eventLog.head(accountStream(accountId))) < 0;
      if (isNew && isOpenAccount(directory.state, accountId)) await this.open(accountId, CAUSE);
    }
  }

  async remove(name: string, cause: Cause): Promise<RemovedAccount | Refusal> {
    const account = this.#named(name);
    return isRefusal(account) ? account : this.#ports.removal.remove(account.accountId, cause);
  }

  async forbidLogin(name: string, reason: string, cause: Cause): Promise<object | Refusal> {
    const account = this.#named(name);
    if (isRefusal(account)) return account;
    return this.#ports.lanes.execute(account.accountId, { type: 'ForbidLogin', reason }, cause);
  }

  async allowLogin(name: string, cause: Cause): Promise<object | Refusal> {
    const account = this.#named(name);
    if (isRefusal(account)) return account;
    return this.#ports.lanes.execute(account.accountId, { type: 'AllowLogin' }, cause);
  }

  async setPassword(
    name: string,
    password: string,
    cause: Cause,
  ): Promise<object | UnfitPassword | Refusal> {
    const { lanes, books, secrets, logins } = this.#ports;
    const account = this.#named(name);
    if (isRefusal(account)) return account;
    const { accountId } = account;
    const stored = await logins.storePassword(password);
    if (stored.type === 'unfit') return { unfit: stored.reason };
    const { secret } = stored;
    const before = books.credentials(accountId).passwordSecret;
    const done = await lanes.execute(accountId, { type: 'SetPassword', secret }, cause);
    if (isRefusal(done)) await secrets.remove(secret);
    else if (before !== undefined) await secrets.remove(before);
    return done;
  }

  #named(name: string): DirectoryAccount | Refusal {
    return accountCalled(this.#ports.directory.state, name);
  }
}
