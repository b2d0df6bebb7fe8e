/**
 * What the administrator's facts make of the directory.
 */

import { unreachable } from '../values/decision.ts';
import type { AccountId } from '../values/ids.ts';
import { addressKey, addressOf } from './address-key.ts';
import { evolveAliases } from './alias-records.ts';
import type {
  AccountAdded,
  AccountClosed,
  AccountErased,
  AccountRemoved,
  DirectoryEvent,
  DomainAdded,
  DomainDisabled,
  DomainEnabled,
  DomainRemoved,
  TlsKeyClaimed,
} from './events.ts';
import {
  accountOfAddress,
  scopeKey,
  settingsOf,
  type DirectoryRecords,
  type TlsKeyClaim,
} from './state.ts';

/** Writes a fact into the maps; gives back the same records. */
export function evolveDirectory(
  records: DirectoryRecords,
  event: DirectoryEvent,
): DirectoryRecords {
  switch (event.type) {
    case 'DomainAdded':
    case 'DomainRemoved':
    case 'DomainDisabled':
    case 'DomainEnabled':
      evolveDomains(records, event);
      return records;
    case 'AccountAdded':
    case 'AccountClosed':
    case 'AccountRemoved':
    case 'AccountErased':
      evolveAccounts(records, event);
      return records;
    case 'AddressAdded':
      records.addresses.set(addressKey(event.localpart, event.domain), event.accountId);
      dropLoginsOfCatchall(records, event.domain);
      return records;
    case 'AddressRemoved':
      records.addresses.delete(addressKey(event.localpart, event.domain));
      dropFromIdLogins(records, event.accountId);
      return records;
    case 'AliasAdded':
    case 'AliasMembersAdded':
    case 'AliasMembersRemoved':
    case 'AliasChanged':
    case 'AliasRemoved':
      evolveAliases(records.aliases, event);
      if (event.type === 'AliasAdded') dropLoginsOfCatchall(records, event.domain);
      return records;
    case 'TlsKeyClaimed':
      records.tlsKeys.set(event.fingerprint, claimIn(event));
      return records;
    case 'TlsKeyReleased':
      records.tlsKeys.delete(event.fingerprint);
      return records;
    case 'AccountSettingsChanged': {
      const { accountId, changes } = event;
      records.settings.set(accountId, { ...settingsOf(records, accountId), ...changes });
      return records;
    }
    case 'HoldRuleAdded':
      records.holdRules = [...records.holdRules, event.rule];
      records.nextHoldRuleId = event.rule.ruleId + 1;
      return records;
    case 'HoldRuleRemoved':
      records.holdRules = records.holdRules.filter(({ ruleId }) => ruleId !== event.ruleId);
      return records;
    case 'RoutesChanged':
      records.routes.set(scopeKey(event.scope), event.routes);
      return records;
    case 'DeliveryPaused':
      records.pausedFor = event.reason;
      return records;
    case 'DeliveryResumed':
      records.pausedFor = null;
      return records;
    case 'DkimKeysChanged':
      records.dkimKeys.set(event.domain, event.keys);
      return records;
    default:
      return unreachable(event);
  }
}

type DomainStep = DomainAdded | DomainRemoved | DomainDisabled | DomainEnabled;

function evolveDomains(records: DirectoryRecords, event: DomainStep): void {
  const { domain } = event;
  switch (event.type) {
    case 'DomainAdded': {
      const { caseSensitive, catchallSeparator } = event;
      records.domains.set(domain, { caseSensitive, catchallSeparator });
      return;
    }
    case 'DomainRemoved':
      records.domains.delete(domain);
      records.disabledDomains.delete(domain);
      records.routes.delete(domain);
      return;
    case 'DomainDisabled':
      records.disabledDomains.add(domain);
      return;
    case 'DomainEnabled':
      records.disabledDomains.delete(domain);
      return;
    default:
      unreachable(event);
  }
}

function claimIn({ accountId, localpart, domain }: TlsKeyClaimed): TlsKeyClaim {
  return { accountId, address: addressKey(localpart, domain) };
}

type AccountStep = AccountAdded | AccountClosed | AccountRemoved | AccountErased;

function evolveAccounts(records: DirectoryRecords, event: AccountStep): void {
  const { accountId } = event;
  switch (event.type) {
    case 'AccountAdded':
      records.accounts.set(accountId, { accountId, name: event.name });
      records.nextAccountId = Math.max(records.nextAccountId, accountId + 1);
      return;
    case 'AccountClosed':
      records.closed.add(accountId);
      return;
    case 'AccountRemoved':
      forgetAccount(records, accountId);
      return;
    case 'AccountErased':
      records.removed.delete(accountId);
      return;
    default:
      unreachable(event);
  }
}

/** Nothing that was decided about the account holds any more. */
function forgetAccount(records: DirectoryRecords, accountId: AccountId): void {
  const account = records.accounts.get(accountId);
  if (account === undefined) return;
  records.accounts.delete(accountId);
  records.closed.delete(accountId);
  records.removed.set(accountId, account);
  for (const [address, owner] of records.addresses) {
    if (owner === accountId) records.addresses.delete(address);
  }
  for (const [fingerprint, claim] of records.tlsKeys) {
    if (claim.accountId === accountId) records.tlsKeys.delete(fingerprint);
  }
  records.settings.delete(accountId);
  records.routes.delete(String(accountId));
  records.holdRules = records.holdRules.filter((rule) => rule.accountId !== accountId);
}

/** What an address or an alias takes from the catchall cannot be logged in with any more. */
function dropLoginsOfCatchall(records: DirectoryRecords, domain: string): void {
  const owner = records.addresses.get(addressKey('', domain));
  if (owner !== undefined) dropFromIdLogins(records, owner);
}

/** Logins go with the addresses that lead to them. */
function dropFromIdLogins(records: DirectoryRecords, accountId: AccountId): void {
  const settings = settingsOf(records, accountId);
  const fromIdLogins = settings.fromIdLogins.filter((login) => {
    const { localpart, domain } = addressOf(login);
    return accountOfAddress(records, localpart, domain) === accountId;
  });
  if (fromIdLogins.length === settings.fromIdLogins.length) return;
  records.settings.set(accountId, { ...settings, fromIdLogins });
}
