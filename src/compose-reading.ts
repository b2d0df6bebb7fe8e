/**
 * Puts together who reads messages whole.
 */

import { bodyFile } from '#infra/bodies';
import { systemClock } from '#infra/clock';
import type { Engine } from '#infra/engine';
import { ThreadedReader } from '#infra/reading-thread';
import { readMessage } from '#protocols/readings';

export function readerOf({ bodies }: Engine, dataDir: string): ThreadedReader {
  return new ThreadedReader({
    bodies,
    bodyFileOf: (accountId, hash) => bodyFile(dataDir, accountId, hash),
    clock: systemClock,
    readMessage,
    module: import.meta.resolve('#protocols/readings'),
  });
}
