/**
 * What the administrator has decided about accounts: told to conversations, changed by name.
 */

import { settingsOf, type DirectoryAccount } from '#domain/directory/state';
import type { AccountSettings } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import type { AccountViews } from '#projections/account-views';
import type { Settings } from '#protocols/ports';
import type { AdministeredAccount, AdministeredAccounts } from '#protocols/ports-admin';
import type { DirectoryLane } from './directory-lane.ts';

/** What is asked of the views of an account. */
interface UsedBytes {
  account(accountId: AccountId): Promise<Pick<AccountViews, 'usedBytes'>>;
}

export class AccountRegister implements Settings, AdministeredAccounts {
  readonly #directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly #views: UsedBytes;

  constructor(directory: Pick<DirectoryLane, 'state' | 'execute'>, views: UsedBytes) {
    this.#directory = directory;
    this.#views = views;
  }

  of(accountId: AccountId): AccountSettings {
    return settingsOf(this.#directory.state, accountId);
  }

  async get(name: string): Promise<AdministeredAccount | Refusal> {
    const account = this.#named(name);
    if (account === undefined) return refuse('NoSuchAccount', name);
    const { accountId } = account;
    const usedBytes = (await this.#views.account(accountId)).usedBytes();
    return { name: account.name, settings: this.of(accountId), usedBytes };
  }

  async change(
    name: string,
    changes: Partial<AccountSettings>,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal> {
    const account = this.#named(name);
    if (account === undefined) return refuse('NoSuchAccount', name);
    const { accountId } = account;
    const command = { type: 'ChangeAccountSettings', accountId, changes } as const;
    const outcome = await this.#directory.execute(command, cause);
    return isRefusal(outcome) ? outcome : this.get(name);
  }

  /** Names that differ in case alone are one. */
  #named(name: string): DirectoryAccount | undefined {
    const folded = name.toLowerCase();
    for (const account of this.#directory.state.accounts.values()) {
      if (account.name.toLowerCase() === folded) return account;
    }
    return undefined;
  }
}
