/**
 * The command tree. Every command is loaded when it is asked for; results go to standard output,
 * errors as one sentence to standard error.
 *
 * Diagnostics: 0 fine, 1 failed, 2 wrong usage.
 */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { addAliases } from './alias-tree.ts';
import { addBackup } from './backup-tree.ts';
import { addAccounts, addAddresses, addPassword } from './directory-tree.ts';
import { addDomains } from './domain-tree.ts';
import {
  isLoopbackAddress,
  type AccountSetFlags,
  type AttemptFlags,
  type DataFlags,
  type KeyAddFlags,
  type KeyChangeFlags,
  type LocalserveFlags,
  type RunningFlags,
  type ServeFlags,
  type TailFlags,
  type TlsResultFlags,
  type VerifyFlags,
} from './flags.ts';
import { addHelp } from './help.ts';
import { isDate, readDuration, readSize } from './quantities.ts';
import type { Openers, Terminal } from './openers.ts';
import { addQueue } from './queue-tree.ts';
import type { Tools } from './tools.ts';
import { addWebhookSettings } from './webhook-settings-tree.ts';

const FAILED = 1;
const WRONG_USAGE = 2;

/** Runs one command line (without program name); resolves with the exit code. */
export async function runProgram(
  args: readonly string[],
  terminal: Terminal,
  openers: Openers,
): Promise<number> {
  let exitCode = 0;
  const program = commandTree(terminal, openers, (code) => {
    exitCode = code;
  });
  addHelp(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : WRONG_USAGE;
    }
    terminal.err(`daybook: ${error instanceof Error ? error.message : String(error)}`);
    return FAILED;
  }
}

/** All commands, not yet run. */
export function commandTree(
  terminal: Terminal,
  openers: Openers,
  finish: (exitCode: number) => void,
): Command {
  const program = new Command('daybook')
    .description('An event-sourced mail server: the log is the truth.')
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  addServing(program, terminal, openers);
  addLookingAfterData(program, terminal, openers, finish);
  addBackup(program, { terminal, openers }, () => dirOption(openers), finish);
  addLog(program, terminal, openers);
  addConfig(program, { terminal, openers });
  addPassword(program, { tools: { terminal, openers }, dir: () => dirOption(openers) });
  addSendmail(program, terminal, openers, finish);
  addAttempts(program, { terminal, openers });
  addQueue(program, { terminal, openers }, () => dirOption(openers));
  addTlsResults(program, { terminal, openers });
  program
    .command('version')
    .description('print the version')
    .action(() => terminal.out(openers.version()));
  return program;
}

function dirOption(openers: Openers): Option {
  return new Option('--dir <dir>', 'folder of configuration and data').default(
    openers.defaultDir(),
  );
}

function addServing(program: Command, terminal: Terminal, openers: Openers): void {
  program
    .command('localserve')
    .description('serve SMTP, submission and IMAP on this machine, for trying and developing')
    .addOption(dirOption(openers))
    .option('--ip <address>', 'loopback address to listen on', loopbackAddress)
    .option('--init-only', 'write configuration, keys and the first account, then exit', false)
    .option('--limits', 'apply the limits per address of a public server', false)
    .addOption(levelOption())
    .action(async (flags: LocalserveFlags) => {
      const { localserve } = await import('./serve.ts');
      await localserve(flags, terminal, openers);
    });
  program
    .command('serve')
    .description('serve as the configuration of the folder says: mail goes out to the world')
    .addOption(dirOption(openers))
    .addOption(levelOption())
    .action(async (flags: ServeFlags) => {
      const { serve } = await import('./serve.ts');
      await serve(flags, terminal, openers);
    });
}

function levelOption(): Option {
  const levels = ['error', 'warn', 'info', 'debug', 'trace'];
  return new Option('--log-level <level>', 'how much to log').choices(levels);
}

function addLookingAfterData(
  program: Command,
  terminal: Terminal,
  openers: Openers,
  finish: (exitCode: number) => void,
): void {
  program
    .command('rebuild')
    .description('throw the views away and post them again from the log')
    .addOption(dirOption(openers))
    .option('--json', 'one JSON object a line', false)
    .action(async (flags: DataFlags) => {
      const { rebuild } = await import('./data.ts');
      await rebuild(flags, terminal, openers);
    });

  program
    .command('verifydata')
    .description('check the log’s hash chain, every body, and the views against a replay')
    .addOption(dirOption(openers))
    .option('--backup <directory>', 'check a backup instead')
    .option('--prior <directories...>', 'where backups are that this one needs, if they moved')
    .option('--json', 'findings as JSON, one object a line', false)
    .action(async (flags: VerifyFlags) => {
      const { backup } = flags;
      if (backup !== undefined) {
        const { verifyBackup } = await import('./backup.ts');
        return finish(await verifyBackup(backup, flags, { terminal, openers }));
      }
      const { verifydata } = await import('./data.ts');
      finish(await verifydata(flags, terminal, openers));
    });

  program
    .command('bumpuidvalidity [account]')
    .description(
      'after an older copy of the log was put back: let mail clients begin anew with the ' +
        'mailboxes of one account, or of all',
    )
    .addOption(dirOption(openers))
    .option('--json', 'one JSON object a line', false)
    .action(async (account: string | undefined, flags: DataFlags) => {
      const { bumpUidValidity } = await import('./data.ts');
      await bumpUidValidity(account, flags, terminal, openers);
    });
}

