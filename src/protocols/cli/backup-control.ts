/**
 * What the running server does for a backup that is made beside it: it removes no message from the
 * disk meanwhile.
 */

import type { RemovalHolds } from '../ports-admin.ts';
import { ControlError, type ControlCommands } from './control.ts';
import { commandsOf, type CommandTable, type ControlFields } from './control-fields.ts';

/** What `backup.begin` gives. */
export interface BegunBackup {
  readonly hold: number;
}

const COMMANDS: CommandTable<RemovalHolds> = {
  'backup.begin': async (fields, holds): Promise<BegunBackup> => {
    fields.end();
    return { hold: await holds.begin() };
  },
  'backup.renew': (fields, holds) => {
    if (holds.renew(holdIn(fields))) return {};
    const sentence = 'The server has forgotten of the backup; make it again.';
    throw new ControlError('NoSuchHold', sentence);
  },
  'backup.end': (fields, holds) => {
    holds.end(holdIn(fields));
    return {};
  },
};

export function backupCommands(holds: RemovalHolds): ControlCommands {
  return commandsOf(COMMANDS, holds);
}

function holdIn(fields: ControlFields): number {
  const hold = fields.count('hold');
  fields.end();
  return hold;
}
