/**
 * A directory of two accounts in two domains: one.org, where case does not count and a tag may
 * stand behind + or -, and two.org, where case counts and everything else is for the first account.
 */

import type { DirectoryEvent } from '#domain/directory/events';
import { evolveDirectory } from '#domain/directory/evolve';
import { emptyDirectory, type DirectoryState } from '#domain/directory/state';

const TWO_DOMAINS: readonly DirectoryEvent[] = [
  { type: 'AccountAdded', accountId: 1, name: 'admin' },
  { type: 'AccountAdded', accountId: 2, name: 'shop' },
  { type: 'DomainAdded', domain: 'one.org', catchallSeparator: '+-', caseSensitive: false },
  { type: 'DomainAdded', domain: 'two.org', catchallSeparator: '', caseSensitive: true },
  { type: 'AddressAdded', localpart: 'shop', domain: 'one.org', accountId: 2 },
  { type: 'AddressAdded', localpart: 'Shop', domain: 'two.org', accountId: 2 },
  { type: 'AddressAdded', localpart: '', domain: 'two.org', accountId: 1 },
];

/** With what came to it later. */
export function twoDomains(...more: readonly DirectoryEvent[]): DirectoryState {
  return [...TWO_DOMAINS, ...more].reduce(evolveDirectory, emptyDirectory());
}
