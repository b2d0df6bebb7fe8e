/**
 * Removes what may go from a folder, until it kills itself in the middle.
 *
 * Arguments: the folder and the number of bodies that are removed before the kill.
 */

import path from 'node:path';
import { BodySweep } from '#infra/body-sweep';
import { systemClock } from '#infra/clock';
import { openFolder } from '../support/folder.ts';
import { silentLog } from '../support/silent-log.ts';

const [dir = '', removals = '0'] = process.argv.slice(2);
let left = Number(removals);
/** Bodies are removed at the same time: here one after the other, so that they can be counted. */
let before: Promise<unknown> = Promise.resolve();

const engine = await openFolder(dir, { keepExpungedMs: 0 });
const sweep = new BodySweep({
  dir: path.join(dir, 'data'),
  lanes: engine.lanes,
  bodies: {
    settle: () => engine.bodies.settle(),
    remove(accountId, hash, storedUpTo) {
      const removal = before.then(() => {
        if (left === 0) process.kill(process.pid, 'SIGKILL');
        left--;
        return engine.bodies.remove(accountId, hash, storedUpTo);
      });
      before = removal;
      return removal;
    },
  },
  accounts: () => engine.directory.state.accounts,
  clock: systemClock,
  notes: silentLog,
  fatal: (error) => {
    throw error;
  },
  keepExpungedMs: 0,
});
await sweep.sweep();
await engine.close();
