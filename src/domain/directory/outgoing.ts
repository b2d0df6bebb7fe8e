/**
 * Outgoing mail: by which transports it goes, which of it is held, and how it is signed.
 *
 * Invariants: a route leads to a transport that there is when it is made; rules are numbered from
 * 1 and no number is given twice; a selector of a domain has one key.
 */

import type { Route } from '../queue/route.ts';
import { isDomainName } from '../values/address.ts';
import { decided, refuse, type Decision } from '../values/decision.ts';
import { isSelectorOf, type DkimKey } from './dkim-keys.ts';
import type { DirectoryEvent, RouteScope } from './events.ts';
import type { HoldRule } from './hold-rules.ts';
import { dkimKeysOf, refuseUnlessOpen, type DirectoryState } from './state.ts';

/** The same rule twice is one rule. */
export interface AddHoldRule {
  readonly type: 'AddHoldRule';
  readonly rule: Omit<HoldRule, 'ruleId'>;
}

export interface RemoveHoldRule {
  readonly type: 'RemoveHoldRule';
  readonly ruleId: number;
}

export interface ChangeRoutes {
  readonly type: 'ChangeRoutes';
  readonly scope: RouteScope;
  readonly routes: readonly Route[];
  /** The transports that there are: a route to another one is refused. */
  readonly transports: readonly string[];
}

export interface AddDkimKey {
  readonly type: 'AddDkimKey';
  readonly domain: string;
  readonly key: DkimKey;
}

export interface RemoveDkimKey {
  readonly type: 'RemoveDkimKey';
  readonly domain: string;
  readonly name: string;
}

/** These sign from now on, and no others. */
export interface UseDkimKeys {
  readonly type: 'UseDkimKeys';
  readonly domain: string;
  readonly names: readonly string[];
}

export function addHoldRule(
  { rule }: AddHoldRule,
  state: DirectoryState,
): Decision<DirectoryEvent, { readonly ruleId: number }> {
  const { accountId, sender, recipient } = rule;
  const closed = accountId === undefined ? undefined : refuseUnlessOpen(state, accountId);
  if (closed !== undefined) return closed;
  const same = state.holdRules.find(
    (other) =>
      other.accountId === accountId && other.sender === sender && other.recipient === recipient,
  );
  if (same !== undefined) return decided([], { ruleId: same.ruleId });
  const ruleId = state.nextHoldRuleId;
  return decided([{ type: 'HoldRuleAdded', rule: { ruleId, ...rule } }], { ruleId });
}

export function removeHoldRule(
  { ruleId }: RemoveHoldRule,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.holdRules.some((rule) => rule.ruleId === ruleId)) {
    return refuse('NoSuchHoldRule', String(ruleId));
  }
  return decided([{ type: 'HoldRuleRemoved', ruleId }], {});
}

export function changeRoutes(
  command: ChangeRoutes,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  const { scope, routes, transports } = command;
  if (scope.type === 'domain' && !state.domains.has(scope.domain)) {
    return refuse('NoSuchDomain', scope.domain);
  }
  const closed = scope.type === 'account' ? refuseUnlessOpen(state, scope.accountId) : undefined;
  if (closed !== undefined) return closed;
  const lost = routes.find(({ transport }) => !transports.includes(transport));
  if (lost !== undefined) return refuse('NoSuchTransport', lost.transport);
  const wrong = routes
    .flatMap(({ fromDomain, toDomain }) => [...fromDomain, ...toDomain])
    .find((pattern) => pattern !== '.' && !isDomainName(pattern.replace(/^\./, '')));
  if (wrong !== undefined) return refuse('DomainForbidden', wrong);
  return decided([{ type: 'RoutesChanged', scope, routes }], {});
}

export function addDkimKey(
  { domain, key }: AddDkimKey,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  if (!isSelectorOf(key.name, domain)) return refuse('DkimKeyForbidden', key.name);
  const keys = dkimKeysOf(state, domain);
  if (keys.some(({ name }) => name === key.name)) return refuse('DkimKeyExists', key.name);
  return decided([{ type: 'DkimKeysChanged', domain, keys: [...keys, key] }], {});
}

export function removeDkimKey(
  { domain, name }: RemoveDkimKey,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const keys = dkimKeysOf(state, domain);
  const others = keys.filter((key) => key.name !== name);
  if (others.length === keys.length) return refuse('NoSuchDkimKey', name);
  return decided([{ type: 'DkimKeysChanged', domain, keys: others }], {});
}

export function useDkimKeys(
  { domain, names }: UseDkimKeys,
  state: DirectoryState,
): Decision<DirectoryEvent, object> {
  if (!state.domains.has(domain)) return refuse('NoSuchDomain', domain);
  const keys = dkimKeysOf(state, domain);
  const unknown = names.find((name) => !keys.some((key) => key.name === name));
  if (unknown !== undefined) return refuse('NoSuchDkimKey', unknown);
  const used = keys.map((key): DkimKey => {
    const { standby: _, ...signing } = key;
    return names.includes(key.name) ? signing : { ...signing, standby: true };
  });
  const isSo = used.every((key, i) => key.standby === keys[i]?.standby);
  return decided(isSo ? [] : [{ type: 'DkimKeysChanged', domain, keys: used }], {});
}
