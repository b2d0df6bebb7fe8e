/**
 * The commands below `config domain`.
 */

import { Option, type Command } from 'commander';
import type { DkimAddFlags } from './dkim.ts';
import type { RunningFlags } from './flags.ts';
import type { Tools } from './tlspubkey.ts';

/** `dirOption` makes the option that tells the folder of the server. */
export function addDomains(config: Command, tools: Tools, dirOption: () => Option): void {
  const dkim = config
    .command('domain')
    .description('what is set for a domain')
    .command('dkim')
    .description('the keys with which mail from a domain is signed');
  const command = (usage: string, description: string): Command =>
    dkim
      .command(usage)
      .description(description)
      .addOption(dirOption())
      .option('--json', 'as JSON, one object a line', false);
  const algorithm = new Option('--algorithm <name>', 'the kind of key')
    .choices(['ed25519', 'rsa'])
    .default('ed25519');
  command('add <domain> <selector>', 'make a key, sign with it, and print its DNS record')
    .addOption(algorithm)
    .action(async (domain: string, selector: string, flags: DkimAddFlags) => {
      await (await import('./dkim.ts')).addDkimKey(domain, selector, flags, tools);
    });
  command('list <domain>', 'print the DNS records of all keys').action(
    async (domain: string, flags: RunningFlags) => {
      await (await import('./dkim.ts')).listDkimKeys(domain, flags, tools);
    },
  );
  command('rm <domain> <selector>', 'sign with the key no more, and throw it away').action(
    async (domain: string, selector: string, flags: RunningFlags) => {
      await (await import('./dkim.ts')).removeDkimKey(domain, selector, flags, tools);
    },
  );
}
