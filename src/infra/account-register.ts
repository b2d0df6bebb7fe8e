/**
 * What the administrator has decided about accounts: told to conversations, changed by name.
 */

import { domainToASCII } from 'node:url';
import { addressKey } from '#domain/directory/address-key';
import { accountCalled, accountOfAddress, settingsOf } from '#domain/directory/state';
import type { AccountSettings } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import { foldedLocalpart, parseAddress } from '#domain/values/address';
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
    const account = accountCalled(this.#directory.state, name);
    if (isRefusal(account)) return account;
    const { accountId } = account;
    const usedBytes = (await this.#views.account(accountId)).usedBytes();
    return { name: account.name, settings: this.of(accountId), usedBytes };
  }

  async change(
    name: string,
    changes: Partial<AccountSettings>,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal> {
    const account = accountCalled(this.#directory.state, name);
    if (isRefusal(account)) return account;
    const { accountId } = account;
    const logins: string[] = [];
    for (const login of changes.fromIdLogins ?? []) {
      const canonical = this.#fromIdLogin(accountId, login);
      if (typeof canonical !== 'string') return canonical;
      logins.push(canonical);
    }
    const right = changes.fromIdLogins === undefined ? {} : { fromIdLogins: logins };
    const command = {
      type: 'ChangeAccountSettings',
      accountId,
      changes: { ...changes, ...right },
    } as const;
    const outcome = await this.#directory.execute(command, cause);
    return isRefusal(outcome) ? outcome : this.get(name);
  }

  /** As the directory writes it; only addresses to which what comes back finds its way. */
  #fromIdLogin(accountId: AccountId, login: string): string | Refusal {
    const { state } = this.#directory;
    const address = parseAddress(login, domainToASCII);
    if (address === undefined) return refuse('NoSuchAddress', login);
    const rules = state.domains.get(address.domain);
    const owner = accountOfAddress(state, address.localpart, address.domain);
    if (rules === undefined || owner === undefined) return refuse('NoSuchAddress', login);
    if (owner !== accountId) return refuse('AddressOfAnother', login);
    if (rules.catchallSeparator === '') return refuse('AddressForbidden', login);
    return addressKey(foldedLocalpart(address.localpart, rules.caseSensitive), address.domain);
  }
}
