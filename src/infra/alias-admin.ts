/**
 * Aliases, for whoever administers them.
 */

import { aliasAt, aliasesOf, type AliasCommand, type AliasPlace } from '#domain/directory/aliases';
import type { Cause } from '#domain/log/event';
import type { Address } from '#domain/values/address';
import { isRefusal, refuse, type Refusal } from '#domain/values/decision';
import type { AdministeredAliases } from '#protocols/ports-admin';
import type { DirectoryLane } from './directory-lane.ts';

export function aliasAdmin(
  directory: Pick<DirectoryLane, 'state' | 'execute'>,
): AdministeredAliases {
  const at = (alias: Address): AliasPlace | Refusal => aliasAt(alias, directory.state);
  /** What the alias is when the command is carried out. */
  const changed = async (command: AliasCommand, cause: Cause): Promise<AliasPlace | Refusal> => {
    const done = await directory.execute(command, cause);
    return isRefusal(done) ? done : at(command.alias);
  };
  return {
    list(domain) {
      const { state } = directory;
      return state.domains.has(domain) ? aliasesOf(state, domain) : refuse('NoSuchDomain', domain);
    },
    get: at,
    add: (alias, members, cause) => changed({ type: 'AddAlias', alias, members }, cause),
    change: (alias, options, cause) => changed({ type: 'ChangeAlias', alias, options }, cause),
    addMembers: (alias, members, cause) =>
      changed({ type: 'AddAliasMembers', alias, members }, cause),
    removeMembers: (alias, members, cause) =>
      changed({ type: 'RemoveAliasMembers', alias, members }, cause),
    async remove(alias, cause) {
      const removed = at(alias);
      const done = await directory.execute({ type: 'RemoveAlias', alias }, cause);
      return isRefusal(done) ? done : removed;
    },
  };
}
