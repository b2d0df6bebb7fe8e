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
  type DataFlags,
  type LocalserveFlags,
  type ServeFlags,
  type TailFlags,
  type VerifyFlags,
} from './flags.ts';
import { addHelp } from './help.ts';
import { addKeys } from './key-tree.ts';
import type { Openers, Terminal } from './openers.ts';
import { numberFromOne, wholeNumber } from './option-values.ts';
import { addQueue } from './queue-tree.ts';
import { addAttempts, addTlsResults } from './record-tree.ts';
import type { Tools } from './tools.ts';
import type { TreeParts } from './tree.ts';
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
  const tools = { terminal, openers };
  const parts = { tools, dir: () => dirOption(openers) };
  addServing(program, parts);
  addLookingAfterData(program, parts, finish);
  addBackup(program, parts, finish);
  addLog(program, parts);
  addConfig(program, parts);
  addPassword(program, parts);
  addSendmail(program, tools, finish);
  addAttempts(program, parts);
  addQueue(program, parts);
  addTlsResults(program, parts);
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

function addServing(program: Command, { tools, dir }: TreeParts): void {
  const { terminal, openers } = tools;
  program
    .command('localserve')
    .description('serve SMTP, submission and IMAP on this machine, for trying and developing')
    .addOption(dir())
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
    .addOption(dir())
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
  { tools, dir }: TreeParts,
  finish: (exitCode: number) => void,
): void {
  const { terminal, openers } = tools;
  program
    .command('rebuild')
    .description('throw the views away and post them again from the log')
    .addOption(dir())
    .option('--json', 'one JSON object a line', false)
    .action(async (flags: DataFlags) => {
      const { rebuild } = await import('./data.ts');
      await rebuild(flags, terminal, openers);
    });

  program
    .command('verifydata')
    .description('check the log’s hash chain, every body, and the views against a replay')
    .addOption(dir())
    .option('--backup <directory>', 'check a backup instead')
    .option('--prior <directories...>', 'where backups are that this one needs, if they moved')
    .option('--json', 'findings as JSON, one object a line', false)
    .action(async (flags: VerifyFlags) => {
      const { backup } = flags;
      if (backup !== undefined) {
        const { verifyBackup } = await import('./backup.ts');
        return finish(await verifyBackup(backup, flags, tools));
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
    .addOption(dir())
    .option('--json', 'one JSON object a line', false)
    .action(async (account: string | undefined, flags: DataFlags) => {
      const { bumpUidValidity } = await import('./data.ts');
      await bumpUidValidity(account, flags, terminal, openers);
    });
}

function addLog(program: Command, { tools, dir }: TreeParts): void {
  program
    .command('log')
    .description('look into the event log')
    .command('tail')
    .description('print events as they happen, one line each')
    .addOption(dir())
    .option('--account <number>', 'only this account', numberFromOne)
    .option('--type <type>', 'only events of this type')
    .option('--after <position>', 'begin after this position (0: the beginning)', wholeNumber)
    .option('--no-follow', 'stop at the end of the log')
    .option('--json', 'whole events as JSON', false)
    .action(async (flags: TailFlags) => {
      const { tail } = await import('./data.ts');
      await tail(flags, tools.terminal, tools.openers);
    });
}

function addConfig(program: Command, parts: TreeParts): void {
  const config = program
    .command('config')
    .description('look at and change what the running server decides by');
  addAccounts(config, parts);
  addAddresses(config, parts);
  addKeys(config, parts);
  addDomains(config, parts);
  addAliases(config, parts);
  addWebhookSettings(config, parts);
}

function addSendmail(
  program: Command,
  { terminal, openers }: Tools,
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
