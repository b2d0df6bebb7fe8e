/**
 * A data directory in which removed mail is not kept for long.
 */

import path from 'node:path';
import { openEngine, type Engine } from '#infra/engine';
import { readFacts } from '#protocols/message/facts';
import { silentLog } from '../support/silent-log.ts';

export function openSweptFolder(dir: string): Promise<Engine> {
  return openEngine({
    dataDir: path.join(dir, 'data'),
    secretsKeyFile: path.join(dir, 'config', 'secrets.key'),
    log: silentLog,
    readFacts,
    textReader: undefined,
    keepExpungedMs: 0,
    fatal: (error) => {
      throw error;
    },
  });
}
