/**
 * The directory of `smtp.ts`: domain example.org (separator `+`) with alice (alice@,
 * alice2@) and bob; its aliases team@ (alice and bob, who may send as it) and closed@
 * (the same, only for them); the accounts again in disabled.example, which is disabled; domain
 * localhost, of which alice takes every localpart.
 */

import type { Alias, DirectoryEvent } from '#domain/directory/events';
import { accountsBehind, mailTarget } from '#domain/directory/mail-targets';
import { evolveDirectory } from '#domain/directory/evolve';
import { emptyDirectory, type DirectoryState } from '#domain/directory/state';
import type { AccountId } from '#domain/values/ids';
import type { Directory } from '#protocols/ports';

const TEAM: Alias = {
  members: ['alice@example.org', 'bob@example.org'],
  postPublic: true,
  listMembers: false,
  allowMsgFrom: true,
};

function domainAdded(domain: string, catchallSeparator: string): DirectoryEvent {
  return { type: 'DomainAdded', domain, catchallSeparator, caseSensitive: false };
}

function addressAdded(accountId: AccountId, address: string): DirectoryEvent {
  const [localpart = '', domain = ''] = address.split('@');
  return { type: 'AddressAdded', localpart, domain, accountId };
}

function given(alice: AccountId, bob: AccountId): readonly DirectoryEvent[] {
  return [
    { type: 'AccountAdded', accountId: alice, name: 'alice' },
    { type: 'AccountAdded', accountId: bob, name: 'bob' },
    domainAdded('example.org', '+'),
    domainAdded('disabled.example', ''),
    domainAdded('localhost', ''),
    addressAdded(alice, 'alice@example.org'),
    addressAdded(alice, 'alice2@example.org'),
    addressAdded(bob, 'bob@example.org'),
    addressAdded(alice, 'alice@disabled.example'),
    addressAdded(bob, 'bob@disabled.example'),
    addressAdded(alice, '@localhost'),
    { type: 'DomainDisabled', domain: 'disabled.example' },
    { type: 'AliasAdded', localpart: 'team', domain: 'example.org', ...TEAM },
    {
      type: 'AliasAdded',
      localpart: 'closed',
      domain: 'example.org',
      ...TEAM,
      postPublic: false,
      allowMsgFrom: false,
    },
  ];
}

export interface GivenDirectory extends Omit<Directory, 'usesFromIds'> {
  /** The administrator decides more. */
  add(...events: readonly DirectoryEvent[]): void;
}

export function givenDirectory(alice: AccountId, bob: AccountId): GivenDirectory {
  const state = emptyDirectory();
  const add = (...events: readonly DirectoryEvent[]): void =>
    void events.reduce(evolveDirectory, state);
  add(...given(alice, bob));
  return { ...answersFrom(state), add };
}

function answersFrom(state: DirectoryState): Omit<Directory, 'usesFromIds'> {
  return {
    target: (localpart, domain) => mailTarget(state, localpart, domain),
    sendersAs: (localpart, domain) => accountsBehind(state, localpart, domain),
    isDisabled: (domain) => state.disabledDomains.has(domain),
    separatorsOf: (domain) => state.domains.get(domain)?.catchallSeparator ?? '',
  };
}
