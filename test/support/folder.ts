/**
 * The engine of a folder as `localserve` makes it, without a server around it.
 */

import path from 'node:path';
import { silentLog } from './silent-log.ts';
import { openEngine, type Engine, type EngineOptions } from '#infra/engine';
import { readFacts } from '#protocols/message/facts';

export function openFolder(
  dir: string,
  more: Pick<EngineOptions, 'keepExpungedMs'> = {},
): Promise<Engine> {
  return openEngine({
    dataDir: path.join(dir, 'data'),
    secretsKeyFile: path.join(dir, 'config', 'secrets.key'),
    log: silentLog,
    readFacts,
    textReader: undefined,
    fatal: (error) => {
      throw error;
    },
    ...more,
  });
}
