/**
 * `daybook help queue list`: the help of a command at any depth, by the words that name it.
 *
 * Diagnostics: words that name no command are wrong usage, and the nearest help is shown.
 */

import type { Command } from 'commander';

/** Adds `help` to a command, and to all below it, that have others below them. */
export function addHelp(group: Command): void {
  const below = group.commands.filter(({ commands }) => commands.length > 0);
  group
    .command('help [command...]')
    .description('display help for command')
    .helpOption(false)
    .action((words: readonly string[]) => showHelp(group, words));
  below.forEach(addHelp);
}

function showHelp(group: Command, words: readonly string[]): never {
  let shown = group;
  for (const word of words) {
    const next = shown.commands.find((command) => command.name() === word);
    if (next === undefined) return shown.error(`error: unknown command '${words.join(' ')}'`);
    shown = next;
  }
  return shown.help();
}
