/**
 * What a power cut does to a data directory, as far as a test can do it: files of bodies that were
 * never synced are gone, torn or full of zeros.
 */

import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bodyFile } from '#infra/bodies';
import { recordsIn } from '#infra/body-records';

export const JOURNAL_SEGMENTS: readonly string[] = ['bodies-1.journal', 'bodies-2.journal'];

/** Harms some of those that the journal still holds. How many. */
export function loseUnsynced(dir: string): number {
  let lost = 0;
  for (const name of JOURNAL_SEGMENTS) {
    const segment = path.join(dir, name);
    if (!existsSync(segment)) continue;
    for (const { accountId, hash } of recordsIn(readFileSync(segment))) {
      const file = bodyFile(dir, accountId, hash);
      if (!existsSync(file)) continue;
      const fate = randomInt(4);
      if (fate === 0) continue;
      lost++;
      if (fate === 1) rmSync(file);
      else if (fate === 2) truncateSync(file, randomInt(statSync(file).size + 1));
      else writeFileSync(file, Buffer.alloc(statSync(file).size));
    }
  }
  return lost;
}
