/**
 * Whom accounts have called: URLs and events in the directory, Authorizations in the secret store.
 *
 * Invariants: an Authorization is in the store before the directory names it; it is never told
 * again, and belongs to the origin of the URL that it was set with (RFC 6454 §4).
 */

import type { AccountSettings } from '#domain/directory/settings';
import type { Cause } from '#domain/log/event';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import type { SecretRef } from '#domain/values/ids';
import type { OutgoingEvent, WebhookTarget } from '#domain/webhook/events';
import { isOutgoingEvent } from '#domain/webhook/target';
import type { AdministeredAccount, AdministeredAccounts } from '#protocols/ports-admin';
import type {
  AdministeredWebhookSettings,
  HookDirection,
  WebhookChanges,
} from '#protocols/ports-webhook';
import type { HookSecrets } from './hook-secrets.ts';

export class WebhookSettings implements AdministeredWebhookSettings {
  readonly #accounts: AdministeredAccounts;
  readonly #secrets: Pick<HookSecrets, 'put' | 'remove'>;

  constructor(accounts: AdministeredAccounts, secrets: Pick<HookSecrets, 'put' | 'remove'>) {
    this.#accounts = accounts;
    this.#secrets = secrets;
  }

  async set(
    name: string,
    direction: HookDirection,
    changes: WebhookChanges,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal> {
    const account = await this.#accounts.get(name);
    if (isRefusal(account)) return account;
    const { outgoingWebhook, incomingWebhook } = account.settings;
    const before = direction === 'outgoing' ? outgoingWebhook : incomingWebhook;
    const events: OutgoingEvent[] = [];
    for (const event of changes.events ?? outgoingWebhook?.events ?? []) {
      if (!isOutgoingEvent(event)) return refuse('WebhookEventUnknown', event);
      if (!events.includes(event)) events.push(event);
    }
    const url = changes.url ?? before?.url ?? '';
    // Ports and IP addresses that are none are known to whoever will call it.
    if (!URL.canParse(url)) return refuse('WebhookUrlForbidden', url);
    const { authorization } = changes;
    const isNew = authorization !== undefined && authorization !== '';
    const secret = isNew ? await this.#secrets.put(authorization) : undefined;
    const kept = authorization === undefined ? keptAt(url, before) : undefined;
    const target: WebhookTarget = { url, ...authorizedBy(secret ?? kept) };
    const setting =
      direction === 'outgoing'
        ? { outgoingWebhook: { ...target, events } }
        : { incomingWebhook: target };
    const changed = await this.#accounts.change(name, setting, cause);
    if (isRefusal(changed) && secret !== undefined) await this.#secrets.remove(secret);
    return changed;
  }

  async remove(
    name: string,
    direction: HookDirection,
    cause: Cause,
  ): Promise<AdministeredAccount | Refusal> {
    const setting: Partial<AccountSettings> =
      direction === 'outgoing' ? { outgoingWebhook: null } : { incomingWebhook: null };
    return this.#accounts.change(name, setting, cause);
  }
}

/** What was set for the origin of the URL. */
function keptAt(url: string, before: WebhookTarget | null): SecretRef | undefined {
  const origin = URL.parse(url)?.origin;
  return before !== null && URL.parse(before.url)?.origin === origin
    ? before.authorization
    : undefined;
}

function authorizedBy(authorization: SecretRef | undefined): Pick<WebhookTarget, 'authorization'> {
  return authorization === undefined ? {} : { authorization };
}
