/**
 * What commands that talk to the running server have in common.
 */

import { askControl } from './control.ts';
import type { RunningFlags } from './flags.ts';
import type { Openers, Terminal } from './openers.ts';

/** What a command has at hand. */
export interface Tools {
  readonly terminal: Terminal;
  readonly openers: Openers;
}

/** Asks the server that runs on the folder. Throws a ControlError. */
export async function askServer(
  command: string,
  { dir }: Pick<RunningFlags, 'dir'>,
  { openers }: Pick<Tools, 'openers'>,
  fields: object,
): Promise<unknown> {
  return askControl(await openers.openControl(dir), command, fields);
}

/** The same for what is told in JSON only. */
export async function askQuietly(
  command: string,
  flags: RunningFlags,
  tools: Tools,
  fields: object,
): Promise<void> {
  const done = await askServer(command, flags, tools, fields);
  if (flags.json) tools.terminal.out(JSON.stringify(done));
}
