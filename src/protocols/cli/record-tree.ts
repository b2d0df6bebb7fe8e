/**
 * The commands about what the server has on record: `loginattempts` and `tlsresults`.
 */

import type { Command } from 'commander';
import type { AttemptFlags, TlsResultFlags } from './flags.ts';
import { date, numberFromOne } from './option-values.ts';
import type { TreeParts } from './tree.ts';

export function addAttempts(program: Command, { tools, dir }: TreeParts): void {
  program
    .command('loginattempts')
    .description('attempts to log in of the last 30 days')
    .command('list')
    .description('show who tried to log in, the latest first; equal attempts are one line')
    .addOption(dir())
    .option('--account <name>', 'only this account; - for logins that are nobody’s')
    .option('--failed', 'only those that were not let in', false)
    .option('--limit <number>', 'so many lines at most, 100 by default', numberFromOne)
    .option('--json', 'one JSON object a line', false)
    .action(async (flags: AttemptFlags) => {
      await (await import('./login-attempts.ts')).listAttempts(flags, tools);
    });
}

export function addTlsResults(program: Command, { tools, dir }: TreeParts): void {
  program
    .command('tlsresults')
    .description('how TLS went with the hosts that took our mail, of the last 30 days')
    .command('list')
    .description('show sessions by day, domain and policy, the latest day first')
    .addOption(dir())
    .option('--domain <name>', 'only mail for this domain, or under its policy')
    .option('--day <date>', 'only this day, in UTC: 2026-01-31', date)
    .option('--limit <number>', 'so many results at most, 1000 by default', numberFromOne)
    .option('--json', 'one JSON object a line', false)
    .action(async (flags: TlsResultFlags) => {
      await (await import('./tls-results.ts')).listTlsResults(flags, tools);
    });
}
