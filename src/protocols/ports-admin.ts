/**
 * What the command line asks of the running server to administer it. Ports like those of
 * `ports.ts`.
 */

import type { AccountSettings } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import type { GatheredTlsResult } from '#domain/report/decide';
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
