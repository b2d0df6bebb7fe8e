/**
 * `config address`: whose addresses are, asked of the running server.
 */

import type { OwnerRecord } from './directory-control.ts';
import type { RunningFlags } from './flags.ts';
import { askQuietly, askServer, type Tools } from './tools.ts';

export async function addAddress(
  address: string,
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly('address.add', flags, tools, { address, account });
}

export async function removeAddress(
  address: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly('address.rm', flags, tools, { address });
}

export async function showOwner(address: string, flags: RunningFlags, tools: Tools): Promise<void> {
  const owner = (await askServer('address.account', flags, tools, { address })) as OwnerRecord;
  tools.terminal.out(flags.json ? JSON.stringify(owner) : told(owner));
}

function told(owner: OwnerRecord): string {
  if ('Account' in owner) return owner.Account;
  return `${owner.Alias} is an alias; its members are ${owner.Addresses.join(' ')}`;
}
