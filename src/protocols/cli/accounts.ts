/**
 * `config account` and `setaccountpassword`: which accounts there are and who may log in, asked of
 * the running server.
 */

import type {
  AddressRecord,
  ListedAccountRecord,
  RemovedAccountRecord,
} from './directory-control.ts';
import type { RunningFlags } from './flags.ts';
import { askQuietly, askServer, type Tools } from './tools.ts';

export async function listAccounts(flags: RunningFlags, tools: Tools): Promise<void> {
  const accounts = await askServer('accounts.list', flags, tools, {});
  for (const account of accounts as readonly ListedAccountRecord[]) {
    if (flags.json) tools.terminal.out(JSON.stringify(account));
    else tools.terminal.out(account.Account + noteOn(account));
  }
}

function noteOn({ LoginDisabled, Closed }: ListedAccountRecord): string {
  if (Closed) return '\t(being removed)';
  return LoginDisabled === '' ? '' : '\t(disabled)';
}

export async function listAddresses(
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const addresses = await askServer('address.list', flags, tools, { account });
  for (const address of addresses as readonly AddressRecord[]) {
    tools.terminal.out(flags.json ? JSON.stringify(address) : address.Address);
  }
}

export async function addAccount(
  account: string,
  address: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const added = await askServer('accounts.add', flags, tools, { account, address });
  if (flags.json) return tools.terminal.out(JSON.stringify(added));
  tools.terminal.err(`Nobody can log in before: daybook setaccountpassword ${account}`);
}

const ENDS: Readonly<Record<RemovedAccountRecord['State'], string>> = {
  closed: 'is closed; it is removed when its mail has come to an end.',
  removed: 'is removed; its data go when its outgoing mail is not to be remembered any more.',
  erased: 'is removed, with everything that it had.',
};

export async function removeAccount(
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const removed = (await askServer('accounts.rm', flags, tools, {
    account,
  })) as RemovedAccountRecord;
  const sentence = `${removed.Account} ${ENDS[removed.State]}`;
  tools.terminal.out(flags.json ? JSON.stringify(removed) : sentence);
}

export async function disableAccount(
  account: string,
  reason: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly('accounts.disable', flags, tools, { account, reason });
}

export async function enableAccount(
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  await askQuietly('accounts.enable', flags, tools, { account });
}

export async function setPassword(
  account: string,
  flags: RunningFlags,
  tools: Tools,
): Promise<void> {
  const password = await tools.terminal.password(`New password of ${account}: `);
  if (password === '') throw new Error('There is no password on standard input.');
  await askQuietly('accounts.setpassword', flags, tools, { account, password });
}
