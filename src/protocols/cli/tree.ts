/**
 * What the branches of the command tree have in common.
 */

import type { Command, Option } from 'commander';
import type { Tools } from './tools.ts';

export interface TreeParts {
  readonly tools: Tools;
  /** Makes the option that says which server is meant: the folder it runs on. */
  readonly dir: () => Option;
}

/** Makes a command that asks the running server. */
export type Add = (usage: string, description: string) => Command;

export function below(
  parent: Command,
  { dir }: TreeParts,
  json = 'as JSON, one object a line',
): Add {
  return (usage, description) =>
    parent.command(usage).description(description).addOption(dir()).option('--json', json, false);
}
