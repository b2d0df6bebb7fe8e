/**
 * What the administrator decided: domains, accounts, addresses; and whose is what can be one
 * account's only. Stored for ever, in the stream `directory`.
 */

import type { DkimKey } from './dkim-keys.ts';
import type { Route } from '../queue/route.ts';
import type { AccountId } from '../values/ids.ts';
import type { HoldRule } from './hold-rules.ts';
import type { AccountSettings } from './settings.ts';

export interface DomainAdded {
  readonly type: 'DomainAdded';
  /** A-label form, lower-case. */
  readonly domain: string;
  /** Localparts are cut at the first of these: `daybook+shop@` is `daybook@`. '' for none. */
  readonly catchallSeparator: string;
  readonly caseSensitive: boolean;
}

export interface AccountAdded {
  readonly type: 'AccountAdded';
  readonly accountId: AccountId;
  readonly name: string;
}

/** Mail for the address goes to the account, and the address may log in. */
export interface AddressAdded {
  readonly type: 'AddressAdded';
  /** Canonical localpart; '' takes every localpart that is nobody's (catchall). */
  readonly localpart: string;
  readonly domain: string;
  readonly accountId: AccountId;
}

/** The address leads nowhere any more, or to the catchall of its domain. */
export interface AddressRemoved {
  readonly type: 'AddressRemoved';
  readonly localpart: string;
  readonly domain: string;
  readonly accountId: AccountId;
}

/** The domain is not ours any more; its signing keys wait for its return. */
export interface DomainRemoved {
  readonly type: 'DomainRemoved';
  readonly domain: string;
}

/**
 * The account is being removed: nobody logs in, its addresses lead nowhere, and the mail that it
 * has waiting comes to an end.
 */
export interface AccountClosed {
  readonly type: 'AccountClosed';
  readonly accountId: AccountId;
}

/**
 * The account is one no more, and nothing of what was decided about it holds. Its number stays its
 * own; its data stay for as long as mail that left its queue is remembered.
 */
export interface AccountRemoved {
  readonly type: 'AccountRemoved';
  readonly accountId: AccountId;
}

/** Nothing is left of the account but its number. */
export interface AccountErased {
  readonly type: 'AccountErased';
  readonly accountId: AccountId;
}

/** What holds for an alias. */
export interface AliasOptions {
  /** Everybody may write to it; otherwise members only. */
  readonly postPublic: boolean;
  /** Members may know who the members are. */
  readonly listMembers: boolean;
  /** Members may send as it. */
  readonly allowMsgFrom: boolean;
}

/** An address of ours whose mail goes to several accounts. */
export interface Alias extends AliasOptions {
  /** Addresses of accounts, `localpart@domain`, both canonical. */
  readonly members: readonly string[];
}

/** Mail for the address goes to all members; nobody logs in with it. */
export interface AliasAdded extends Alias {
  readonly type: 'AliasAdded';
  /** Canonical. */
  readonly localpart: string;
  readonly domain: string;
}

/** Mail for the alias goes to these addresses too. */
export interface AliasMembersAdded extends Pick<Alias, 'members'> {
  readonly type: 'AliasMembersAdded';
  readonly localpart: string;
  readonly domain: string;
}

/** Mail for the alias does not go to these addresses any more. */
export interface AliasMembersRemoved extends Pick<Alias, 'members'> {
  readonly type: 'AliasMembersRemoved';
  readonly localpart: string;
  readonly domain: string;
}

/** The alias has other rules. */
export interface AliasChanged {
  readonly type: 'AliasChanged';
  readonly localpart: string;
  readonly domain: string;
  readonly changes: Partial<AliasOptions>;
}

/** The address is no alias any more. */
export interface AliasRemoved {
  readonly type: 'AliasRemoved';
  readonly localpart: string;
  readonly domain: string;
}

export type AliasEvent =
  AliasAdded | AliasMembersAdded | AliasMembersRemoved | AliasChanged | AliasRemoved;

/**
 * The TLS key is for this account and for no other, logging in as this address. Whoever had it
 * before has it no more. It lets in when the account itself has the key too.
 */
export interface TlsKeyClaimed {
  readonly type: 'TlsKeyClaimed';
  readonly fingerprint: string;
  readonly accountId: AccountId;
  readonly localpart: string;
  readonly domain: string;
}

