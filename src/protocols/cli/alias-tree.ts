/**
 * The commands below `config alias`.
 */

import { Option, type Command } from 'commander';
import type { AliasUpdateFlags } from './alias.ts';
import type { RunningFlags } from './flags.ts';
import { below, type TreeParts } from './tree.ts';

export function addAliases(config: Command, parts: TreeParts): void {
  const { tools } = parts;
  const aliases = config
    .command('alias')
    .description('addresses whose mail goes to several others');
  const command = below(aliases, parts);
  command('list <domain>', 'show the aliases of a domain').action(
    async (domain: string, flags: RunningFlags) => {
      await (await import('./alias.ts')).listAliases(domain, flags, tools);
    },
  );
  const telling = { print: 'show an alias', rm: 'remove an alias, and show what it was' } as const;
  for (const verb of ['print', 'rm'] as const) {
    command(`${verb} <alias>`, telling[verb]).action(async (alias: string, flags: RunningFlags) => {
      await (await import('./alias.ts')).tellAlias(verb, alias, flags, tools);
    });
  }
  const membership = {
    add: 'make an alias to which everybody may write; its members are addresses of ours',
    addaddr: 'add members to an alias',
    rmaddr: 'remove members from an alias; one stays',
  } as const;
  for (const verb of ['add', 'addaddr', 'rmaddr'] as const) {
    command(`${verb} <alias> <addresses...>`, membership[verb]).action(
      async (alias: string, addresses: readonly string[], flags: RunningFlags) => {
        await (await import('./alias.ts')).changeMembers(verb, alias, addresses, flags, tools);
      },
    );
  }
  command('update <alias>', 'change what is named; everything else stays')
    .addOption(choice('--post-public', 'whether others than members may write to it'))
    .addOption(choice('--list-members', 'whether members may know who the members are'))
    .addOption(choice('--allow-msg-from', 'whether members may send as it'))
    .action(async (alias: string, flags: AliasUpdateFlags) => {
      await (await import('./alias.ts')).updateAlias(alias, flags, tools);
    });
}

function choice(flag: string, description: string): Option {
  return new Option(`${flag} <answer>`, description).choices(['true', 'false']);
}
