/**
 * What the running server does for a backup that is made beside it: it removes no message from the
 * disk meanwhile.
 */

import type { RemovalHolds } from '../ports-admin.ts';
import { ControlError, type ControlCommand } from './control.ts';
import { ControlFields } from './control-fields.ts';

/** What `backup.begin` gives. */
export interface BegunBackup {
  readonly hold: number;
}

export function backupCommands(
  holds: RemovalHolds,
): readonly (readonly [string, ControlCommand])[] {
  return [
    [
      'backup.begin',
      async (given): Promise<BegunBackup> => {
        new ControlFields(given).end();
        return { hold: await holds.begin() };
      },
    ],
    [
      'backup.renew',
      async (given) => {
        if (holds.renew(holdIn(given))) return {};
        const sentence = 'The server has forgotten of the backup; make it again.';
        throw new ControlError('NoSuchHold', sentence);
      },
    ],
    [
      'backup.end',
      async (given) => {
        holds.end(holdIn(given));
        return {};
      },
    ],
  ];
}

function holdIn(given: unknown): number {
  const fields = new ControlFields(given);
  const hold = fields.count('hold');
  fields.end();
  return hold;
}
