/**
 * How mail from here goes, for administrators: routes, and domains whose mail is to wait.
 *
 * Invariants: a route leads to a transport that there is when it is made.
 */

import type { RouteScope } from '#domain/directory/events';
import { accountCalled, routesOf, type DirectoryState } from '#domain/directory/state';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import type { AdministeredRouting, RouteOwner } from '#protocols/ports-admin';
import type { DirectoryLane } from './directory-lane.ts';

export interface RoutingAdminPorts {
  readonly directory: Pick<DirectoryLane, 'state' | 'execute'>;
  /** The names that there are. */
  readonly transports: () => readonly string[];
}

export function routingAdmin({ directory, transports }: RoutingAdminPorts): AdministeredRouting {
  return {
    routes(whose) {
      const scope = scopeOf(whose, directory.state);
      return isRefusal(scope) ? scope : routesOf(directory.state, scope);
    },

    async changeRoutes(whose, routes, cause) {
      const scope = scopeOf(whose, directory.state);
      if (isRefusal(scope)) return scope;
      const command = { type: 'ChangeRoutes', scope, routes, transports: transports() } as const;
      return await directory.execute(command, cause);
    },

    async switchDomain(domain, to, cause) {
      const type = to === 'disabled' ? 'DisableDomain' : 'EnableDomain';
      return await directory.execute({ type, domain }, cause);
    },
  };
}

function scopeOf({ account, domain }: RouteOwner, state: DirectoryState): RouteScope | Refusal {
  if (account !== undefined) {
    const found = accountCalled(state, account);
    if (isRefusal(found)) return found;
    return { type: 'account', accountId: found.accountId };
  }
  if (domain === undefined) return { type: 'global' };
  return state.domains.has(domain) ? { type: 'domain', domain } : refuse('NoSuchDomain', domain);
}
