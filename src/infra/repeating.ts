/**
 * Work that is done again and again while the server runs: some time after the start, and then at
 * intervals that begin when it ends.
 */

import { Fault } from '#domain/values/fault';
import type { Clock, Log } from '#protocols/ports';
import { codeOf } from './files.ts';

export interface RepeatingPorts {
  readonly clock: Clock;
  readonly notes: Log;
  /** Called with what is neither a Fault nor an error of the system. */
  readonly fatal: (error: unknown) => void;
}

export interface Rhythm {
  readonly what: string;
  readonly firstMs: number;
  readonly everyMs: number;
}

/** Work under way is told by the signal that it is to end early; `stop` resolves when it has. */
export function startRepeating(
  { clock, notes, fatal }: RepeatingPorts,
  { what, firstMs, everyMs }: Rhythm,
  work: (signal: AbortSignal) => Promise<void>,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let cancel = clock.after(firstMs, begin);
  function begin(): void {
    running = workOnce().finally(() => {
      if (!stopping.signal.aborted) cancel = clock.after(everyMs, begin);
    });
  }
  async function workOnce(): Promise<void> {
    try {
      await work(stopping.signal);
    } catch (error) {
      // The world failed, and may be better by the next time.
      if (error instanceof Fault || codeOf(error) !== '')
        notes.warn({ err: error }, `${what} waits`);
      else fatal(error);
    }
  }
  return {
    stop() {
      stopping.abort();
      cancel();
      return running;
    },
  };
}
