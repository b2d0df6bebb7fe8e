/**
 * The commands below `config domain` and `config routes`.
 */

import { Option, type Command } from 'commander';
import { addDomainList } from './directory-tree.ts';
import type { DkimAddFlags } from './dkim.ts';
import type { RunningFlags } from './flags.ts';
import type { RouteFlags } from './routing.ts';
import type { Tools } from './tools.ts';
import { below, type Add, type TreeParts } from './tree.ts';

export function addDomains(config: Command, parts: TreeParts): void {
  const { tools } = parts;
  const domains = config.command('domain').description('what is set for a domain');
  const dkim = domains
    .command('dkim')
    .description('the keys with which mail from a domain is signed');
  addKeys(below(dkim, parts), tools);
  addDomainList(domains, parts);
  const switching = {
    disable: 'let mail from the domain wait, and mail to it come later',
    enable: 'let mail from and to the domain go again',
  } as const;
  for (const verb of ['disable', 'enable'] as const) {
    below(domains, parts)(`${verb} <domain>`, switching[verb]).action(
      async (domain: string, flags: RunningFlags) => {
        await (await import('./routing.ts')).switchDomain(verb, domain, flags, tools);
      },
    );
  }
  const routes = config
    .command('routes')
    .description('by which transports outgoing mail goes; the first route that fits');
  addRoutes(below(routes, parts), tools);
}

function addRoutes(command: Add, tools: Tools): void {
  const owned = (usage: string, description: string): Command =>
    command(usage, description)
      .option('--account <name>', 'those of this account, which come first')
      .option('--domain <domain>', 'those for mail from this domain, which come second');
  owned('list', 'show the routes').action(async (flags: RouteFlags) => {
    await (await import('./routing.ts')).listRoutes(flags, tools);
  });
  owned('set', 'have the routes on standard input instead, as list prints them in JSON').action(
    async (flags: RouteFlags) => {
      await (await import('./routing.ts')).setRoutes(flags, tools);
    },
  );
}

function addKeys(command: Add, tools: Tools): void {
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
  command(
    'use <domain> <selectors...>',
    'sign with the keys of these selectors, and no others',
  ).action(async (domain: string, selectors: readonly string[], flags: RunningFlags) => {
    await (await import('./dkim.ts')).useDkimKeys(domain, selectors, flags, tools);
  });
  command('rm <domain> <selector>', 'sign with the key no more, and throw it away').action(
    async (domain: string, selector: string, flags: RunningFlags) => {
      await (await import('./dkim.ts')).removeDkimKey(domain, selector, flags, tools);
    },
  );
}