function addLog(program: Command, terminal: Terminal, openers: Openers): void {
  program
    .command('log')
    .description('look into the event log')
    .command('tail')
    .description('print events as they happen, one line each')
    .addOption(dirOption(openers))
    .option('--account <number>', 'only this account', positiveInteger)
    .option('--type <type>', 'only events of this type')
    .option('--after <position>', 'begin after this position (0: the beginning)', wholeNumber)
    .option('--no-follow', 'stop at the end of the log')
    .option('--json', 'whole events as JSON', false)
    .action(async (flags: TailFlags) => {
      const { tail } = await import('./data.ts');
      await tail(flags, terminal, openers);
    });
}

function addConfig(program: Command, tools: Tools): void {
  const config = program
    .command('config')
    .description('look at and change what the running server decides by');
  const parts = { tools, dir: () => dirOption(tools.openers) };
  addAccounts(addAccountSettings(config, tools), parts);
  addAddresses(config, parts);
  addKeys(config, tools);
  addDomains(config, tools, () => dirOption(tools.openers));
  addAliases(config, tools, () => dirOption(tools.openers));
  addWebhookSettings(config, tools, () => dirOption(tools.openers));
}

function addAccountSettings(config: Command, tools: Tools): Command {
  const accounts = config.command('account').description('accounts, and what is set for them');
  const command = (usage: string, description: string): Command =>
    accounts
      .command(usage)
      .description(description)
      .addOption(dirOption(tools.openers))
      .option('--json', 'as JSON', false);
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
    .option('--keep-retired-webhooks <time>', 'how long webhooks that ended are', duration)
    .option(
      '--from-id-login <addresses...>',
      'all that send with a MAIL FROM per recipient, or none',
    )
    .option('--hide-capability <names...>', 'all IMAP capabilities to hide from it, or none')
    .action(async (account: string, flags: AccountSetFlags) => {
      await (await import('./account.ts')).setAccount(account, flags, tools);
    });
  return accounts;
}

function addKeys(config: Command, tools: Tools): void {
  const keys = config
    .command('tlspubkey')
    .description('TLS keys with which devices log in without a password');
  const command = (usage: string, description: string): Command =>
    keys
      .command(usage)
      .description(description)
      .addOption(dirOption(tools.openers))
      .option('--json', 'as JSON', false);
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

function addAttempts(program: Command, tools: Tools): void {
  program
    .command('loginattempts')
    .description('attempts to log in of the last 30 days')
    .command('list')
    .description('show who tried to log in, the latest first; equal attempts are one line')
    .addOption(dirOption(tools.openers))
    .option('--account <name>', 'only this account; - for logins that are nobody’s')
    .option('--failed', 'only those that were not let in', false)
    .option('--limit <number>', 'so many lines at most, 100 by default', positiveInteger)
    .option('--json', 'one JSON object a line', false)
    .action(async (flags: AttemptFlags) => {
      await (await import('./login-attempts.ts')).listAttempts(flags, tools);
    });
}

function addTlsResults(program: Command, tools: Tools): void {
  program
    .command('tlsresults')
    .description('how TLS went with the hosts that took our mail, of the last 30 days')
    .command('list')
    .description('show sessions by day, domain and policy, the latest day first')
    .addOption(dirOption(tools.openers))
    .option('--domain <name>', 'only mail for this domain, or under its policy')
    .option('--day <date>', 'only this day, in UTC: 2026-01-31', date)
    .option('--limit <number>', 'so many results at most, 1000 by default', positiveInteger)
    .option('--json', 'one JSON object a line', false)
    .action(async (flags: TlsResultFlags) => {
      await (await import('./tls-results.ts')).listTlsResults(flags, tools);
    });
}

function addSendmail(
  program: Command,
  terminal: Terminal,
  openers: Openers,
  finish: (exitCode: number) => void,
): void {
  program
    .command('sendmail [arguments...]')
    .summary('hand in a message from standard input at a mail server')
    .description(
      'hand in a message from standard input at a mail server; takes the flags of sendmail ' +
        '(-t, -F name, -q for what was kept, -i, -f and others), and --config <file>',
    )
    .usage('[flags] [recipient...]')
    // The flags of sendmail follow rules of their own.
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      const { sendmail } = await import('./sendmail.ts');
      finish(await sendmail(args, terminal, openers));
    });
}

function loopbackAddress(text: string): string {
  if (isLoopbackAddress(text)) return text;
  throw new InvalidArgumentError('It must be a loopback address, 127.x.y.z or ::1.');
}

function size(text: string): number {
  const bytes = readSize(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('It must be a size like 500m, 10g or none.');
}

function duration(text: string): number {
  const ms = readDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('It must be a time like 12h, 7d or none.');
}

function date(text: string): string {
  if (isDate(text)) return text;
  throw new InvalidArgumentError('It must be a date like 2026-01-31.');
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('It must be a whole number.');
}

function positiveInteger(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('It must be a number from 1.');
}
