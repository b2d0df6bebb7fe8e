/**
 * `config alias`: addresses with several members, asked of the running server.
 */

import type { AliasRecord } from './alias-control.ts';
import type { RunningFlags } from './flags.ts';
import { printList } from './lists.ts';
import { askServer, type Tools } from './tools.ts';

/** As they are written; what is left out stays. */
export interface AliasUpdateFlags extends RunningFlags {
  readonly postPublic?: 'true' | 'false';
  readonly listMembers?: 'true' | 'false';
  readonly allowMsgFrom?: 'true' | 'false';
}

export async function listAliases(
  domain: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const answer = await askServer('alias.list', flags, tools, { domain });
  const columns = '# alias, addresses, post public, list members, allow msg from';
  await printList([answer as readonly AliasRecord[]], columns, rowOf, flags, tools);
}

function rowOf(record: AliasRecord): readonly unknown[] {
  const { Alias, Addresses, PostPublic, ListMembers, AllowMsgFrom } = record;
  return [Alias, Addresses.join(' '), PostPublic, ListMembers, AllowMsgFrom];
}

/** `print` and `rm`. */
export async function tellAlias(
  command: 'print' | 'rm',
  alias: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  tell(await askServer(`alias.${command}`, flags, tools, { alias }), flags, tools);
}

/** `add`, `addaddr` and `rmaddr`. */
export async function changeMembers(
  command: 'add' | 'addaddr' | 'rmaddr',
  alias: string,
  addresses: readonly string[],
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  tell(await askServer(`alias.${command}`, flags, tools, { alias, addresses }), flags, tools);
}

export async function updateAlias(
  alias: string,
  flags: AliasUpdateFlags,
  tools: Tools,
): Promise<void> {
  const { postPublic, listMembers, allowMsgFrom } = flags;
  const options = {
    ...(postPublic === undefined ? {} : { postPublic: postPublic === 'true' }),
    ...(listMembers === undefined ? {} : { listMembers: listMembers === 'true' }),
    ...(allowMsgFrom === undefined ? {} : { allowMsgFrom: allowMsgFrom === 'true' }),
  };
  if (Object.keys(options).length === 0) throw new Error('There is nothing to change.');
  tell(await askServer('alias.update', flags, tools, { alias, ...options }), flags, tools);
}

function tell(answer: unknown, { json }: RunningFlags, { terminal }: Tools): void {
  const record = answer as AliasRecord;
  if (json) return terminal.out(JSON.stringify(record));
  for (const [key, value] of Object.entries(record)) {
    terminal.out(`${key}: ${Array.isArray(value) ? value.join(' ') : String(value)}`);
  }
}
