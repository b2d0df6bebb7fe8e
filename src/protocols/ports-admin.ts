/**
 * What the command line asks of the running server to administer it. Ports like those of
 * `ports.ts`.
 */

import type { AliasPlace } from '#domain/directory/aliases';
import type { AliasOptions } from '#domain/directory/events';
import type { AccountSettings } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import type { Route } from '#domain/queue/route';
import type { GatheredTlsResult } from '#domain/report/decide';
import type { Address } from '#domain/values/address';
import type { Refusal } from '#domain/values/decision';

/** Accounts, for whoever administers them. */
export interface AdministeredAccounts {
  get(name: string): Promise<AdministeredAccount | Refusal>;
  change(
    name: string,
    changes: Partial<AccountSettings>,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal>;
}

export interface AdministeredAccount {
  readonly name: string;
  readonly settings: AccountSettings;
  /** Octets of all messages. */
  readonly usedBytes: number;
}

/** How mail from here goes. Domains are A-labels. */
export interface AdministeredRouting {
  routes(whose: RouteOwner): readonly Route[] | Refusal;
  /** The whole list is another one. */
  changeRoutes(
    whose: RouteOwner,
    routes: readonly Route[],
    cause: Cause,
  ): Promise<object | Refusal>;
  /** Mail from a domain waits while it is disabled, mail to it is to come later. */
  switchDomain(domain: string, to: 'disabled' | 'enabled', cause: Cause): Promise<object | Refusal>;
}

/** An account by its name, or the senders of a domain; with neither, everybody. */
export interface RouteOwner {
  readonly account?: string;
  readonly domain?: string;
}

/** Addresses whose mail goes to several accounts. Each change gives what the alias is then. */
export interface AdministeredAliases {
  /** Of a domain in A-labels. */
  list(domain: string): readonly AliasPlace[] | Refusal;
  get(alias: Address): AliasPlace | Refusal;
  add(alias: Address, members: readonly Address[], cause: Cause): Promise<AliasPlace | Refusal>;
  change(
    alias: Address,
    options: Partial<AliasOptions>,
    cause: Cause,
  ): Promise<AliasPlace | Refusal>;
  addMembers(
    alias: Address,
    members: readonly Address[],
    cause: Cause,
  ): Promise<AliasPlace | Refusal>;
  removeMembers(
    alias: Address,
    members: readonly Address[],
    cause: Cause,
  ): Promise<AliasPlace | Refusal>;
  /** Gives what was removed. */
  remove(alias: Address, cause: Cause): Promise<AliasPlace | Refusal>;
}

/** How TLS went with hosts of others during the last 30 days. */
export interface RecordedTlsResults {
  list(question: TlsResultQuestion): Promise<readonly GatheredTlsResult[]>;
}

export interface TlsResultQuestion {
  /** Of recipients, or whose policy it is. */
  readonly domain?: string | undefined;
  /** UTC: `2026-01-31`. */
  readonly day?: string | undefined;
  readonly limit: number;
}

/** Bodies stay on the disk while anybody holds. */
export interface RemovalHolds {
  /** When it resolves, nothing is removed any more. The number of the hold. */
  begin(): Promise<number>;
  /** To be called now and then; false when the hold is over. */
  renew(hold: number): boolean;
  end(hold: number): void;
}
