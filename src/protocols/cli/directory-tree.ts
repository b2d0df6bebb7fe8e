/**
 * The commands about which accounts, addresses and domains there are: below `config`, and
 * `setaccountpassword`.
 */

import type { Command } from 'commander';
import type { DomainAddFlags } from './domains.ts';
import type { AccountSetFlags, RunningFlags } from './flags.ts';
import { duration, size, wholeNumber } from './option-values.ts';
import { below, type Add, type TreeParts } from './tree.ts';

/** Below `config`. */
export function addAccounts(config: Command, parts: TreeParts): void {
  const accounts = config.command('account').description('accounts, and what is set for them');
  addSettings(below(accounts, parts, 'as JSON'), parts);
  addAccountList(below(accounts, parts), parts);
}

function addSettings(command: Add, { tools }: TreeParts): void {
  command('show <account>', 'show what is set, and how much room its messages take').action(
    async (account: string, flags: RunningFlags) => {
      await (await import('./account.ts')).showAccount(account, flags, tools);
    },
  );
  command('set <account>', 'set what is named; everything else stays')
    .option('--quota <size>', 'room for all messages: 500m, 10g, none for no limit', size)
    .option('--queue-limit <size>', 'what may wait in the queue, none for no limit', size)
    .option(
      '--daily-recipients <number>',
      'to how many it may send in 24 hours, 0: any',
      wholeNumber,
    )
    .option(
      '--daily-new-recipients <number>',
      'to how many it never wrote to before, 0: any',
      wholeNumber,
    )
    .option('--keep-retired <time>', 'how long sent mail is remembered: 12h, 7d, none', duration)
    .option('--keep-retired-webhooks <time>', 'how long webhooks that ended are shown', duration)
    .option(
      '--from-id-login <addresses...>',
      'all that send with a MAIL FROM per recipient, or none',
    )
    .option('--hide-capability <names...>', 'all IMAP capabilities to hide from it, or none')
    .action(async (account: string, flags: AccountSetFlags) => {
      await (await import('./account.ts')).setAccount(account, flags, tools);
    });
}

function addAccountList(command: Add, { tools }: TreeParts): void {
  command('list', 'show all accounts').action(async (flags: RunningFlags) => {
    await (await import('./accounts.ts')).listAccounts(flags, tools);
  });
  command('addresses <account>', 'show the addresses of an account').action(
    async (account: string, flags: RunningFlags) => {
      await (await import('./accounts.ts')).listAddresses(account, flags, tools);
    },
  );
  command('add <account> <address>', 'make an account with its first address').action(
    async (account: string, address: string, flags: RunningFlags) => {
      await (await import('./accounts.ts')).addAccount(account, address, flags, tools);
    },
  );
  command('rm <account>', 'remove an account for good, with its addresses and its mail').action(
    async (account: string, flags: RunningFlags) => {
      await (await import('./accounts.ts')).removeAccount(account, flags, tools);
    },
  );
  command('disable <account> <reason>', 'answer every login with the reason; mail still comes')
    // A reason may begin with a minus sign.
    .allowUnknownOption()
    .action(async (account: string, reason: string, flags: RunningFlags) => {
      await (await import('./accounts.ts')).disableAccount(account, reason, flags, tools);
    });
  command('enable <account>', 'let the account log in again').action(
    async (account: string, flags: RunningFlags) => {
      await (await import('./accounts.ts')).enableAccount(account, flags, tools);
    },
  );
}

/** Below `config`. */
export function addAddresses(config: Command, parts: TreeParts): void {
  const addresses = config.command('address').description('whose addresses are');
  const command = below(addresses, parts);
  const { tools } = parts;
  command(
    'add <address> <account>',
    'give an address to an account; @domain is its catchall',
  ).action(async (address: string, account: string, flags: RunningFlags) => {
    await (await import('./addresses.ts')).addAddress(address, account, flags, tools);
  });
  command('rm <address>', 'take an address away').action(
    async (address: string, flags: RunningFlags) => {
      await (await import('./addresses.ts')).removeAddress(address, flags, tools);
    },
  );
  command('account <address>', 'show which account gets mail for an address').action(
    async (address: string, flags: RunningFlags) => {
      await (await import('./addresses.ts')).showOwner(address, flags, tools);
    },
  );
}

/** Below `config domain`. */
export function addDomainList(domains: Command, parts: TreeParts): void {
  const command = below(domains, parts);
  const { tools } = parts;
  command('list', 'show all domains').action(async (flags: RunningFlags) => {
    await (await import('./domains.ts')).listDomains(flags, tools);
  });
  command(
    'add <domain> <account> [localpart]',
    'make a domain one of ours, with keys to sign its mail; a new account needs a localpart',
  )
    .option('--disabled', 'let its mail wait until it is enabled', false)
    .action(
      async (
        domain: string,
        account: string,
        localpart: string | undefined,
        flags: DomainAddFlags,
      ) => {
        await (await import('./domains.ts')).addDomain(domain, account, localpart, flags, tools);
      },
    );
  command('rm <domain>', 'give up a domain that nothing uses; its keys wait for its return').action(
    async (domain: string, flags: RunningFlags) => {
      await (await import('./domains.ts')).removeDomain(domain, flags, tools);
    },
  );
}

/** Of the program itself. */
export function addPassword(program: Command, parts: TreeParts): void {
  below(program, parts)(
    'setaccountpassword <account>',
    'give an account the password on standard input',
  ).action(async (account: string, flags: RunningFlags) => {
    await (await import('./accounts.ts')).setPassword(account, flags, parts.tools);
  });
}
