/**
 * Domains: which are ours, and whose mail waits.
 */

import { isDomainName } from '../values/address.ts';
import { decided, refuse, type Decision } from '../values/decision.ts';
import type { DirectoryEvent } from './events.ts';
import type { DirectoryState } from './state.ts';

export interface AddDomain {
  readonly type: 'AddDomain';
  readonly domain: string;
  readonly catchallSeparator: string;
  readonly caseSensitive: boolean;
}

export interface DisableDomain {
  readonly type: 'DisableDomain';
  readonly domain: string;
}

export interface EnableDomain {
  readonly type: 'EnableDomain';
  readonly domain: string;
}

export function addDomain(
  command: AddDomain,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { domain, catchallSeparator, caseSensitive } = command;
  if (!isDomainName(domain)) return refuse('DomainForbidden', domain);
  if (state.domains.has(domain)) return refuse('DomainExists', domain);
  return decided([{ type: 'DomainAdded', domain, catchallSeparator, caseSensitive }], {});
}

export function switchDomain(
  { type, domain }: DisableDomain | EnableDomain,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const isDisabled = state.disabledDomains.has(domain);
  if (isDisabled === (type === 'DisableDomain')) return decided([], {});
  return decided([{ type: isDisabled ? 'DomainEnabled' : 'DomainDisabled', domain }], {});
}
