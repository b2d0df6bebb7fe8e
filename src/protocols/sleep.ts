/**
 * Waiting that somebody may end.
 */

import type { Clock } from './ports.ts';

/** Ends early when `stop` is asked for. */
export async function sleep(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, done);
    stop.addEventListener('abort', done, { once: true });
    function done(): void {
      cancel();
      stop.removeEventListener('abort', done);
      resolve();
    }
  });
}
