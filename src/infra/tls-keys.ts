/**
 * The register of TLS keys: each lets into one account of the server.
 *
 * Two streams are written, one after the other: the directory says whose a key is (the claim), the
 * account has the key. Invariants: a key lets in only as the account that has both; one change is
 * made at a time. What a crash leaves between the two appends lets nobody in, and the next one who
 * registers the key gets it (docs/adr/0014-tls-keys.md).
 */

import { domainToASCII } from 'node:url';
import type { Credentials, TlsKey } from '#domain/credential/state';
import { accountCalled, accountOfLogin } from '#domain/directory/state';
import type { Cause } from '#domain/log/event';
import { foldedLocalpart, formatAddress, parseAddress, type Address } from '#domain/values/address';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import type { AccountId } from '#domain/values/ids';
import type { AccountTlsKey } from '#projections/server-tls-keys';
import type {
  Commands,
  KeyHolder,
  RegisteredTlsKey,
  TlsKeyChanges,
  TlsKeys,
} from '#protocols/ports';
import type { DirectoryLane } from './directory-lane.ts';

export interface TlsKeyPorts {
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  readonly commands: Commands;
  readonly books: {
    credentials(accountId: AccountId): Credentials;
    tlsKey(accountId: AccountId, fingerprint: string): AccountTlsKey | undefined;
    tlsKeys(): readonly AccountTlsKey[];
  };
}

/** An address of ours, as the directory writes it, and whose it is. */
interface Owned extends Address {
  readonly accountId: AccountId;
}