/** The TLS key is nobody's. */
export interface TlsKeyReleased {
  readonly type: 'TlsKeyReleased';
  readonly fingerprint: string;
}

/** These settings of the account are others than before. */
export interface AccountSettingsChanged {
  readonly type: 'AccountSettingsChanged';
  readonly accountId: AccountId;
  readonly changes: Partial<AccountSettings>;
}

/** Mail that the rule matches waits when it is queued. */
export interface HoldRuleAdded {
  readonly type: 'HoldRuleAdded';
  readonly rule: HoldRule;
}

/** What it held stays held. */
export interface HoldRuleRemoved {
  readonly type: 'HoldRuleRemoved';
  readonly ruleId: number;
}

/** Whose routes: those of everybody, of the senders of a domain, or of an account. */
export type RouteScope =
  | { readonly type: 'global' }
  | { readonly type: 'domain'; readonly domain: string }
  | { readonly type: 'account'; readonly accountId: AccountId };

/** The whole list is another one. */
export interface RoutesChanged {
  readonly type: 'RoutesChanged';
  readonly scope: RouteScope;
  readonly routes: readonly Route[];
}

/** Mail from the domain waits, mail to it is asked to come later. */
export interface DomainDisabled {
  readonly type: 'DomainDisabled';
  readonly domain: string;
}

export interface DomainEnabled {
  readonly type: 'DomainEnabled';
  readonly domain: string;
}

/** The whole list is another one. */
export interface DkimKeysChanged {
  readonly type: 'DkimKeysChanged';
  readonly domain: string;
  readonly keys: readonly DkimKey[];
}

/** An administrator asked; or an older copy of the log was put back, and mail may be gone since. */
export type PauseReason = 'asked' | 'restored';

/** Nothing is sent any more: no mail, no webhook. */
export interface DeliveryPaused {
  readonly type: 'DeliveryPaused';
  readonly reason: PauseReason;
}

/** What waits goes when it is due. */
export interface DeliveryResumed {
  readonly type: 'DeliveryResumed';
}

export type DirectoryEvent =
  | DomainAdded
  | AccountAdded
  | AddressAdded
  | AddressRemoved
  | DomainRemoved
  | AccountClosed
  | AccountRemoved
  | AccountErased
  | AliasEvent
  | TlsKeyClaimed
  | TlsKeyReleased
  | AccountSettingsChanged
  | HoldRuleAdded
  | HoldRuleRemoved
  | RoutesChanged
  | DomainDisabled
  | DomainEnabled
  | DkimKeysChanged
  | DeliveryPaused
  | DeliveryResumed;

export const DIRECTORY_EVENTS: Record<DirectoryEvent['type'], string> = {
  DomainAdded: 'A domain became one of ours.',
  AccountAdded: 'An account was made.',
  AddressAdded: 'An address (or a catchall) was given to an account.',
  AddressRemoved: 'An address (or a catchall) was taken from its account.',
  DomainRemoved: 'A domain is ours no more.',
  AccountClosed: 'The removal of an account began.',
  AccountRemoved: 'An account was removed; its history may be kept for a while.',
  AccountErased: 'Everything that an account had is gone.',
  AliasAdded: 'Mail for the address goes to all members.',
  AliasMembersAdded: 'Mail for the alias goes to these addresses too.',
  AliasMembersRemoved: 'Mail for the alias does not go to these addresses any more.',
  AliasChanged: 'The alias has other rules.',
  AliasRemoved: 'The address is no alias any more.',
  TlsKeyClaimed: 'The TLS key is for this account and for no other.',
  TlsKeyReleased: 'The TLS key may be claimed by any account.',
  AccountSettingsChanged: 'Settings of an account were changed.',
  HoldRuleAdded: 'Mail that the rule matches is held when it is queued.',
  HoldRuleRemoved: 'The rule holds no more mail.',
  RoutesChanged: 'Other transports were chosen for outgoing mail.',
  DomainDisabled: 'Mail of the domain waits.',
  DomainEnabled: 'Mail of the domain goes again.',
  DeliveryPaused: 'Nothing is sent any more.',
  DeliveryResumed: 'What waits goes again.',
  DkimKeysChanged: 'Mail from the domain is signed with these keys.',
};
