/**
 * The commands about TLS keys: below `config tlspubkey`.
 */

import type { Command } from 'commander';
import type { KeyAddFlags, KeyChangeFlags, RunningFlags } from './flags.ts';
import { below, type TreeParts } from './tree.ts';

export function addKeys(config: Command, parts: TreeParts): void {
  const { tools } = parts;
  const keys = config
    .command('tlspubkey')
    .description('TLS keys with which devices log in without a password');
  const command = below(keys, parts, 'as JSON');
  // A fingerprint may begin with a minus sign and is no option then.
  const keyCommand = (name: string, description: string): Command =>
    command(`${name} <fingerprint>`, description).allowUnknownOption();

  command(
    'add <login>',
    'let the key of a certificate (PEM on standard input) log in as an address',
  )
    .option('--name <name>', 'name of the device; by default the name in the certificate')
    .option('--no-imap-preauth', 'IMAP waits for EXTERNAL instead of beginning logged in')
    .action(async (login: string, flags: KeyAddFlags) => {
      await (await import('./tlspubkey.ts')).addKey(login, flags, tools);
    });
  keyCommand('change', 'change what stands with a key')
    .option('--name <name>', 'name of the device')
    .option('--login <address>', 'another address of the account')
    .option('--imap-preauth', 'IMAP begins logged in')
    .option('--no-imap-preauth', 'IMAP waits for EXTERNAL')
    .action(async (fingerprint: string, flags: KeyChangeFlags) => {
      await (await import('./tlspubkey.ts')).changeKey(fingerprint, flags, tools);
    });
  keyCommand('get', 'show a key and its certificate').action(
    async (fingerprint: string, flags: RunningFlags) => {
      await (await import('./tlspubkey.ts')).showKey(fingerprint, flags, tools);
    },
  );
  command('list [account]', 'show all keys, or those of an account').action(
    async (account: string | undefined, flags: RunningFlags) => {
      await (await import('./tlspubkey.ts')).listKeys(account, flags, tools);
    },
  );
  keyCommand('rm', 'remove a key; connections that it opened end').action(
    async (fingerprint: string, flags: RunningFlags) => {
      await (await import('./tlspubkey.ts')).removeKey(fingerprint, flags, tools);
    },
  );
}
