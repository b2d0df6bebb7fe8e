/**
 * What the facts about an alias make of it.
 */

import { unreachable } from '../values/decision.ts';
import { addressKey } from './address-key.ts';
import type { Alias, AliasEvent } from './events.ts';

/** Writes a fact into the aliases, which stand under their keys. */
export function evolveAliases(aliases: Map<string, Alias>, event: AliasEvent): void {
  const key = addressKey(event.localpart, event.domain);
  if (event.type === 'AliasAdded') {
    const { members, postPublic, listMembers, allowMsgFrom } = event;
    aliases.set(key, { members, postPublic, listMembers, allowMsgFrom });
    return;
  }
  const alias = aliases.get(key);
  if (alias === undefined) return;
  const after = aliasAfter(alias, event);
  if (after === undefined) aliases.delete(key);
  else aliases.set(key, after);
}

/** Undefined when it is none any more. */
function aliasAfter(
  alias: Alias,
  event: Exclude<AliasEvent, { readonly type: 'AliasAdded' }>,
): Alias | undefined {
  switch (event.type) {
    case 'AliasMembersAdded':
      return { ...alias, members: [...alias.members, ...event.members] };
    case 'AliasMembersRemoved': {
      const leaving = new Set(event.members);
      return { ...alias, members: alias.members.filter((member) => !leaving.has(member)) };
    }
    case 'AliasChanged':
      return { ...alias, ...event.changes };
    case 'AliasRemoved':
      return undefined;
    default:
      return unreachable(event);
  }
}