export class TlsKeyRegister implements TlsKeys {
  readonly #ports: TlsKeyPorts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ports: TlsKeyPorts) {
    this.#ports = ports;
  }

  add(key: TlsKey, cause: Cause): Promise<RegisteredTlsKey | Refusal> {
    return this.#inTurn(() => this.#add(key, cause));
  }

  change(
    fingerprint: string,
    changes: TlsKeyChanges,
    cause: Cause,
  ): Promise<RegisteredTlsKey | Refusal> {
    return this.#inTurn(() => this.#change(fingerprint, changes, cause));
  }

  remove(fingerprint: string, cause: Cause): Promise<RegisteredTlsKey | Refusal> {
    return this.#inTurn(() => this.#remove(fingerprint, cause));
  }

  get(fingerprint: string): RegisteredTlsKey | undefined {
    const { directory, books } = this.#ports;
    const claim = directory.state.tlsKeys.get(fingerprint);
    if (claim === undefined) return undefined;
    const key = books.tlsKey(claim.accountId, fingerprint);
    return key === undefined ? undefined : this.#registered(key);
  }

  list(account?: string): readonly RegisteredTlsKey[] | Refusal {
    const { state } = this.#ports.directory;
    const asked = account === undefined ? undefined : accountCalled(state, account);
    if (asked !== undefined && isRefusal(asked)) return asked;
    return this.#ports.books
      .tlsKeys()
      .filter((key) => state.tlsKeys.get(key.fingerprint)?.accountId === key.accountId)
      .filter(({ accountId }) => asked === undefined || asked.accountId === accountId)
      .map((key) => this.#registered(key));
  }

  /** Whom a key lets in as. */
  holder(fingerprint: string): KeyHolder | undefined {
    const key = this.get(fingerprint);
    if (key === undefined || this.#owned(key.login)?.accountId !== key.accountId) return undefined;
    const { accountId, login, noImapPreauth } = key;
    const { forbidden } = this.#ports.books.credentials(accountId);
    return { accountId, login, imapPreauth: !noImapPreauth, forbidden };
  }

  async #add(key: TlsKey, cause: Cause): Promise<RegisteredTlsKey | Refusal> {
    const { directory, commands, books } = this.#ports;
    const { fingerprint } = key;
    if (this.get(fingerprint) !== undefined) return refuse('TlsKeyTaken', fingerprint);
    const owned = this.#owned(key.login);
    if (owned === undefined) return refuse('NoSuchAddress', key.login);
    const { accountId } = owned;
    const claim = directory.state.tlsKeys.get(fingerprint);
    if (claim?.accountId !== accountId && books.tlsKey(accountId, fingerprint) !== undefined) {
      // It lost its claim to another account, which has since given it up: it begins anew.
      await commands.execute(accountId, { type: 'RemoveTlsKey', fingerprint }, cause);
    }
    const claimed = await this.#claim(fingerprint, owned, cause);
    if (isRefusal(claimed)) return claimed;
    const command = { type: 'AddTlsKey', ...key, login: formatAddress(owned) } as const;
    const added = await commands.execute(accountId, command, cause);
    if (!isRefusal(added)) return this.#known(fingerprint);
    if (books.tlsKey(accountId, fingerprint) === undefined) {
      await directory.execute({ type: 'ReleaseTlsKey', fingerprint, accountId }, cause);
    }
    return added;
  }

  async #change(
    fingerprint: string,
    changes: TlsKeyChanges,
    cause: Cause,
  ): Promise<RegisteredTlsKey | Refusal> {
    const key = this.get(fingerprint);
    if (key === undefined) return refuse('NoSuchTlsKey', fingerprint);
    const { accountId } = key;
    let { login } = key;
    if (changes.login !== undefined) {
      const owned = this.#owned(changes.login);
      if (owned === undefined) return refuse('NoSuchAddress', changes.login);
      const claimed = await this.#claim(fingerprint, { ...owned, accountId }, cause);
      if (isRefusal(claimed)) return claimed;
      login = formatAddress(owned);
    }
    const command = { type: 'ChangeTlsKey', fingerprint, ...changes, login } as const;
    const changed = await this.#ports.commands.execute(accountId, command, cause);
    return isRefusal(changed) ? changed : this.#known(fingerprint);
  }

  /** The key goes first: a claim without a key lets nobody in. */
  async #remove(fingerprint: string, cause: Cause): Promise<RegisteredTlsKey | Refusal> {
    const { directory, commands } = this.#ports;
    const key = this.get(fingerprint);
    if (key === undefined) return refuse('NoSuchTlsKey', fingerprint);
    const { accountId } = key;
    const removed = await commands.execute(accountId, { type: 'RemoveTlsKey', fingerprint }, cause);
    if (isRefusal(removed)) return removed;
    await directory.execute({ type: 'ReleaseTlsKey', fingerprint, accountId }, cause);
    return key;
  }

  async #claim(
    fingerprint: string,
    { accountId, localpart, domain }: Owned,
    cause: Cause,
  ): Promise<object | Refusal> {
    const { directory, books } = this.#ports;
    const holder = directory.state.tlsKeys.get(fingerprint)?.accountId;
    const isBare = holder !== undefined && books.tlsKey(holder, fingerprint) === undefined;
    const claim = { type: 'ClaimTlsKey', fingerprint, accountId, localpart, domain } as const;
    return directory.execute(isBare ? { ...claim, insteadOf: holder } : claim, cause);
  }

  #owned(login: string): Owned | undefined {
    const { state } = this.#ports.directory;
    const address = parseAddress(login, domainToASCII);
    if (address === undefined) return undefined;
    const { domain } = address;
    const accountId = accountOfLogin(state, address.localpart, domain);
    if (accountId === undefined) return undefined;
    const isCaseSensitive = state.domains.get(domain)?.caseSensitive === true;
    return { localpart: foldedLocalpart(address.localpart, isCaseSensitive), domain, accountId };
  }

  #known(fingerprint: string): RegisteredTlsKey {
    const key = this.get(fingerprint);
    if (key === undefined) throw new Error(`the TLS key ${fingerprint} was added and is not there`);
    return key;
  }

  #registered(key: AccountTlsKey): RegisteredTlsKey {
    const account = this.#ports.directory.state.accounts.get(key.accountId)?.name ?? '';
    return { ...key, account };
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change, change);
    this.#last = turn;
    return turn;
  }
}
