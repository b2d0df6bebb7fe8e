/**
 * Accounts: their names and numbers, and what is set for them.
 *
 * Invariants: account numbers count from 1 and are never reused; no two accounts have names that
 * differ in case alone.
 */

import type { Address } from '../values/address.ts';
import { decided, refuse, type Decision, type Refusal } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { isOutgoingEvent, isWebhookUrl } from '../webhook/target.ts';
import { addAddress } from './addresses.ts';
import type { DirectoryEvent } from './events.ts';
import { changedSettings, type AccountSettings } from './settings.ts';
import { evolveDirectory } from './evolve.ts';
import {
  accountNamed,
  copyOfDirectory,
  refuseUnlessOpen,
  settingsOf,
  type DirectoryState,
} from './state.ts';

export interface AddAccount {
  readonly type: 'AddAccount';
  readonly name: string;
  /** Its first address, given in the same step. */
  readonly address?: Address;
}

export interface ChangeAccountSettings {
  readonly type: 'ChangeAccountSettings';
  readonly accountId: AccountId;
  /** What is left out stays as it is. */
  readonly changes: Partial<AccountSettings>;
}

export function addAccount(
  command: AddAccount,
  state: DirectoryState,
): Decision<DirectoryEvent, { readonly accountId: AccountId }> {
  const { name } = command;
  if (!isAccountName(name)) return refuse('AccountNameForbidden', name);
  const same = accountNamed(state, name);
  if (same !== undefined) return refuse('AccountExists', same.name);
  const accountId = state.nextAccountId;
  const added: DirectoryEvent = { type: 'AccountAdded', accountId, name };
  if (command.address === undefined) return decided([added], { accountId });
  const withIt = evolveDirectory(copyOfDirectory(state), added);
  const addressed = addAddress({ type: 'AddAddress', ...command.address, accountId }, withIt);
  if ('refused' in addressed) return addressed;
  return decided([added, ...addressed.events], { accountId });
}

/** Names that cannot be the name of a file on Windows, with any extension. */
const DEVICE_NAME = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Names are shown in paths: letters, digits, `.`, `_`, `-`, and nothing that climbs or hides. */
function isAccountName(name: string): boolean {
  return (
    /^[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]{0,63}$/u.test(name) &&
    name.normalize('NFC') === name &&
    !name.includes('..') &&
    !name.endsWith('.') &&
    !DEVICE_NAME.test(name)
  );
}

export function changeAccountSettings(
  command: ChangeAccountSettings,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { accountId } = command;
  const closed = refuseUnlessOpen(state, accountId);
  if (closed !== undefined) return closed;
  const changes = changedSettings(settingsOf(state, accountId), command.changes);
  if (Object.keys(changes).length === 0) return decided([], {});
  return (
    forbiddenSetting(changes) ??
    decided([{ type: 'AccountSettingsChanged', accountId, changes }], {})
  );
}

function forbiddenSetting({
  keepRetiredMs = 0,
  keepRetiredHooksMs = 0,
  outgoingWebhook,
  incomingWebhook,
}: Partial<AccountSettings>): Refusal | undefined {
  if (keepRetiredMs < 0 || keepRetiredHooksMs < 0) return refuse('PeriodNegative');
  for (const webhook of [outgoingWebhook, incomingWebhook]) {
    if (webhook && !isWebhookUrl(webhook.url)) return refuse('WebhookUrlForbidden', webhook.url);
  }
  const unknown = outgoingWebhook?.events.find((name: string) => !isOutgoingEvent(name));
  return unknown === undefined ? undefined : refuse('WebhookEventUnknown', unknown);
}
