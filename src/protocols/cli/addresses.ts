/**
 * `config address`: whose addresses are, asked of the running server.
 */

import type { OwnerRecord } from './directory-control.ts';
import type { RunningFlags } from './flags.ts';
import { askServer, type Tools } from './tools.ts';

export async function addAddress(
  address: string,
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const added = await askServer('address.add', flags, tools, { address, account });
  if (flags.json) tools.terminal.out(JSON.stringify(added));
}

export async function removeAddress(
  address: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const done = await askServer('address.rm', flags, tools, { address });
  if (flags.json) tools.terminal.out(JSON.stringify(done));
}

export async function showOwner(address: string, flags: RunningFlags, tools: Tools): Promise<void> {
  const owner = (await askServer('address.account', flags, tools, { address })) as OwnerRecord;
  tools.terminal.out(flags.json ? JSON.stringify(owner) : told(owner));
}

function told(owner: OwnerRecord): string {
  if ('Account' in owner) return owner.Account;
  return `${owner.Alias} is an alias; its members are ${owner.Addresses.join(' ')}`;
}
