/**
 * Recording what has happened outside: the world may fail meanwhile, and it has happened all the
 * same. Tried again, at longer and longer intervals, until it is recorded.
 */

import { Fault } from '#domain/values/fault';
import type { Clock } from './ports.ts';
import { sleep } from './sleep.ts';

const WAIT_MS = 1_000;
const WAIT_MS_MAX = 60_000;

export interface RecordingPorts {
  readonly clock: Clock;
  /** No more is waited for: the next Fault is thrown. */
  readonly stop: AbortSignal;
}

/** `notYet` hears of each Fault, also of the last; everything else is thrown. */
export async function untilRecorded<Recorded>(
  record: () => Promise<Recorded>,
  notYet: (fault: Fault) => void,
  { clock, stop }: RecordingPorts,
): Promise<Recorded> {
  for (let waitMs = WAIT_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
    try {
      return await record();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const isLast = stop.aborted;
      notYet(error);
      if (isLast) throw error;
    }
    await sleep(clock, waitMs, stop);
  }
}
